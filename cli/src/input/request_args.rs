//! The options that describe a request to sign or to verify.

use std::path::PathBuf;

use crate::{
    input::{
        params::{self, FORM},
        request::Request,
        source,
    },
    outcome::Failure,
};

/// What a request to be signed or verified consists of.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The whole URL as Twilio requests it.
    url: String,
    /// A parameter of the form in the body. May be repeated.
    #[arg(
        short = 'd',
        long = "data",
        value_name = "NAME=VALUE",
        conflicts_with = "body"
    )]
    data: Vec<String>,
    /// The body, from a file or from the standard input for `-`.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The content type of the body [default: a form's with -d, application/json with --body]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The method [default: POST with a body, else GET]
    #[arg(long)]
    method: Option<String>,
}

impl RequestArgs {
    /// Reads the request that the options describe; it has no signature.
    pub(crate) fn read(&self) -> Result<Request, Failure> {
        if !self.url.contains("://") {
            return Err(Failure::usage(
                "the URL has no scheme: write https://example.com/message, say",
            ));
        }
        let (content_type, body) = match &self.body {
            Some(path) => (Some("application/json"), source::read(path)?),
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
                "a {method} has no parameters in its body: write them into the URL"
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

    /// Returns whether the body comes from the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.body.as_deref().is_some_and(source::is_stdin)
    }
}
