//! The documented cases of `data/vectors.json`.

use serde::Deserialize;

/// A documented case.
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
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        match self.expected.as_str() {
            "accept" => true,
            "reject" => false,
            other => panic!("{}: expected {other:?}", self.name),
        }
    }
}

/// Returns all documented cases.
#[must_use]
pub fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../data/vectors.json")).expect("the vectors are JSON")
}
