//! The options of `sign` and `verify` that describe a request.

use std::path::PathBuf;

use twilio_signature::url::UrlParts;

use crate::{
    input::{
        params::{self, FORM},
        request::Request,
        source,
    },
    outcome::Failure,
};

/// The parts of a request to sign or verify.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The whole URL, exactly as Twilio requests it.
    url: String,
    /// Adds a form parameter to the body. Can be repeated.
    ///
    /// The value is the text itself, not escaped: write From=+14158675310. To curl's -d, a + is a space.
    #[arg(
        short = 'd',
        long = "data",
        value_name = "NAME=VALUE",
        conflicts_with = "body"
    )]
    pub(crate) data: Vec<String>,
    /// Reads the body, up to 2 MiB, from a file, or from the standard input if FILE is -.
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The content type of the body [default: application/x-www-form-urlencoded with -d, application/json
    /// with --body]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The method [default: POST with a body, otherwise GET]
    #[arg(long)]
    method: Option<String>,
}

impl RequestArgs {
    /// Reads the request that the options describe, without a signature.
    pub(crate) fn read(&self) -> Result<Request, Failure> {
        if UrlParts::of(&self.url).scheme.is_empty() {
            return Err(Failure::usage(
                "the URL has no scheme: write the whole URL, such as https://example.com/message",
            ));
        }
        let (content_type, body) = match &self.body {
            Some(path) => (
                Some("application/json"),
                source::read_up_to(path, source::CAPTURE_LIMIT)?,
            ),
            None if self.data.is_empty() => (None, Vec::new()),
            None => (
                Some(FORM),
                params::encode(&params::parse(&self.data)?).into_bytes(),
            ),
        };
        let has_body = content_type.is_some();
        let method = match &self.method {
            Some(method) => method.to_ascii_uppercase(),
            None if has_body => "POST".to_owned(),
            None => "GET".to_owned(),
        };
        if !self.data.is_empty() && matches!(method.as_str(), "GET" | "HEAD") {
            return Err(Failure::usage(format_args!(
                "-d puts parameters into the body, and a {method} request has no body: put them into the URL"
            )));
        }
        let content_type = self
            .content_type
            .clone()
            .or(content_type.map(str::to_owned));
        let mut request = Request {
            method,
            url: self.url.clone(),
            body,
            ..Request::default()
        };
        request.add_header("Content-Type", content_type);
        Ok(request)
    }

    /// Returns whether the body is read from the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.body.as_deref().is_some_and(source::is_stdin)
    }
}
