//! Why a request is refused, with what only the tool looks at.

use std::iter;

use serde::Serialize;
use twilio_signature::{
    RequestValidator,
    explain::{Cause, Explanation},
};

use crate::{
    input::request::Request,
    inspect::settings::{self, Setting},
    terminal,
};

/// The most proposals that are shown: others protect less, or change more.
const MAX_PROPOSALS: usize = 3;

/// The result, with the fields of the JSON in this order.
#[derive(Serialize)]
pub(crate) struct Findings {
    pub(crate) valid: bool,
    pub(crate) valid_if: Vec<Setting>,
    pub(crate) causes: Vec<&'static str>,
    pub(crate) matched_url: Option<String>,
    pub(crate) advice: String,
    pub(crate) warnings: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gave_up: bool,
    #[serde(skip)]
    pub(crate) descriptions: Vec<&'static str>,
    /// The changes of which each one makes the request pass, if there are several; otherwise the advice.
    #[serde(skip)]
    pub(crate) proposals: Vec<String>,
}

impl Findings {
    /// Adds to an explanation what only the tool looks at. Any of the texts may have a URL with a password.
    pub(crate) fn of(
        explanation: Explanation,
        capture: &Request,
        validator: &RequestValidator,
        public_url: Option<&str>,
    ) -> Self {
        let mut findings = Self::with_passwords(explanation, capture, validator, public_url);
        let texts = iter::once(&mut findings.advice)
            .chain(&mut findings.matched_url)
            .chain(&mut findings.warnings)
            .chain(&mut findings.proposals);
        for text in texts {
            *text = terminal::without_passwords(text);
        }
        findings
    }

    fn with_passwords(
        explanation: Explanation,
        capture: &Request,
        validator: &RequestValidator,
        public_url: Option<&str>,
    ) -> Self {
        let causes = explanation.causes.iter();
        // Then no URL was compared with anything.
        let is_unsigned = explanation.causes.iter().any(|cause| {
            matches!(
                cause,
                Cause::SignatureMissing | Cause::SignatureMalformed | Cause::OtherProduct
            )
        });
        let mut findings = Self {
            valid: explanation.valid,
            valid_if: Vec::new(),
            causes: causes.clone().map(|cause| cause.as_str()).collect(),
            descriptions: causes.map(|cause| cause.description()).collect(),
            // Twilio sends the user name and the password in a header that is not shown either.
            matched_url: explanation.matched_url,
            advice: explanation.advice,
            warnings: capture.warnings.clone(),
            gave_up: explanation.gave_up,
            proposals: match &*explanation.proposals {
                [] | [_] => Vec::new(),
                several => {
                    let several = several.iter().take(MAX_PROPOSALS);
                    several.map(ToString::to_string).collect()
                }
            },
        };
        if public_url.is_none() {
            let refused = settings::default_app(capture, validator, findings.valid);
            findings.warnings.extend(refused);
        }
        findings.warnings.extend(settings::several_hosts(capture));
        if findings.valid {
            return findings;
        }
        let (valid_if, gave_up) = settings::that_accept(capture, validator, public_url);
        findings.valid_if = valid_if;
        if gave_up && findings.valid_if.is_empty() {
            findings.gave_up = true;
            let warning =
                "not all settings were tried, because the request is larger than any of Twilio's";
            findings.warnings.push(warning.to_owned());
        }
        if findings.matched_url.is_none() && capture.incomplete {
            "complete the capture and explain it again: without its whole body, nothing is certain"
                .clone_into(&mut findings.advice);
        }
        if findings.matched_url.is_none() && !is_unsigned {
            let hint = settings::private_host(capture, public_url);
            findings.warnings.extend(hint);
        }
        if findings.proposals.is_empty() {
            findings.proposals.push(findings.advice.clone());
        }
        findings
    }
}
