//! What the compiler says where the attribute is used wrongly, and of routes that are not, or can't be,
//! protected: the messages are frozen in `ui/` and `ui_protection/`. What is in `ui/pass/` compiles and runs.
//! A case whose name ends with `_2021` has that edition.
//!
//! `UI_TESTS=overwrite` writes the messages again. With `UI_TESTS=required` another compiler than that of the frozen
//! messages is an error.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod lints;

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::Command,
};

use actix_twilio_tests_macros::compiler_arguments;

/// The toolchain whose messages are frozen: the one that `.ci/run` uses.
const TOOLCHAIN: &str = "rustc 1.95.";

/// How this file was compiled. The cases get the same dependencies: nothing is built for them.
const ARGUMENTS: &[&str] = compiler_arguments!();

#[test]
fn compiler_messages_are_as_frozen() {
    let mode = env::var("UI_TESTS").unwrap_or_default();
    let version = rustc().arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    if !version.starts_with(TOOLCHAIN) {
        let problem = format!("other compilers than {TOOLCHAIN} have other words: {version}");
        assert_ne!(mode, "required", "{problem}");
        // Unlike what `eprintln!` prints, this is not hidden where the test passes.
        writeln!(
            io::stderr(),
            "compiler messages are not compared: {problem}"
        )
        .unwrap();
        return;
    }
    let cases = ["ui", "ui_protection", "ui/pass"].map(cases_in).concat();
    let failures = cases
        .iter()
        .filter_map(|case| check(case, mode == "overwrite").err());
    let failures: Vec<_> = failures.collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Returns whether nothing may be left out.
fn is_required() -> bool {
    env::var("UI_TESTS").is_ok_and(|mode| mode == "required")
}

/// Returns the options that name the dependencies: these two only, because how types are named in messages depends on
/// what else is in scope.
fn dependencies() -> impl Iterator<Item = &'static str> {
    let pairs = ARGUMENTS.windows(2).filter(|pair| match pair[0] {
        "--extern" => ["actix_twilio", "actix_web"].contains(&pair[1].split('=').next().unwrap()),
        option => option == "-L",
    });
    pairs.flatten().copied()
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn cases_in(folder: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let sources = names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "rs"));
    let cases: Vec<_> = sources.map(|name| format!("{folder}/{name}")).collect();
    assert!(!cases.is_empty(), "there are no cases in {folder}");
    cases
}

/// Compiles a case, and compares the messages or runs it. Returns what is wrong.
fn check(case: &str, overwrite: bool) -> Result<(), String> {
    let name = case.replace('/', "-");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let edition = if case.ends_with("_2021.rs") {
        "--edition=2021"
    } else {
        "--edition=2024"
    };
    let output = rustc()
        // Cargo compiles from there: the messages show sources of the workspace.
        .current_dir("..")
        .args(dependencies())
        .args([edition, "--diagnostic-width=140", "-Adead_code"])
        .args([
            Path::new("-o"),
            &program,
            Path::new(&format!("tests/{case}")),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).replace("tests/ui", "ui");
    let said = normalize(&said, case);
    if case.starts_with("ui/pass") {
        let passes = output.status.success() && Command::new(program).status().unwrap().success();
        return passes
            .then_some(())
            .ok_or(format!("{case} does not pass:\n{said}"));
    }
    let frozen = Path::new(case).with_extension("stderr");
    if overwrite {
        fs::write(&frozen, &said).unwrap();
    }
    let expected = fs::read_to_string(frozen)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    let refused = !output.status.success() && said == expected;
    refused.then_some(()).ok_or(format!(
        "{case} has another message.\n--- frozen\n{expected}--- now\n{said}"
    ))
}

/// Leaves out the places of other files, and what the compiler says of its own messages.
fn normalize(messages: &str, case: &str) -> String {
    let own = [
        "error: aborting",
        "Some errors have",
        "For more information",
    ];
    let diagnostics = messages.trim_end().split("\n\n");
    let diagnostics = diagnostics.filter(|text| !own.iter().any(|start| text.starts_with(start)));
    let diagnostics = diagnostics.map(|diagnostic| {
        let mut lines: Vec<_> = diagnostic.lines().map(str::to_owned).collect();
        let (mut is_elsewhere, mut width) = (false, 0);
        for line in &mut lines {
            let (gutter, text) = line.split_at(line.find(['|', '>', ':', '=']).unwrap_or(0));
            if let Some(place) = text.strip_prefix("> ").or(text.strip_prefix("::: ")) {
                is_elsewhere = !place.starts_with(case);
                if is_elsewhere {
                    *line = format!(
                        "{gutter}{}{}",
                        &text[..text.len() - place.len()],
                        file(place)
                    );
                }
            } else if text.starts_with('|') && !gutter.starts_with("...") {
                if is_elsewhere {
                    *line = format!("{:1$}{text}", "", gutter.len());
                } else {
                    width = width.max(gutter.trim().len());
                }
            } else if let Some((list, _)) = line.split_once("and ")
                && line.ends_with(" others")
            {
                *line = format!("{list}and $N others");
            }
        }
        // The column of line numbers was wide enough for those of other files.
        let arrow = lines.iter().find_map(|line| line.find("--> "));
        let gap = " ".repeat(arrow.unwrap_or_default().saturating_sub(width));
        let lines = lines
            .iter()
            .map(|line| line.strip_prefix(&gap).unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    });
    diagnostics.collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Returns the file of a place: in the workspace, or in a dependency, whose version may change.
fn file(place: &str) -> String {
    let file = place.rsplitn(3, ':').last().unwrap().replace('\\', "/");
    let Some((_, path)) = file.split_once("/registry/src/") else {
        return format!("$WORKSPACE/{file}");
    };
    let parts: Vec<_> = path.splitn(3, '/').collect();
    let (name, _) = parts[1]
        .split_once('.')
        .and_then(|(name, _)| name.rsplit_once('-'))
        .unwrap();
    format!("$CARGO/{name}-$VERSION/{}", parts[2])
}
