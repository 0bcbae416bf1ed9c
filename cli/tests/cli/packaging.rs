//! What is there for users without Rust's toolchain: the action, and the names of the archives.

use std::{fs, path::Path};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

#[test]
fn archives_have_the_name_that_binstall_asks_for() {
    let manifest = read("cli/Cargo.toml");
    let script = read("scripts/binary");
    let url = "/releases/download/v{ version }/twilio-webhook-{ target }.tar.gz\"";
    assert!(manifest.contains(url), "{manifest}");
    assert!(manifest.contains("bin-dir = \"twilio-webhook-{ target }/{ bin }{ binary-ext }\""));
    assert!(script.contains("name=\"twilio-webhook-$target\"\n"));
    assert!(script.contains("tar -czf \"$name.tar.gz\" \"$name\"\n"));
    let workflow = read(".github/workflows/binaries.yml");
    assert!(workflow.contains("run: scripts/binary\n") && workflow.contains("tags: [\"v*\"]"));
}

#[test]
fn workflows_name_the_actions_of_others_by_their_commits() {
    let mut actions = 0;
    for entry in fs::read_dir(repository().join(".github/workflows")).unwrap() {
        let workflow = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in workflow.lines().chain(read("action.yml").lines()) {
            let Some((_, action)) = line.split_once("uses: ").filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            // After the commit is its tag, for readers.
            let commit = action
                .split_once('@')
                .and_then(|(_, rest)| rest.split_once(" # v"));
            let is_commit = commit.is_some_and(|(commit, _)| {
                commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit())
            });
            assert!(action == "./" || is_commit, "{line}");
            actions += 1;
        }
    }
    assert!(actions > 5, "{actions}");
}

/// An input that is a part of the text of a command could end the command and start another one.
#[test]
fn action_hands_its_inputs_over_as_variables() {
    let action = read("action.yml");
    let mut inputs = 0;
    for line in action.lines().filter(|line| line.contains("${{")) {
        let (name, value) = line.trim().split_once(": ").unwrap();
        assert!(
            name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'),
            "{line}"
        );
        inputs += usize::from(value.contains("inputs."));
    }
    assert_eq!(
        inputs,
        action
            .lines()
            .filter(|line| line.contains("description:"))
            .count()
            - 1
    );
}

#[cfg(unix)]
mod action {
    use std::{
        env, fs,
        os::unix::fs::symlink,
        path::PathBuf,
        process::{Command, Output},
    };

    use actix_web::{HttpResponse, web};

    use super::repository;
    use crate::support::{TOKEN, record, serve, serve_open, serve_raw};

    /// Runs `scripts/action check` as action.yml does, in a folder of its own.
    fn check(name: &str, variables: &[(&str, &str)]) -> (Output, PathBuf) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("action-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("twilio-webhook/bin")).unwrap();
        let tool = folder.join("twilio-webhook/bin/twilio-webhook");
        symlink(env!("CARGO_BIN_EXE_twilio-webhook"), tool).unwrap();
        let output = Command::new(repository().join("scripts/action"))
            .arg("check")
            .current_dir(&folder)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap())
            .env("RUNNER_TEMP", &folder)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .envs([
                ("CHECK_PUBLIC_URL", ""),
                ("CHECK_ARGS", ""),
                ("CHECK_WAIT", "0"),
            ])
            .env("CHECK_JUNIT", "report.xml")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        (output, folder.join("report.xml"))
    }

    #[test]
    fn action_fails_as_the_check_does_and_leaves_a_report() {
        let (raw, open) = (serve_raw(), serve_open());
        for (name, url, status) in [
            ("raw", &*raw, 0),
            ("open", &open, 1),
            ("gone", "http://127.0.0.1:1/", 3),
        ] {
            let (output, report) = check(name, &[("CHECK_URL", url)]);
            assert_eq!(output.status.code(), Some(status), "{name}: {output:?}");
            assert!(
                fs::read_to_string(report).unwrap().contains("<testcase"),
                "{name}"
            );
        }
    }

    #[test]
    fn action_passes_its_inputs_on_and_runs_none_of_them() {
        let (url, requests) = record(vec![crate::support::OK; 100]);
        let (output, report) = check(
            "inputs",
            &[
                ("CHECK_URL", &*url),
                ("CHECK_PUBLIC_URL", "https://example.com/$(touch${IFS}ran)"),
                (
                    "CHECK_ARGS",
                    "--method get\n\n-d\nBody=`touch ran`; touch ran",
                ),
            ],
        );
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let request = requests.recv().unwrap();
        assert!(
            request.starts_with("GET /") && request.contains("touch"),
            "{request}"
        );
        assert!(!report.with_file_name("ran").exists());
    }

    /// Reads output as a runner does, which acts on lines that start with `::`. Returns the token, and how many lines it
    /// has left alone.
    #[track_caller]
    fn commands(output: &Output) -> (String, usize) {
        assert_eq!(output.stderr, b"", "{output:?}");
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        let mut lines = stdout.lines();
        let token = lines
            .next()
            .and_then(|line| line.strip_prefix("::stop-commands::"));
        let token = token.unwrap().to_owned();
        assert!(
            token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()),
            "{token}"
        );
        assert_eq!(
            lines.next_back(),
            Some(&*format!("::{token}::")),
            "{stdout}"
        );
        assert!(!lines.clone().any(|line| line.contains(&token)), "{stdout}");
        let commands = lines.filter(|line| line.trim_start().starts_with("::"));
        (token, commands.count())
    }

    #[test]
    fn runner_acts_on_no_line_of_the_app() {
        let words = "::error::forged ".repeat(40);
        let url = serve(move |app| {
            let words = words.clone();
            app.default_service(web::to(move || {
                let location = ("Location", words.clone());
                std::future::ready(HttpResponse::Found().insert_header(location).finish())
            }));
        });
        let mut tokens = Vec::new();
        for name in ["forged", "forged-too"] {
            let (output, _) = check(name, &[("CHECK_URL", &url)]);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let (token, left_alone) = commands(&output);
            assert!(left_alone > 0, "{output:?}");
            tokens.push(token);
        }
        assert_ne!(tokens[0], tokens[1]);
        // The tool ends with an error, which is on another stream.
        let gone = [("CHECK_URL", "http://127.0.0.1:1/::error::forged")];
        let (output, _) = check("forged-gone", &gone);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        commands(&output);
        let (output, _) = check("fine", &[("CHECK_URL", &serve_raw())]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(commands(&output).1, 0);
    }

    #[test]
    fn action_has_a_step_for_each_thing_it_does() {
        let script = repository().join("scripts/action");
        let output = Command::new(script)
            .env("RUNNER_TEMP", "/nowhere")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("scripts/action check")
        );
    }
}
