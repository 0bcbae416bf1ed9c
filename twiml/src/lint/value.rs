//! Whether a value is one that Twilio takes.

use super::names::nearest;
use crate::values::Kind;

/// Returns what to write instead of a value, or `None` if Twilio takes it.
pub(super) fn advice(kind: Kind, value: &str) -> Option<String> {
    if is_taken(kind, value) {
        return None;
    }
    let advice = match nearest(value, choices(kind)) {
        Some(choice) => format!("write {choice:?}"),
        None => format!("write {}", description(kind)),
    };
    Some(advice)
}

fn is_taken(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Text => true,
        Kind::Url(schemes) => is_url(value.trim(), schemes),
        Kind::Flag => matches!(value, "true" | "false"),
        Kind::Number(min, max) => {
            number(value).is_some_and(|number| (min.into()..=max.into()).contains(&number))
        }
        Kind::Time => {
            let digits = value.strip_suffix("ms").or(value.strip_suffix('s'));
            digits.is_some_and(|digits| number(digits).is_some())
        }
        Kind::Choice(choices) => choices.contains(&value),
        Kind::List(kind) => {
            let mut values = value.split_ascii_whitespace().peekable();
            values.peek().is_some() && values.all(|value| is_taken(*kind, value))
        }
        Kind::Characters(set, may_be_empty) => {
            (may_be_empty || !value.is_empty()) && value.chars().all(|key| set.contains(key))
        }
        Kind::Language => is_language(value),
        Kind::Either(one, other) => is_taken(*one, value) || is_taken(*other, value),
    }
}

/// Returns a number without a sign.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Whether a URL is relative or empty, or has one of these schemes and a host.
fn is_url(url: &str, schemes: &[&str]) -> bool {
    if url.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return false;
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return true;
    };
    if scheme.contains(['/', '?', '#']) {
        return true;
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && schemes
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme))
}

/// Whether a text has the form of a BCP 47 tag.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let is_part = |part: &str, min| {
        (min..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    is_part(language, 2) && parts.all(|part| is_part(part, 1))
}

fn choices(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Choice(choices) => choices,
        Kind::Flag => &["true", "false"],
        Kind::List(kind) => choices(*kind),
        _ => &[],
    }
}

/// Describes the values of a kind, for after "write".
fn description(kind: Kind) -> String {
    match kind {
        Kind::Text => "any text".to_owned(),
        Kind::Url(schemes) => format!(
            "a URL that starts with {}://, or a relative one, without blanks",
            schemes.join(":// or ")
        ),
        Kind::Flag => "\"true\" or \"false\"".to_owned(),
        Kind::Number(min, u32::MAX) => format!("a whole number from {min} on"),
        Kind::Number(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Time => "a time with its unit, such as \"500ms\" or \"2s\"".to_owned(),
        Kind::Choice(choices) => format!("one of: {}", choices.join(", ")),
        Kind::List(kind) => format!("values separated by blanks, each {}", description(*kind)),
        Kind::Characters(set, _) => format!("characters of \"{set}\" only"),
        Kind::Language => "a language such as \"en-GB\"".to_owned(),
        Kind::Either(one, other) => format!("{}, or {}", description(*one), description(*other)),
    }
}
