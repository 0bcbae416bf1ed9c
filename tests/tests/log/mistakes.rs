//! The usual mistakes, and what their users see: each is made once, and `docs/mistakes.md` has the result.
//!
//! `MISTAKES=overwrite cargo test -p actix-twilio-tests --test log mistakes` writes that page again.

mod apps;
mod table;

use std::{env, fmt::Write as _, fs, path::PathBuf};

use actix_twilio::{AuthToken, RequestValidator, WebhookRequest};
use actix_twilio_tests::{FORM, SIGNATURE, in_children, log::Printed};
use actix_web::{
    App,
    http::Method,
    rt::System,
    test::{TestRequest, call_service, init_service, try_call_service},
    web::ServiceConfig,
};

use tracing::Level;

use self::table::MISTAKES;

/// A mistake and a request that meets it.
struct Mistake {
    /// What the user did, as a heading.
    made: &'static str,
    /// What puts it right.
    fix: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Sets the app up, or says why it does not start.
    app: fn(&mut ServiceConfig) -> Result<(), Box<dyn std::error::Error>>,
    /// The least important level that is printed.
    level: Level,
    /// A request that was genuine, and was served before.
    before: Option<Request>,
    request: Request,
}

/// A request as Twilio sends it, and as it reaches the app.
#[derive(Clone, Copy)]
struct Request {
    method: &'static str,
    /// The URL that is set at Twilio.
    url: &'static str,
    /// The token that Twilio signs with. Without one, nothing is signed.
    token: Option<&'static str>,
    /// The form that Twilio signs, if the body is one.
    form: Option<&'static str>,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    content_type: Option<&'static str>,
    /// The body that arrives.
    body: &'static str,
    peer: &'static str,
}

impl Request {
    /// Signs what Twilio sent, and makes the request that arrived.
    fn arrived(self) -> TestRequest {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut req = TestRequest::with_uri(self.target)
            .method(method)
            .peer_addr(self.peer.parse().unwrap())
            .set_payload(self.body);
        if let Some(token) = self.token {
            req = req.insert_header((SIGNATURE, self.signature(token)));
        }
        if let Some(content_type) = self.content_type {
            req = req.insert_header(("Content-Type", content_type));
        }
        if !self.body.is_empty() {
            req = req.insert_header(("Content-Length", self.body.len()));
        }
        self.headers
            .iter()
            .fold(req, |req, header| req.insert_header(*header))
    }

    fn signature(self, token: &str) -> String {
        let keys = RequestValidator::new([AuthToken::new(token).unwrap()]).unwrap();
        let request = WebhookRequest::new(self.method, self.url);
        let request = match &self.form {
            Some(form) => request.content_type(FORM).body(form),
            // A body that is not a form is signed by its hash, which is in the URL already.
            None => WebhookRequest::new("GET", self.url),
        };
        keys.sign(&request).unwrap()
    }
}

/// Makes a mistake, and returns what the terminal shows.
fn made(mistake: &Mistake) -> String {
    let printed = Printed::of_an_app(mistake.level);
    let mut failed = None;
    let status = System::new().block_on(async {
        let app = App::new().configure(|app| failed = (mistake.app)(app).err());
        if failed.is_some() {
            return None;
        }
        let app = init_service(app).await;
        if let Some(before) = mistake.before {
            let res = call_service(&app, before.arrived().to_request()).await;
            assert!(
                res.status().is_success(),
                "{}: {}",
                mistake.made,
                res.status()
            );
        }
        let res = try_call_service(&app, mistake.request.arrived().to_request()).await;
        Some(res.map_or_else(
            |err| err.as_response_error().status_code(),
            |res| res.status(),
        ))
    });
    let mut seen = printed.take();
    if let Some(err) = failed {
        writeln!(seen, "Error: {err:?}").unwrap();
    }
    if let Some(status) = status {
        writeln!(seen, "the response: {status}").unwrap();
    }
    seen
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/mistakes.md")
}

#[test]
fn usual_mistakes_print_what_their_page_shows() {
    in_children(
        MISTAKES.iter().enumerate(),
        |(_, mistake)| mistake.environment.iter().copied(),
        |(index, mistake)| {
            let heading = format!("## {}. {}\n", index + 1, mistake.made);
            let section = format!(
                "{heading}\n```text\n{}```\n\n{}\n",
                made(mistake),
                mistake.fix
            );
            let text = fs::read_to_string(page()).unwrap();
            if env::var("MISTAKES").is_ok_and(|value| value == "overwrite") {
                fs::write(page(), with(&text, &heading, &section)).unwrap();
            } else {
                assert!(
                    text.contains(&section),
                    "MISTAKES=overwrite writes:\n{section}"
                );
            }
        },
    );
}

#[test]
fn each_line_is_short() {
    for line in fs::read_to_string(page()).unwrap().lines() {
        assert!(line.len() <= 400, "{} bytes: {line}", line.len());
    }
}

/// Puts a section in the place of the one with its heading, or at the end.
fn with(text: &str, heading: &str, section: &str) -> String {
    let start = text.find(heading).unwrap_or(text.len());
    let (before, after) = text.split_at(start);
    let end = after[3.min(after.len())..]
        .find("\n## ")
        .map_or("", |end| &after[end + 4..]);
    format!(
        "{}\n\n{section}{}{end}",
        before.trim_end(),
        if end.is_empty() { "" } else { "\n" }
    )
}

#[test]
fn page_has_the_mistakes_of_the_table_alone() {
    let text = fs::read_to_string(page()).unwrap();
    let headings: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    let expected = MISTAKES
        .iter()
        .enumerate()
        .map(|(index, mistake)| format!("## {}. {}", index + 1, mistake.made));
    assert_eq!(headings, expected.collect::<Vec<_>>());
}
