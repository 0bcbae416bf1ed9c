//! Starts an example and sends it requests over TCP.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use actix_twilio::{
    AuthToken, RequestValidator, WebhookRequest,
    twiml::{Finding, check_answer},
};

pub(crate) const TOKEN: &str = "12345";

/// What Twilio sends with each message and each call.
pub(crate) const SIDS: &str = "AccountSid=AC00000000000000000000000000000001\
                               &CallSid=CA00000000000000000000000000000001\
                               &MessageSid=SM00000000000000000000000000000001";
const FORM: &str = "application/x-www-form-urlencoded";

/// An example that runs, until it is dropped.
pub(crate) struct Example {
    pub(crate) process: Child,
    /// Host and port.
    pub(crate) address: String,
    pub(crate) output: BufReader<ChildStdout>,
}

impl Example {
    pub(crate) fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let mut process = command(binary)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        // From here on, a failure ends the process.
        let mut example = Self {
            process,
            address: String::new(),
            output,
        };
        // An example whose log is its output may have lines before.
        let mut lines = example.output.by_ref().lines().map(Result::unwrap);
        let address = lines.find_map(|line| {
            let address = line.strip_prefix("Listening on http://")?;
            Some(address.to_owned())
        });
        example.address = address.unwrap();
        example
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a form, signed or not, and returns the status and the body of the answer. Checks that Twilio accepts it.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str, signature: &str) -> (u16, String) {
        let (status, findings, body) = self.post_and_check(path, body, signature);
        assert!(findings.is_empty(), "{path}: {body}\n{findings:?}");
        (status, body)
    }

    /// Sends a form, signed or not, and returns the status of the answer, what Twilio would not accept in it, and its
    /// body.
    pub(crate) fn post_and_check(
        &self,
        path: &str,
        body: &str,
        signature: &str,
    ) -> (u16, Vec<Finding>, String) {
        let (head, body) = self.talk(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\
             X-Twilio-Signature: {signature}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len(),
        ));
        let status = status(&head);
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        let content_type = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let findings = match status {
            200 => check_answer(content_type.map(|(_, value)| value), &body),
            204 => {
                assert_eq!(body, "", "{path}");
                Vec::new()
            }
            _ => Vec::new(),
        };
        (status, findings, body)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    pub(crate) fn send(&self, request: &str) -> (u16, String) {
        let (head, body) = self.talk(request);
        (status(&head), body)
    }

    /// Returns the head and the body of the answer.
    fn talk(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// Sends a genuine request, which is answered, and a forged one, which is not.
    #[track_caller]
    pub(crate) fn assert_protects(
        &self,
        path: &str,
        token: &str,
        signed_url: &str,
        expected: &str,
    ) {
        let body = &format!("{SIDS}&From=%2B14158675310&Body=Hi");
        let signature = sign(token, signed_url, body);
        let (status, answer) = self.post(path, body, &signature);
        assert_eq!(status, 200, "{path}: {answer}");
        assert!(answer.contains(expected), "{path}: {answer}");
        let (status, _) = self.post(path, &body.replace("867531", "000000"), &signature);
        assert_eq!(status, 403, "{path}");
    }
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// An example with no settings but a free port.
pub(crate) fn command(binary: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .env_remove("TWILIO_AUTH_TOKEN")
        .env_remove("TWILIO_WEBHOOK_BASE_URL")
        .env_remove("TWILIO_VALIDATION")
        .env_remove("HOST")
        .env("PORT", "0");
    command
}

/// Checks that an example with a secret that is not UTF-8 in a variable does not start, and says only which one it is.
#[cfg(unix)]
#[track_caller]
pub(crate) fn assert_refuses_other_than_utf_8(name: &str, binary: &str, variable: &str) {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let out = command(binary)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .env(variable, OsStr::from_bytes(b"hunter2\xFF"))
        .output()
        .unwrap();
    let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
    assert!(!out.status.success(), "{name}");
    assert!(said.contains(variable), "{name}: {said}");
    assert!(said.contains("UTF-8"), "{name}: {said}");
    assert!(!said.contains("hunter2"), "{name}: {said}");
}

pub(crate) fn sign(token: &str, url: &str, body: &str) -> String {
    let request = WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(body);
    let keys = RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap();
    keys.sign(&request).unwrap()
}

/// Checks that each example of the package in this folder says how to run it, and that a test runs it.
#[track_caller]
pub(crate) fn assert_each_is_run_in(tests: &str, folder: &str, run: &str) {
    let mut examples = 0;
    for entry in fs::read_dir(Path::new(folder).join("src/bin")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        examples += 1;
        let text = fs::read_to_string(&path).unwrap();
        let (comment, _) = text.split_once("\n\nuse ").unwrap();
        let command = format!("{run} --bin {name}`");
        assert!(comment.contains(&command), "{name}: {comment}");
        assert!(tests.contains(&format!("CARGO_BIN_EXE_{name}\"")), "{name}");
    }
    assert!(examples > 4, "{examples}");
}
