//! Writes a request as a command for curl, to be pasted into a POSIX shell.

use twilio_signature::url::UrlParts;

use crate::{
    curl,
    input::{params, request::Request, request_args::RequestArgs},
    outcome::Failure,
    terminal,
};

/// Returns the command that sends a request with these headers. `args` are the options that the request was read
/// from.
///
/// # Errors
///
/// Returns an error if the request has something that no command line can have.
pub(crate) fn command(
    args: &RequestArgs,
    request: &Request,
    headers: &[(&str, String)],
) -> Result<String, Failure> {
    let mut words = vec!["curl".to_owned()];
    let has_data = !args.data.is_empty() || args.body.is_some();
    match &*request.method {
        "GET" if !has_data => {}
        "POST" if has_data => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.extend(["-X".to_owned(), method.to_owned()]),
    }
    words.extend(curl::url(&request.url).map_err(Failure::usage)?);
    let origin = UrlParts::of(&request.url);
    if !curl::keeps_host(&origin.host) {
        words.extend(curl::header("Host", &origin.host_and_port()));
    }
    for content_type in request.values("Content-Type").map(String::from_utf8_lossy) {
        if args.data.is_empty() || content_type != params::FORM {
            words.extend(curl::header("Content-Type", &content_type));
        }
    }
    for (name, value) in headers {
        words.extend(curl::header(name, value));
    }
    for (name, value) in params::parse(&args.data)? {
        // curl escapes what follows the first equals sign, and nothing before it.
        let (option, pair) = if terminal::can_be_pasted(&value) {
            (
                "--data-urlencode",
                params::encode(&[(name, String::new())]) + &value,
            )
        } else {
            ("-d", params::encode(&[(name, value)]))
        };
        words.extend([option.to_owned(), pair]);
    }
    let mut piped = String::new();
    match &args.body {
        Some(_) if args.is_stdin() => piped = curl::body(&mut words, &request.body),
        Some(path) => {
            let path = path
                .to_str()
                .ok_or_else(|| Failure::usage("--curl needs a file whose name is UTF-8 text"))?;
            words.extend(["--data-binary".to_owned(), format!("@{path}")]);
        }
        None => {}
    }
    let command = curl::joined(&words).map_err(Failure::usage)?;
    Ok(piped + &command)
}
