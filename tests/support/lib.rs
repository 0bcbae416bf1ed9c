//! What the tests share: the vectors, keys, signatures, and processes with an environment of their
//! own.

use std::{env, ffi::OsStr, process::Command};

use actix_twilio::{
    AuthToken, RequestValidator, TwilioConfig, TwilioConfigBuilder, ValidationError,
    ValidationErrorKind, WebhookRequest, signature::body_sha256,
};
use actix_web::dev::ServiceResponse;
use serde::Deserialize;

pub mod reference;
pub mod targets;

/// The Auth Token of the account that the tests' genuine requests come from.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A text of a signature's form that no key of the tests yields.
pub const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Returns a validator that knows [`TOKEN`].
///
/// # Panics
///
/// Panics if the token is refused.
#[must_use]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn validator() -> RequestValidator {
    let token = AuthToken::new(TOKEN).expect("TOKEN is a token");
    RequestValidator::new([token]).expect("there is a token")
}

/// Returns a configuration's builder that knows [`TOKEN`].
///
/// # Panics
///
/// Panics if the token is refused.
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn config() -> TwilioConfigBuilder {
    TwilioConfig::builder().auth_token(AuthToken::new(TOKEN).expect("TOKEN is a token"))
}

/// Signs any text with [`TOKEN`]. Of a `GET` the URL alone is signed, and any text is a URL: so
/// nothing that the library does to parameters takes part.
///
/// # Panics
///
/// Panics if the validator won't sign.
#[must_use]
#[track_caller]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn sign_text(text: &str) -> String {
    validator()
        .sign(&WebhookRequest::new("GET", text))
        .expect("any text can be signed")
}

/// Signs a form that is posted to a URL.
///
/// # Panics
///
/// Panics if the validator won't sign.
#[must_use]
#[track_caller]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn sign_form(url: &str, form: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let request = WebhookRequest::new("POST", url)
        .content_type(FORM)
        .body(form);
    validator().sign(&request).expect("a form can be signed")
}

/// Appends a body's hash to a URL with a query, as Twilio does.
#[must_use]
pub fn hashed(url: &str, body: impl AsRef<[u8]>) -> String {
    format!("{url}&bodySHA256={}", body_sha256(body))
}

/// Returns the kind of the refusal that a response carries for loggers.
#[must_use]
pub fn refusal<B>(res: &ServiceResponse<B>) -> Option<ValidationErrorKind> {
    let err = res.response().error()?.as_error::<ValidationError>()?;
    Some(err.kind())
}

/// Runs a test in a process of its own, with these environment variables and no other one that the
/// library reads. `test` is the name of the calling test.
///
/// # Panics
///
/// Panics if the test fails there or was not run.
#[track_caller]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn in_child<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    test: &str,
    variables: impl IntoIterator<Item = (N, V)>,
    run: impl FnOnce(),
) {
    const CHILD: &str = "ACTIX_TWILIO_TEST_CHILD";

    if env::var(CHILD).is_ok_and(|child| child == test) {
        return run();
    }
    let out = Command::new(env::current_exe().expect("a test knows its program"))
        .args(["--exact", test, "--nocapture"])
        .env_remove("TWILIO_AUTH_TOKEN")
        .env_remove("TWILIO_WEBHOOK_BASE_URL")
        .env_remove("TWILIO_VALIDATION")
        .env(CHILD, test)
        .envs(variables)
        .output()
        .expect("a test can be run");
    let said = String::from_utf8_lossy(&out.stdout);
    print!("{said}");
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{test} in a process of its own:\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

/// A documented case of `data/vectors.json`.
#[derive(Debug, Deserialize)]
pub struct Vector {
    /// The case's name, which assertions print.
    pub name: String,
    /// The Auth Token.
    pub token: String,
    /// The URL as the server sees it.
    pub url: String,
    /// The method.
    pub method: String,
    /// The `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// The raw body.
    pub body: Option<String>,
    /// The value of `X-Twilio-Signature`.
    pub signature: String,
    /// `accept` or `reject`.
    pub expected: String,
}

impl Vector {
    /// Returns whether the case is to be accepted.
    ///
    /// # Panics
    ///
    /// Panics if the file says neither.
    #[must_use]
    #[expect(clippy::panic, reason = "a wrong test file fails the test")]
    pub fn is_genuine(&self) -> bool {
        match self.expected.as_str() {
            "accept" => true,
            "reject" => false,
            other => panic!("{}: expected {other:?}", self.name),
        }
    }
}

/// Returns all documented cases.
///
/// # Panics
///
/// Panics if the file can't be read.
#[must_use]
#[expect(clippy::expect_used, reason = "a wrong test file fails the test")]
pub fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../data/vectors.json")).expect("the vectors are JSON")
}
