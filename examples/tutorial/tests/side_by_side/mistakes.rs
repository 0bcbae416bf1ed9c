//! Mistakes that are made in both apps: what notices them, and when.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use actix_twilio::twiml::Finding;
use actix_twilio_tests_macros::compiler_arguments;

use super::{BASE_URL, form, node, sources, start_node};
use crate::support::{TOKEN, sign};

/// How this file was compiled. The app with a mistake gets the same dependencies: nothing is built for it.
const ARGUMENTS: &[&str] = compiler_arguments!();

/// A change of a file: its name, what is replaced, and by what.
type Change = (&'static str, &'static str, &'static str);

pub(super) struct Mistake {
    what: &'static str,
    rust: Change,
    /// The code of the compiler's error and its message, if it finds the mistake.
    error: Option<&'static str>,
    node: Change,
    /// Whether the TypeScript compiler finds it with `checkJs`.
    is_found_by_tsc: bool,
    /// The path and the parameters of a webhook that shows the mistake in Node.
    webhook: (&'static str, &'static str),
    shows: Shows,
    /// For the table.
    so: &'static str,
}

/// What a mistake leads to in Node at run time.
enum Shows {
    /// This status.
    Status(u16),
    /// An answer with a fault, which has this code of Twilio's.
    Error(u16),
    /// An answer that Twilio takes, with this in it.
    Answer(&'static str),
    /// A forged request gets an answer.
    Forgery,
}

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        what: "a misspelled parameter",
        rust: ("voice.rs", "gather.digits.unwrap", "gather.digit.unwrap"),
        error: Some("E0609: no field `digit` on type `GatherResult`"),
        node: (
            "voice.js",
            "repair(req.body.Digits)",
            "repair(req.body.Digit)",
        ),
        is_found_by_tsc: false,
        webhook: ("/voice/repair", "&Digits=1001"),
        shows: Shows::Answer("We have no repair with this number."),
        so: "no repair is ever found",
    },
    Mistake {
        what: "the parameter of another status",
        rust: (
            "voice.rs",
            "match dial.dial_call_status",
            "match dial.call_status",
        ),
        error: Some("E0308: mismatched types"),
        node: (
            "voice.js",
            "switch (req.body.DialCallStatus)",
            "switch (req.body.CallStatus)",
        ),
        is_found_by_tsc: false,
        webhook: ("/voice/dialed", "&DialCallStatus=busy"),
        shows: Shows::Answer("We could not connect your call."),
        so: "callers hear the wrong reason, and after a call as well",
    },
    Mistake {
        what: "a parameter that may be missing",
        rust: (
            "voice.rs",
            "gather.digits.unwrap_or_default()",
            "gather.digits",
        ),
        error: Some("E0308: mismatched types"),
        node: (
            "voice.js",
            "(req.body.SpeechResult ?? \"\")",
            "req.body.SpeechResult",
        ),
        is_found_by_tsc: false,
        webhook: ("/voice/choice", "&Digits=1"),
        shows: Shows::Status(500),
        so: "500 for callers who press a key",
    },
    Mistake {
        what: "`<Message>` in an answer to a call",
        rust: (
            "voicemail.rs",
            "Say::new(\"We did not hear anything. Goodbye.\")",
            "actix_twilio::twiml::Message::new(\"We did not hear anything.\")",
        ),
        error: Some("E0277: `Message` can't be inside of `VoiceResponse`"),
        node: (
            "voicemail.js",
            "response.say(\"We did",
            "response.message(\"We did",
        ),
        is_found_by_tsc: false,
        webhook: ("/voicemail/greeting", ""),
        shows: Shows::Status(500),
        so: "500",
    },
    Mistake {
        what: "`<Dial>` inside of `<Gather>`",
        rust: ("voice.rs", ".child(Say::new(\n", ".child(Dial::new(\n"),
        error: Some("E0277: `Dial` can't be inside of `Gather`"),
        node: ("voice.js", "menu.say(", "menu.dial("),
        is_found_by_tsc: false,
        webhook: ("/voice/incoming", ""),
        shows: Shows::Status(500),
        so: "500",
    },
    Mistake {
        what: "`<ConversationRelay>` without its `url`",
        rust: (
            "relay.rs",
            "ConversationRelay::new(shop.assistant_url.as_str())",
            "ConversationRelay::new()",
        ),
        error: Some("E0061: this function takes 1 argument"),
        node: ("relay.js", "    url: assistantUrl,\n", ""),
        is_found_by_tsc: false,
        webhook: ("/relay/start", ""),
        shows: Shows::Error(12200),
        so: "error 12200 once somebody calls",
    },
    Mistake {
        what: "a misspelled attribute",
        rust: ("voice.rs", ".num_digits(1)", ".num_digit(1)"),
        error: Some("E0599: no method named `num_digit` found"),
        node: ("voice.js", "numDigits: 1", "numDigit: 1"),
        is_found_by_tsc: true,
        webhook: ("/voice/incoming", ""),
        shows: Shows::Error(12200),
        so: "error 12200 once somebody calls",
    },
    Mistake {
        what: "a value that Twilio does not know",
        rust: ("relay.rs", "Interruption::Speech", "Interruption::Voice"),
        error: Some("E0599: no variant or associated item named `Voice` found"),
        node: (
            "relay.js",
            "interruptible: \"speech\"",
            "interruptible: \"voice\"",
        ),
        is_found_by_tsc: false,
        webhook: ("/relay/start", ""),
        shows: Shows::Error(12200),
        so: "error 12200 once somebody calls",
    },
    Mistake {
        what: "milliseconds instead of seconds",
        rust: (
            "voice.rs",
            ".timeout(Duration::from_secs(20))",
            ".timeout(20_000)",
        ),
        error: Some("E0277: the trait bound `Seconds<1, 600>: From<{integer}>` is not satisfied"),
        node: ("voice.js", "timeout: 20,", "timeout: 20_000,"),
        is_found_by_tsc: false,
        webhook: ("/voice/choice", "&Digits=1"),
        shows: Shows::Error(12200),
        so: "error 12200 once somebody calls",
    },
    Mistake {
        what: "a status without a branch",
        rust: (
            "voice.rs",
            "        _ => \"We could not connect your call.\",\n",
            "",
        ),
        error: Some("E0004: non-exhaustive patterns"),
        node: (
            "voice.js",
            "    default:\n      response.say(\"We could not connect your call.\");\n",
            "",
        ),
        is_found_by_tsc: false,
        webhook: ("/voice/dialed", "&DialCallStatus=failed"),
        shows: Shows::Answer("<Response><Redirect>"),
        so: "callers hear no reason",
    },
    Mistake {
        what: "a route without validation",
        rust: (
            "voicemail.rs",
            "#[validate_twilio_request]\nasync fn thank",
            "async fn thank",
        ),
        error: Some("E0277: this handler is not protected: forged requests would reach it"),
        node: ("voicemail.js", "\"/recorded\", validate,", "\"/recorded\","),
        is_found_by_tsc: false,
        webhook: ("/voicemail/recorded", ""),
        shows: Shows::Forgery,
        so: "forged requests are answered",
    },
    Mistake {
        what: "an attribute twice",
        rust: (
            "voice.rs",
            ".timeout(Duration::from_secs(5))",
            ".timeout(Duration::from_secs(4)).timeout(Duration::from_secs(5))",
        ),
        error: None,
        node: ("voice.js", "timeout: 5,", "timeout: 4,\n    timeout: 5,"),
        is_found_by_tsc: true,
        webhook: ("/voice/incoming", ""),
        shows: Shows::Answer("timeout=\"5\""),
        so: "the last one counts, as in Rust",
    },
    Mistake {
        what: "a text as the answer to a status callback",
        rust: (
            "status.rs",
            "async fn receive_call_status(call: CallStatusCallback) -> NoContent {",
            "async fn receive_call_status() -> &'static str {\n    \"OK\"\n}\n\n\
             async fn was(call: CallStatusCallback) -> NoContent {",
        ),
        error: None,
        node: (
            "status.js",
            "res.sendStatus(204);\n});\n\nstatus",
            "res.send(\"OK\");\n});\n\nstatus",
        ),
        is_found_by_tsc: false,
        webhook: ("/status/call", ""),
        shows: Shows::Error(12300),
        so: "error 12300, as in Rust: a test finds it with `check_answer`",
    },
];

impl Mistake {
    /// Returns the row of the table in README.md.
    pub(super) fn row(&self) -> String {
        let Self { what, so, .. } = self;
        let rust = match self.error.and_then(|error| error.split_once(": ")) {
            Some((code, message)) => format!("[{code}] {message}"),
            None => "-".to_owned(),
        };
        let tsc = if self.is_found_by_tsc { "found" } else { "-" };
        format!("| {what} | {rust} | {tsc} | {so} |")
    }
}

/// Copies files into a folder, one of them changed.
fn copy(files: Vec<PathBuf>, folder: &Path, (name, from, to): Change) {
    fs::create_dir_all(folder).unwrap();
    let mut found = 0;
    for file in files {
        let copy = folder.join(file.file_name().unwrap());
        fs::copy(&file, &copy).unwrap();
        if file.ends_with(name) {
            let text = fs::read_to_string(&file).unwrap();
            found += text.matches(from).count();
            fs::write(&copy, text.replacen(from, to, 1)).unwrap();
        }
    }
    assert!(found > 0, "{name} lacks {from:?}");
}

/// Compiles the app in a folder, and returns what the compiler says.
fn compile(folder: &Path) -> String {
    let pairs = ARGUMENTS.windows(2);
    let dependencies = pairs.filter(|pair| matches!(pair, ["--extern" | "-L", _]));
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args(dependencies.flatten())
        .args(["--edition=2024", "--emit=metadata", "--cap-lints=allow"])
        .args([
            Path::new("-o"),
            &folder.join("tutorial.rmeta"),
            &folder.join("main.rs"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // How a type is named depends on what else is in scope.
    let paths = [
        "actix_twilio::twiml::attributes::",
        "actix_twilio::twiml::",
        "actix_twilio::webhook::",
        "std::convert::",
    ];
    paths.iter().fold(said, |said, path| said.replace(path, ""))
}

#[test]
fn the_compiler_finds_each_mistake_that_it_can_find() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (number, mistake) in MISTAKES.iter().enumerate() {
        let folder = folder.join(format!("mistake-{number}"));
        copy(sources("src", "rs"), &folder, mistake.rust);
        let said = compile(&folder);
        let what = mistake.what;
        match mistake.error.map(|error| error.split_once(": ").unwrap()) {
            Some((code, message)) => {
                assert!(said.contains(&format!("error[{code}]: ")), "{what}: {said}");
                assert!(said.contains(message), "{what}: {said}");
            }
            None => assert_eq!(said, "", "{what}"),
        }
    }
}

#[test]
#[ignore = "needs Node: scripts/tutorial"]
fn node_shows_each_mistake_when_it_runs() {
    for (number, mistake) in MISTAKES.iter().enumerate() {
        let folder = node().join(format!("mistake-{number}"));
        copy(sources("node", "js"), &folder, mistake.node);
        let what = mistake.what;
        assert_eq!(!is_clean(&folder), mistake.is_found_by_tsc, "{what}: tsc");

        let app = start_node(&folder);
        let (path, params) = mistake.webhook;
        let form = form(params, 0);
        let signed = match mistake.shows {
            Shows::Forgery => "",
            _ => &form,
        };
        let signature = sign(TOKEN, &format!("{BASE_URL}{path}"), signed);
        let (status, findings, body) = app.post_and_check(path, &form, &signature);
        let codes: Vec<_> = findings.iter().filter_map(Finding::code).collect();
        match mistake.shows {
            Shows::Status(expected) => assert_eq!(status, expected, "{what}: {body}"),
            Shows::Error(code) => assert!(codes.contains(&code), "{what}: {body} {findings:?}"),
            Shows::Answer(part) => {
                assert!(findings.is_empty() && body.contains(part), "{what}: {body}");
            }
            Shows::Forgery => assert_eq!(status, 200, "{what}: {body}"),
        }
    }
}

#[test]
#[ignore = "needs Node: scripts/tutorial"]
fn the_typescript_compiler_finds_nothing_in_the_app_for_node() {
    assert!(is_clean(&node()));
}

/// Returns whether the TypeScript compiler finds nothing in the files of a folder.
fn is_clean(folder: &Path) -> bool {
    let options = [
        "--noEmit",
        "--allowJs",
        "--checkJs",
        "--strictNullChecks",
        "--skipLibCheck",
    ];
    let status = Command::new(node().join("node_modules/.bin/tsc"))
        .args(options)
        .args(["--module", "nodenext", "app.js"])
        .current_dir(folder)
        .status()
        .unwrap();
    status.success()
}
