//! A captured request in one of its two formats: what `explain` reads.

use crate::input::{http_text::HttpText, json, request::Request};

/// Parses the text of an HTTP request, or a JSON object. A given `url` replaces that of the capture.
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

/// Returns the URL of a request that came over plain HTTP.
fn url_of(text: &HttpText<'_>) -> Result<String, &'static str> {
    if !text.target.starts_with('/') && text.target.contains("://") {
        return Ok(text.target.clone());
    }
    let host = text
        .header("Host")
        .ok_or("it has no Host header: give the URL with --url")?;
    let host = str::from_utf8(host).map_err(|_| "its Host is not text: give the URL with --url")?;
    Ok(["http://", host, &text.target].concat())
}
