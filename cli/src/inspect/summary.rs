//! Sums up what the parameters of a request say, for the list of the page.

use crate::inspect::{
    exchange::{Exchange, Summary},
    parameters::{self, Parameter},
};

/// The most characters of a request that a search looks at.
const SEARCHED: usize = 2000;

/// The most characters of any other text of a request in its row. A page that connects gets 1,000 rows, in which a
/// forger may have written 64 KiB each. A request as a whole is in its details.
const LONGEST: usize = 200;

/// Reads the parameters of a request.
pub(crate) fn of(exchange: &Exchange) -> Summary {
    let parameters = parameters::of(exchange);
    let first = |names: &[&str]| parameters::first(&parameters, names).map(cut);
    let values = parameters.iter().map(|parameter| &*parameter.value);
    Summary {
        call: first(&["CallSid"]),
        message: first(&["MessageSid", "SmsSid"]),
        text: text(&parameters),
        values: searched(values),
    }
}

/// Returns who sent what, such as `+14158675310: Hello`.
fn text(parameters: &[Parameter]) -> String {
    const SAID: [&str; 6] = [
        "Body",
        "SpeechResult",
        "Digits",
        "DialCallStatus",
        "RecordingStatus",
        "CallStatus",
    ];
    let parts = [
        parameters::first(parameters, &["From"]),
        parameters::first(parameters, &SAID),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    cut(&text)
}

/// Returns the start of a text.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Joins the start of some texts, in lower case, for a search.
pub(crate) fn searched<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut find = String::new();
    for text in texts {
        find.extend(
            text.chars()
                .take(SEARCHED - find.len().min(SEARCHED))
                .flat_map(char::to_lowercase),
        );
        find.push(' ');
        if find.len() >= SEARCHED {
            break;
        }
    }
    find
}
