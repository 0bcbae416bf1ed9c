//! What the parameters of webhooks mean, in a sentence each.
//!
//! The sentences are those of the library's types. A test writes them into `meanings.tsv`.

use std::collections::BTreeMap;

/// A line `# Type` starts the parameters of a type. The others have a name, a tab and a sentence.
const MEANINGS: &str = include_str!("meanings.tsv");

/// The parameters that no type has a field for.
const OTHERS: &[(&str, &str)] = &[
    ("ApiVersion", "The version of Twilio's API."),
    ("SmsSid", "The message, under its old name."),
    ("SmsMessageSid", "The message, under its old name."),
    ("SmsStatus", "The message's status, under its old name."),
    ("Caller", "The caller, under its old name."),
    (
        "CallerCity",
        "The caller's city, as far as it follows from the number.",
    ),
    ("CallerState", "The caller's state or province."),
    ("CallerZip", "The caller's postal code."),
    ("CallerCountry", "The caller's country, in two letters."),
    (
        "Called",
        "The number or address that was called, under its old name.",
    ),
    ("CalledCity", "The called number's city."),
    ("CalledState", "The called number's state or province."),
    ("CalledZip", "The called number's postal code."),
    (
        "CalledCountry",
        "The called number's country, in two letters.",
    ),
    (
        "MediaUrl",
        "Where a picture or another medium of the message can be fetched.",
    ),
    (
        "MediaContentType",
        "The content type of the medium with the same number.",
    ),
    ("msg", "Why the gathering ended."),
    (
        "bodySHA256",
        "The hash of the body, which is signed with the URL.",
    ),
    (
        "ReferralNumMedia",
        "The number of media in the advertisement that led here.",
    ),
    (
        "RawDlrDoneDate",
        "When the carrier reported the delivery: YYMMDDhhmm.",
    ),
    ("FlowSid", "The Studio flow, FW and 32 hex digits."),
    (
        "ExecutionSid",
        "The execution of the Studio flow, FN and 32 hex digits.",
    ),
];

/// The meanings for one request.
pub(super) struct Meanings {
    fields: BTreeMap<&'static str, &'static str>,
}

impl Meanings {
    /// Takes the type that has fields for most of these names, then the types after it.
    pub(super) fn of(names: &[&str]) -> Self {
        let mut types: Vec<Vec<(&str, &str)>> = Vec::new();
        for line in MEANINGS.lines() {
            match (line.split_once('\t'), types.last_mut()) {
                (Some(field), Some(fields)) => fields.push(field),
                _ => types.push(Vec::new()),
            }
        }
        let known = |fields: &Vec<(&str, &str)>| {
            names
                .iter()
                .filter(|name| fields.iter().any(|(field, _)| field == *name))
                .count()
        };
        types.sort_by_cached_key(|fields| std::cmp::Reverse(known(fields)));
        let mut fields = BTreeMap::new();
        for (name, meaning) in types.into_iter().flatten().chain(OTHERS.iter().copied()) {
            fields.entry(name).or_insert(meaning);
        }
        Self { fields }
    }

    /// Returns what a parameter means. A name that ends with a number is that of a list.
    pub(super) fn get(&self, name: &str) -> Option<&'static str> {
        let list = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let prefix = name.split_inclusive('_').next().unwrap_or_default();
        [name, list, prefix]
            .iter()
            .find_map(|name| self.fields.get(name))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::endpoint::events::Event;

    #[test]
    fn every_parameter_of_every_event_has_a_meaning() {
        for event in Event::value_variants() {
            let params = event.params();
            let names: Vec<_> = params.iter().map(|(name, _)| *name).collect();
            let meanings = Meanings::of(&names);
            for (name, _) in &params {
                assert!(meanings.get(name).is_some(), "{event:?}: {name}");
            }
        }
    }

    #[test]
    fn the_meaning_is_that_of_the_webhook() {
        let from = |names: &[&str]| Meanings::of(names).get("From").unwrap();
        assert!(from(&["MessageSid", "Body", "From", "NumMedia"]).contains("sender"));
        assert!(from(&["CallSid", "CallStatus", "From", "CallerName"]).contains("caller"));
        assert_eq!(Meanings::of(&["a"]).get("NoSuchName"), None);
    }
}
