//! An exchange as a capture that `twilio-webhook explain` reads.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    inspect::{exchange::Exchange, page::detail, parameters},
    terminal,
};

/// Returns the text of the request, or a JSON object if there are bytes in it that text does not show.
pub(crate) fn capture(exchange: &Exchange) -> Result<String, String> {
    let wire = &exchange.request.wire;
    if exchange.request.method.is_empty() {
        return Err("what came is not an HTTP request".to_owned());
    }
    let head = detail::head(wire);
    let body = str::from_utf8(&wire.raw_body).ok();
    match body {
        Some(body)
            if !wire.chunked && !terminal::has_hidden(body) && !terminal::has_hidden(&head) =>
        {
            Ok(format!("{head}\n\n{body}"))
        }
        _ => object(exchange).map_err(|err| err.to_string()),
    }
}

fn object(exchange: &Exchange) -> serde_json::Result<String> {
    let wire = &exchange.request.wire;
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in wire
        .headers
        .iter()
        .filter(|(name, _)| !detail::is_secret(name))
    {
        // A body without its chunks has another length.
        if name.eq_ignore_ascii_case("Transfer-Encoding") {
            continue;
        }
        let values = headers.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(String::from_utf8_lossy(value).into());
        }
    }
    let host = wire.values("Host").next().unwrap_or_default();
    let is_websocket = wire
        .values("Upgrade")
        .any(|value| value.eq_ignore_ascii_case(b"websocket"));
    let scheme = twilio_signature::url::scheme(false, is_websocket);
    terminal::pretty_json(&json!({
        "method": exchange.request.method,
        "url": format!("{scheme}://{}{}", String::from_utf8_lossy(host), parameters::shown_target(exchange)),
        "headers": headers,
        "body_b64": BASE64_STANDARD.encode(wire.body()),
    }))
}
