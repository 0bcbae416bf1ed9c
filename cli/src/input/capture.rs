//! Reads the captures that `explain` takes: the text of an HTTP request or a JSON object.

use twilio_signature::{header, url::scheme};

use crate::input::{http_text::HttpText, json, request::Request, source};

/// Parses a capture. A given `url` replaces the one in the capture.
pub(crate) fn parse(bytes: &[u8], url: Option<&str>) -> Result<Request, String> {
    let bytes = source::without_mark(bytes);
    if json::is_object(bytes) {
        let mut request = json::parse(bytes)?;
        if let Some(url) = url {
            url.clone_into(&mut request.url);
        }
        return Ok(request);
    }
    let text = HttpText::parse(bytes)?;
    let headers = text
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.to_vec()));
    let mut request = Request {
        method: text.method,
        headers: headers.collect(),
        body: text.body,
        ..Request::default()
    };
    request.url = match url {
        Some(url) => url.to_owned(),
        None => url_of(&request, &text.target)?,
    };
    if text.ends_in_head {
        warn_of_cut_head(&mut request);
    } else {
        request.check_length();
    }
    if text.ends_in_chunks {
        request.incomplete = true;
        let warning = "the capture ends before the last chunk of the body, so it is cut off: capture the whole request";
        request.warnings.push(warning.to_owned());
    }
    Ok(request)
}

/// Warns of a capture without the empty line after the headers. One that is pasted may lack it without lacking anything
/// else, if the request has no body.
fn warn_of_cut_head(request: &mut Request) {
    let lengths = request.values("Content-Length");
    let announces_body = lengths.into_iter().any(|length| length != b"0")
        || request.values("Transfer-Encoding").next().is_some();
    let is_signed = request.values(header::SIGNATURE).next().is_some();
    request.incomplete = announces_body || request.method == "POST";
    let warning = if !is_signed {
        "the capture has neither X-Twilio-Signature nor the empty line after the headers, so it may be cut off: capture \
         the whole request"
    } else if request.incomplete {
        "the capture has no empty line after the headers and no body, so it may be cut off: capture the whole request"
    } else {
        return;
    };
    request.warnings.push(warning.to_owned());
}

/// Returns the URL as the app sees it without any configuration: plain HTTP and the `Host` header.
pub(crate) fn url_of(request: &Request, target: &str) -> Result<String, &'static str> {
    if !target.starts_with('/') && target.contains("://") {
        return Ok(target.to_owned());
    }
    let host = request
        .values("Host")
        .next()
        .ok_or("there is no Host header: pass the URL with --url")?;
    let host = str::from_utf8(host)
        .map_err(|_| "the Host header is not UTF-8 text: pass the URL with --url")?;
    let scheme = scheme(false, request.is_websocket_handshake());
    Ok([scheme, "://", host, target].concat())
}
