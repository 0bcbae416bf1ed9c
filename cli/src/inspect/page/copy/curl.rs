//! An exchange as a command for curl, to be pasted into a POSIX shell.

use twilio_signature::{
    RequestValidator, WebhookRequest,
    header::{SIGNATURE, SIGNATURE_SETTINGS},
    url::UrlParts,
};

use crate::{
    curl,
    inspect::{exchange::Exchange, page::detail, parameters},
};

/// The headers that curl writes itself, or that have nothing to do with the verdict.
const LEFT_OUT: [&str; 8] = [
    "Accept",
    "Accept-Encoding",
    "Content-Length",
    "Expect",
    "Transfer-Encoding",
    "User-Agent",
    SIGNATURE,
    SIGNATURE_SETTINGS,
];

/// Returns the command that sends a request to the app, signed again if there is a token. The token is not in it.
pub(crate) fn curl(
    exchange: &Exchange,
    forward_to: &str,
    keys: Option<&RequestValidator>,
) -> Result<String, String> {
    let wire = &exchange.request.wire;
    if !wire.is_whole() {
        return Err("only the start of this request is kept, so it can't be sent again".to_owned());
    }
    let body = wire.body();
    let url = forward_to.trim_end_matches('/').to_owned() + parameters::target(exchange)?;
    let mut words = vec!["curl".to_owned(), "--include".to_owned()];
    match &*exchange.request.method {
        "GET" if body.is_empty() => {}
        "HEAD" => words.push("--head".to_owned()),
        "POST" if !body.is_empty() => {}
        method => words.extend(["-X".to_owned(), method.to_owned()]),
    }
    let own = UrlParts::of(&url);
    let own_host = curl::keeps_host(&own.host).then(|| own.host_and_port());
    words.extend(curl::url(&url)?);
    for (name, value) in &wire.headers {
        let value =
            str::from_utf8(value).map_err(|_| format!("the value of {name} is not text"))?;
        let is_left_out =
            LEFT_OUT.iter().any(|own| own.eq_ignore_ascii_case(name)) || detail::is_secret(name);
        let is_own_host = name.eq_ignore_ascii_case("Host") && own_host.as_deref() == Some(value);
        if !is_left_out && !is_own_host {
            words.extend(curl::header(name, value));
        }
    }
    if parameters::content_type(exchange).is_none() && !body.is_empty() {
        // curl would add one.
        words.extend(["-H".to_owned(), "Content-Type:".to_owned()]);
    }
    let signature = signature(exchange, keys, &body)?;
    words.extend(curl::header(SIGNATURE, &signature));
    let piped = curl::body(&mut words, &body);
    let command = curl::joined(&words)?;
    Ok(piped + &command)
}

/// Signs the request as Twilio would, or returns the signature that it came with.
fn signature(
    exchange: &Exchange,
    keys: Option<&RequestValidator>,
    body: &[u8],
) -> Result<String, String> {
    let Some(keys) = keys else {
        let came = exchange.request.wire.values(SIGNATURE).next();
        let came =
            came.ok_or("the request has no signature, and the tool has no token to sign it with")?;
        return Ok(String::from_utf8_lossy(came).into_owned());
    };
    let content_type = parameters::content_type(exchange);
    let mut webhook = WebhookRequest::new(&exchange.request.method, &exchange.url).body(body);
    if let Some(content_type) = &content_type {
        webhook = webhook.content_type(content_type);
    }
    keys.sign(&webhook)
        .map_err(|err| format!("this request can't be signed: {err}"))
}
