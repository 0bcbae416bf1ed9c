//! `check` against an app that validates as the Flask tutorial does, with Twilio's Python library.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::support::{TOKEN, check, rows, run};

/// The app, until it is dropped.
struct Flask {
    process: Child,
    url: String,
}

impl Flask {
    fn start() -> Self {
        let python = env::var_os("FLASK_PYTHON").unwrap_or_else(|| "python3".into());
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flask/app.py"))
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut url).unwrap();
        assert!(
            url.starts_with("http://"),
            "flask and twilio are not installed"
        );
        let url = url.trim().to_owned();
        Self { process, url }
    }
}

impl Drop for Flask {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "needs Python"]
fn tutorial_gets_exactly_these_rows_wrong() {
    let flask = Flask::start();
    let (status, report) = check(&format!("{}/any", flask.url), &[]);
    assert_eq!(
        rows(&report, "failed"),
        [
            // Flask encodes the query again.
            "get: escaped punctuation",
            "json: body replaced under a valid URL signature",
            "json: no bodySHA256",
        ]
    );
    assert_eq!(rows(&report, "not_taken"), [""; 0]);
    assert_eq!(status, 1);

    // The tutorial's own view accepts forms only.
    let (status, report) = check(&format!("{}/message", flask.url), &[]);
    assert_eq!(rows(&report, "failed"), [""; 0]);
    assert_eq!(
        rows(&report, "not_taken"),
        [
            "get: parameters",
            "get: + and %20",
            "get: escaped punctuation",
            "json: bodySHA256",
        ]
    );
    assert_eq!(status, 0);

    let output = run(&[
        "check",
        &format!("{}/any", flask.url),
        "--preset",
        "tutorial",
    ]);
    assert_eq!(output.status, 0, "{output:?}");
}
