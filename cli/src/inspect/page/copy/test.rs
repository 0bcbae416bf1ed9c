//! An exchange as a Rust test, with the crate's own test kit: the feature `testing`.

use actix_twilio::twiml::check_answer;
use twilio_signature::header::SIGNATURE;

use crate::{
    inspect::{
        exchange::{Exchange, Outcome},
        page::detail::origin_of,
        parameters::{self, Place},
    },
    terminal,
};

/// The test. It needs a function `configure` of the app, which adds its routes.
const TEMPLATE: &str = r#"#[actix_web::test]
async fn {NAME}() {
    use actix_twilio::testing::{Signer, TwilioTestRequest};
    use actix_web::{App, test};

    let signer = Signer::new("a token for tests");
    let config = signer.config("{BASE}");
    // `configure` adds the routes of your app, as its `main` does.
    let app = test::init_service(App::new().app_data(config).configure(configure)).await;

    let url = "{URL}";
{REQUEST}
    let answer = test::call_service(&app, request.to_request()).await;

    assert_eq!(answer.status(), {STATUS});
{ANSWER}}
"#;

/// Returns a test that sends the request, signed for the test, and expects the answer that came. A request that was not
/// genuine is forged, and must be refused.
pub(crate) fn test(exchange: &Exchange) -> Result<String, String> {
    let Outcome::Answered(answer) = &exchange.outcome else {
        return Err("the app gave no answer that a test could expect".to_owned());
    };
    let wire = &exchange.request.wire;
    if !wire.is_whole() {
        return Err("only the start of this request is kept, so no test can send it".to_owned());
    }
    let is_genuine = match &exchange.verdict {
        Some(verdict) => verdict.accepted,
        None => wire.values(SIGNATURE).next().is_some() && answer.status != 403,
    };
    // The route is found by the path as the app sees it.
    let url = origin_of(&exchange.url) + parameters::target(exchange)?;
    let base = origin_of(&url).replacen("ws", "http", usize::from(url.starts_with("ws")));
    let fields = [
        ("{NAME}", name(exchange, answer.status)),
        ("{BASE}", escaped(&base)),
        ("{URL}", escaped(&url)),
        ("{REQUEST}", request(exchange, is_genuine)?),
        ("{STATUS}", answer.status.to_string()),
        ("{ANSWER}", expected(exchange)),
    ];
    Ok(fill(TEMPLATE, &fields))
}

/// Replaces the fields of a template. What is filled in is not looked at again.
fn fill(template: &str, fields: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((at, name, value)) = fields
        .iter()
        .filter_map(|(name, value)| Some((rest.find(name)?, name, value)))
        .min_by_key(|(at, ..)| *at)
    {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        text.push_str(value);
        rest = after.get(name.len()..).unwrap_or_default();
    }
    text + rest
}

fn name(exchange: &Exchange, status: u16) -> String {
    let kind: String = exchange
        .kind
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .take(40)
        .collect();
    let kind = kind.trim_matches('_');
    let kind = if kind.starts_with(|c: char| c.is_ascii_alphabetic()) {
        kind
    } else {
        "request"
    };
    format!("{kind}_is_answered_with_{status}")
}

/// Returns the lines that make the request.
fn request(exchange: &Exchange, is_genuine: bool) -> Result<String, String> {
    let signer = if is_genuine {
        "&signer"
    } else {
        "&signer.forged()"
    };
    let body = exchange.request.wire.body();
    let is_websocket = exchange
        .request
        .wire
        .values("Upgrade")
        .any(|value| value.eq_ignore_ascii_case(b"websocket"));
    let method = &*exchange.request.method;
    let made = |call: String| format!("    let request = test::TestRequest::default().{call};");
    match method {
        "GET" if is_websocket => Ok(made(format!("twilio_websocket({signer}, url)"))),
        "GET" => Ok(made(format!("twilio_get({signer}, url)"))),
        "POST" if parameters::is_form(exchange) && is_plain_form(&body) => {
            let pairs = parameters::of(exchange)
                .into_iter()
                .filter(|parameter| parameter.place == Place::Body);
            let pairs = pairs.map(|pair| {
                format!(
                    "        (\"{}\", \"{}\"),\n",
                    escaped(&pair.name),
                    escaped(&pair.value)
                )
            });
            let pairs: String = pairs.collect();
            Ok(format!(
                "    let parameters: &[(&str, &str)] = &[\n{pairs}    ];\n{}",
                made(format!("twilio_form({signer}, url, parameters)"))
            ))
        }
        "POST" => {
            let content_type = parameters::content_type(exchange)
                .ok_or("the request has no content type, and Twilio always sends one")?;
            let body = match str::from_utf8(&body) {
                Ok(text) => format!("\"{}\"", escaped(text)),
                Err(_) => format!("&b\"{}\"[..]", body.escape_ascii()),
            };
            Ok(format!(
                "    let body = {body};\n{}",
                made(format!(
                    "twilio_body({signer}, url, \"{}\", body)",
                    escaped(&content_type)
                ))
            ))
        }
        method => Err(format!(
            "the test kit makes GET and POST requests, as Twilio does, and this one is a {method}"
        )),
    }
}

/// Returns whether the pairs of a form are all that is in it.
fn is_plain_form(body: &[u8]) -> bool {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    !pairs.is_empty()
        && pairs
            .iter()
            .all(|(name, value)| !name.contains('\u{fffd}') && !value.contains('\u{fffd}'))
}

/// Returns the lines that compare the body of the answer, if it is `TwiML`.
fn expected(exchange: &Exchange) -> String {
    let Outcome::Answered(answer) = &exchange.outcome else {
        return String::new();
    };
    let body = answer.wire.body();
    let content_type = answer.wire.values("Content-Type").next();
    let content_type = content_type.and_then(|value| str::from_utf8(value).ok());
    let is_twiml = answer.wire.is_whole() && check_answer(content_type, &body).is_empty();
    match str::from_utf8(&body) {
        Ok(text) if is_twiml => format!(
            "    // What the TwiML says is compared, not how it is written.\n    \
             let expected = actix_twilio::testing::read_twiml(\n        \"{}\",\n    );\n    \
             assert_eq!(actix_twilio::testing::read_twiml(test::read_body(answer).await), expected);\n",
            escaped(text)
        ),
        _ => String::new(),
    }
}

/// Returns text as it is written in a string of Rust. What a reader could not see is escaped, invisible letters too.
fn escaped(text: &str) -> String {
    let quoted = format!("{text:?}");
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut escaped = String::with_capacity(inner.len());
    for c in inner.chars() {
        if terminal::is_hidden(c) {
            escaped.extend(c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_nobody_can_see_are_escapes_in_a_string() {
        let cases = [
            ("\u{3164}", "\\u{3164}"),
            ("a\u{115f}b\u{1160}", "a\\u{115f}b\\u{1160}"),
            (
                "\u{ffa0}\u{2800}\u{ad}\u{34f}",
                "\\u{ffa0}\\u{2800}\\u{ad}\\u{34f}",
            ),
            (
                "\u{200b}\u{200d}\u{fe0f}\u{e0041}",
                "\\u{200b}\\u{200d}\\u{fe0f}\\u{e0041}",
            ),
            (
                "\u{202e}\u{7f}\u{9b}\0\r\n\t",
                "\\u{202e}\\u{7f}\\u{9b}\\0\\r\\n\\t",
            ),
            ("it's \"\\", "it's \\\"\\\\"),
            ("\u{e9} \u{1f4de}", "\u{e9} \u{1f4de}"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected);
        }
    }
}
