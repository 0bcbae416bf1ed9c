//! The requests that are measured, each beside the limit that no implementation can go below.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking, and it is no test to clippy"
)]

use std::{collections::BTreeSet, hint::black_box};

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use twilio_signature::{AuthToken, RequestValidator, WebhookRequest};

/// The requests, and the key of all of them.
pub(crate) struct Cases {
    token: String,
    validator: RequestValidator,
    list: Vec<Case>,
}

impl Cases {
    pub(crate) fn load() -> Self {
        #[derive(Deserialize)]
        struct File {
            token: String,
            cases: Vec<Case>,
        }

        let File { token, mut cases } = serde_json::from_str(include_str!("cases.json")).unwrap();
        let validator = RequestValidator::new([AuthToken::new(&token).unwrap()]).unwrap();
        let sms = cases.first().unwrap();
        let longer: Vec<_> = [2, 4, 8, 16, 32]
            .map(|times| scaled(sms, &validator, times))
            .into();
        cases.extend(longer);
        Self {
            token,
            validator,
            list: cases,
        }
    }

    pub(crate) fn benches(&self) -> impl Iterator<Item = Bench<'_>> {
        self.list
            .iter()
            .map(|case| Bench::new(case, &self.validator, &self.token))
    }
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    url: String,
    content_type: String,
    signature: String,
    genuine: bool,
    pub(crate) body: String,
}

impl Case {
    fn is_form(&self) -> bool {
        self.content_type == "application/x-www-form-urlencoded"
    }

    fn request(&self) -> WebhookRequest<'_> {
        WebhookRequest::new("POST", &self.url)
            .content_type(&self.content_type)
            .body(&self.body)
            .signature(&self.signature)
    }

    /// Returns the text that is signed: the rules as they are told.
    fn signed_text(&self) -> Vec<u8> {
        let mut text = self.url.clone().into_bytes();
        let decode = |raw: &str| -> Vec<u8> {
            let raw = raw.replace('+', " ");
            let mut parts = raw.split('%');
            let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
            for part in parts {
                let (hex, rest) = part.split_at(2);
                decoded.push(u8::from_str_radix(hex, 16).unwrap());
                decoded.extend(rest.bytes());
            }
            decoded
        };
        if self.is_form() {
            let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
            let pairs: BTreeSet<_> = pairs.map(|(a, b)| (decode(a), decode(b))).collect();
            text.extend(
                pairs
                    .into_iter()
                    .flat_map(|(name, value)| [name, value].concat()),
            );
        }
        text
    }
}

/// What is measured of a case.
pub(crate) struct Bench<'c> {
    pub(crate) case: &'c Case,
    validator: &'c RequestValidator,
    key: Hmac<Sha1>,
    text: Vec<u8>,
    /// The URL as it is and the one with the default port.
    texts_to_try: usize,
}

impl<'c> Bench<'c> {
    fn new(case: &'c Case, validator: &'c RequestValidator, token: &str) -> Self {
        let verdict = validator.validate(&case.request());
        assert_eq!(verdict.is_ok(), case.genuine, "{}", case.name);
        Self {
            case,
            validator,
            key: Hmac::new_from_slice(token.as_bytes()).unwrap(),
            text: case.signed_text(),
            texts_to_try: if case.genuine { 1 } else { 2 },
        }
    }

    /// Does what can't be left out.
    pub(crate) fn limit(&self) {
        if !self.case.is_form() {
            black_box(Sha256::digest(black_box(&self.case.body)));
            return;
        }
        for _ in 0..self.texts_to_try {
            let mut mac = self.key.clone();
            mac.update(black_box(&self.text));
            black_box(mac.finalize().into_bytes());
        }
    }

    /// Validates from the raw body.
    pub(crate) fn validate(&self) {
        let verdict = self.validator.validate(black_box(&self.case.request()));
        drop(black_box(verdict));
    }
}

/// Returns a case with its body written this many times, each with names of its own.
fn scaled(case: &Case, validator: &RequestValidator, times: usize) -> Case {
    let body = (0..times).map(|copy| match copy {
        0 => case.body.clone(),
        _ => format!("Z{copy}{}", case.body.replace('&', &format!("&Z{copy}"))),
    });
    let mut scaled = Case {
        name: format!("SMS, {times} times as long"),
        url: case.url.clone(),
        content_type: case.content_type.clone(),
        signature: String::new(),
        genuine: true,
        body: body.collect::<Vec<_>>().join("&"),
    };
    scaled.signature = validator.sign(&scaled.request()).unwrap();
    scaled
}
