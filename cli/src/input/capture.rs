//! Reads the captures that `explain` takes: the text of an HTTP request or a JSON object.

use crate::input::{http_text::HttpText, json, request::Request};

/// Parses a capture. A given `url` replaces the one in the capture.
pub(crate) fn parse(bytes: &[u8], url: Option<&str>) -> Result<Request, String> {
    if json::is_object(bytes) {
        let (mut request, mut headers) = json::parse(bytes)?;
        request.headers.append(&mut headers);
        if let Some(url) = url {
            url.clone_into(&mut request.url);
        }
        return Ok(request);
    }
    let text = HttpText::parse(bytes)?;
    let url = match url {
        Some(url) => url.to_owned(),
        None => url_of(&text)?,
    };
    let headers = text
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.to_vec()));
    Ok(Request {
        method: text.method,
        url,
        headers: headers.collect(),
        body: text.body,
        missing: text.missing,
        ..Request::default()
    })
}

/// Returns the URL as the app sees it without any configuration: plain HTTP and the `Host` header.
fn url_of(text: &HttpText<'_>) -> Result<String, &'static str> {
    if !text.target.starts_with('/') && text.target.contains("://") {
        return Ok(text.target.clone());
    }
    let host = text
        .header("Host")
        .ok_or("there is no Host header: pass the URL with --url")?;
    let host = str::from_utf8(host)
        .map_err(|_| "the Host header is not UTF-8 text: pass the URL with --url")?;
    Ok(["http://", host, &text.target].concat())
}
