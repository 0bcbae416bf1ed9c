//! The attribute sets off no lint that a plain handler does not, and allows nothing that could be forbidden.
//!
//! All lints of rustc and clippy look at `ui/lints/handlers.rs`: without the attribute, with it, and with its option
//! `once` everywhere.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use super::{dependencies, is_required, rustc};

/// The lints that were set off, with the lines that they point at.
type Findings = BTreeMap<String, Vec<u64>>;

/// What is compiled of the handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handlers {
    Plain,
    Annotated,
    /// Each attribute also has the option `once`.
    Once,
}

const ANNOTATED: [Handlers; 2] = [Handlers::Annotated, Handlers::Once];

impl Handlers {
    fn line(self, line: &str) -> String {
        let is_attribute = line.contains("#[") && line.contains("validate_twilio_request");
        match self {
            Self::Plain if line.contains("validate_twilio_request") => String::new(),
            Self::Once if is_attribute && !line.contains("(skip)") => {
                if line.contains("validate_twilio_request(") {
                    line.replace("validate_twilio_request(", "validate_twilio_request(once, ")
                } else {
                    line.replace("validate_twilio_request", "validate_twilio_request(once)")
                }
            }
            _ => line.to_owned(),
        }
    }
}

#[test]
fn attribute_sets_off_no_lint_and_allows_none() {
    let Some(clippy) = clippy_driver() else {
        assert!(!is_required(), "clippy is not installed");
        return;
    };
    let lints = all_lints(&clippy);
    assert!(lints.len() > 800, "{}", lints.len());
    let warn = lints.iter().map(|lint| format!("-W{lint}"));
    let warn: Vec<_> = warn.collect();

    let plain = findings(&compile(&clippy, &warn, Handlers::Plain));
    assert!(!plain.is_empty());
    for handlers in ANNOTATED {
        for (lint, lines) in findings(&compile(&clippy, &warn, handlers)) {
            let without = plain.get(&lint).map_or(&[][..], Vec::as_slice);
            assert!(
                lines.len() <= without.len(),
                "{handlers:?}: {lint} is set off at {lines:?}, and without the attribute at {without:?}"
            );
        }
    }

    // actix's own attributes allow some lints, which nobody can forbid then.
    let silent = lints.iter().filter(|lint| !plain.contains_key(*lint));
    let mut forbid: Vec<_> = silent.map(|lint| format!("-F{lint}")).collect();
    // The first errors hide others.
    for _ in 0..3 {
        let errors = errors(&compile(&clippy, &forbid, Handlers::Plain));
        let errors = errors.concat().replace('-', "_");
        forbid.retain(|option| !errors.contains(option.trim_start_matches("-F")));
    }
    for handlers in [&[Handlers::Plain], &ANNOTATED[..]].concat() {
        let output = compile(&clippy, &forbid, handlers);
        let found = errors(&output);
        assert!(found.is_empty(), "{handlers:?}: {found:#?}");
        assert!(output.status.success(), "{handlers:?}");
    }
    assert!(forbid.len() > 600, "{}", forbid.len());
}

fn clippy_driver() -> Option<Command> {
    let sysroot = rustc().args(["--print", "sysroot"]).output().unwrap();
    let sysroot = String::from_utf8(sysroot.stdout).unwrap();
    let driver = Path::new(sysroot.trim()).join("bin/clippy-driver");
    driver.exists().then(|| Command::new(driver))
}

/// Returns the names of all lints that need no unstable feature.
fn all_lints(clippy: &Command) -> Vec<String> {
    let help = Command::new(clippy.get_program())
        .args(["-W", "help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names = help.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, level) = (words.next()?, words.next()?);
        // This is a group.
        let is_lint = ["allow", "warn", "deny"].contains(&level) && name != "warnings";
        is_lint.then(|| name.replace('-', "_"))
    });
    names.collect()
}

fn compile(clippy: &Command, levels: &[String], handlers: Handlers) -> Output {
    let source = fs::read_to_string("ui/lints/handlers.rs").unwrap();
    let lines: Vec<_> = source.lines().map(|line| handlers.line(line)).collect();
    if handlers == Handlers::Once {
        let guarded = lines.iter().filter(|line| line.contains("(once"));
        assert!(guarded.count() > 8);
    }
    let name = format!("{handlers:?}").to_lowercase();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.rs"));
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    Command::new(clippy.get_program())
        .args(dependencies())
        .args([
            "--edition=2024",
            "--error-format=json",
            "--emit=metadata",
            "-o",
        ])
        .arg(file.with_extension("rmeta"))
        .args(levels)
        .arg(file)
        .output()
        .unwrap()
}

fn messages(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stderr);
    let messages: Vec<_> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    messages
}

/// Returns the lints that were set off. What the compiler says of the lints themselves has no place.
fn findings(output: &Output) -> Findings {
    assert!(output.status.success(), "{:#?}", errors(output));
    let mut findings = Findings::new();
    for message in messages(output) {
        let code = message.pointer("/code/code").and_then(Value::as_str);
        let line = message
            .pointer("/spans/0/line_start")
            .and_then(Value::as_u64);
        if let (Some(code), Some(line)) = (code, line) {
            findings.entry(code.to_owned()).or_default().push(line);
        }
    }
    findings
}

fn errors(output: &Output) -> Vec<String> {
    let messages = messages(output);
    let errors = messages
        .iter()
        .filter(|message| message["level"] == "error");
    errors
        .map(|message| message["rendered"].as_str().unwrap().to_owned())
        .collect()
}
