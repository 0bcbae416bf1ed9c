//! Writes a request as a command for curl, to be pasted into a POSIX shell.

use shlex::try_quote;

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
        let (option, pair) = if terminal::has_hidden(&value) {
            ("-d", params::encode(&[(name, value)]))
        } else {
            (
                "--data-urlencode",
                params::encode(&[(name, String::new())]) + &value,
            )
        };
        words.extend([option.to_owned(), pair]);
    }
    if let Some(path) = &args.body {
        words.extend(body(args, path, request)?);
    }
    if words.iter().any(|word| terminal::has_hidden(word)) {
        return Err(Failure::usage(
            "the request has invisible characters, which a command cannot show: pass the body as a file, and escape \
             them in the URL",
        ));
    }
    let quoted: Result<Vec<_>, _> = words.iter().map(|word| try_quote(word)).collect();
    Ok(quoted
        .map_err(|_| Failure::usage("--curl cannot write a NUL byte: pass the body as a file"))?
        .join(" "))
}

/// Returns the option for a body: the file, or the text itself if it was read from the standard input.
fn body(
    args: &RequestArgs,
    path: &std::path::Path,
    request: &Request,
) -> Result<[String; 2], Failure> {
    if !args.is_stdin() {
        let path = path
            .to_str()
            .ok_or_else(|| Failure::usage("--curl needs a file whose name is UTF-8 text"))?;
        return Ok(["--data-binary".to_owned(), format!("@{path}")]);
    }
    let text = str::from_utf8(&request.body).map_err(|_| {
        Failure::usage("--curl cannot write a body that is not UTF-8 text: pass it as a file")
    })?;
    Ok(["--data-raw".to_owned(), text.to_owned()])
}
