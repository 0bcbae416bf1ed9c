//! The documented cases of `vectors/v1.json`, which other implementations use too.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    SETTINGS, SIGNATURE,
    reference::{Keys, Request},
};

/// A documented case. `vectors/v1.schema.json` describes the fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The case's name, which assertions print.
    pub name: String,
    /// The rules that it is about, such as `R3`.
    pub rules: Vec<String>,
    /// What it shows: a sentence.
    pub why: String,
    /// The Auth Token, or the secret of the SharedKey.
    pub token: String,
    /// Further Auth Tokens.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// The id of the SharedKey whose secret is in `token`.
    pub shared_key_id: Option<String>,
    /// The method.
    pub method: String,
    /// The URL as the server sees it.
    pub url: String,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// The raw body.
    pub body: Option<String>,
    /// The value of `X-Twilio-Webhooks-Signature-Settings`, if there is one.
    pub settings_header: Option<String>,
    /// The value of `X-Twilio-Signature`, if there is one.
    pub signature: Option<String>,
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

    /// Returns the keys, some of which are none (R15).
    #[must_use]
    pub fn keys(&self) -> Keys {
        let mut keys = Keys {
            tokens: self.tokens.clone(),
            shared: Vec::new(),
        };
        match &self.shared_key_id {
            Some(id) => keys.shared.push((id.clone(), self.token.clone())),
            None => keys.tokens.push(self.token.clone()),
        }
        keys
    }

    /// Returns all headers.
    #[must_use]
    pub fn all_headers(&self) -> Vec<(&str, &str)> {
        let own = [
            ("Content-Type", &self.content_type),
            (SIGNATURE, &self.signature),
            (SETTINGS, &self.settings_header),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let more = self.headers.iter();
        own.chain(more.map(|(name, value)| (name.as_str(), value.as_str())))
            .collect()
    }

    /// Returns the request.
    #[must_use]
    pub fn request(&self) -> Request {
        let body = self.body.clone().unwrap_or_default();
        let mut req = Request::new(&self.method, &self.url, body);
        for (name, value) in self.all_headers() {
            let values = match name {
                "Content-Type" => &mut req.content_type,
                "Content-Encoding" => &mut req.content_encoding,
                SIGNATURE => &mut req.signature,
                SETTINGS => &mut req.settings,
                other => panic!("{}: header {other:?}", self.name),
            };
            values.push(value.into());
        }
        req
    }
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

/// Returns all documented cases.
#[must_use]
pub fn vectors() -> Vec<Vector> {
    let file = include_str!("../../vectors/v1.json");
    let file: Vectors = serde_json::from_str(file).expect("the vectors are JSON");
    assert!(file.vectors.len() >= 81, "{}", file.vectors.len());
    file.vectors
}
