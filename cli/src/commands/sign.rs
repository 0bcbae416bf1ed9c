//! `sign`: the signature of a request.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use actix_twilio::{ValidationErrorKind, WebhookRequest, body_sha256};

use crate::{
    endpoint::SIGNATURE,
    input::{
        params::{self, FORM},
        source,
        token::KeyArgs,
    },
    outcome::Failure,
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook sign https://example.com/message -d From=+14158675310 -d Body=Hi
  curl https://example.com/message -d Body=Hi \\
    -H \"$(twilio-webhook sign https://example.com/message -d Body=Hi --header)\"
  twilio-webhook sign 'https://example.com/status?CallStatus=busy' --method GET
  twilio-webhook sign https://example.com/events --body event.json --add-hash

Of a body that is no form only the hash is signed, as bodySHA256 in the URL. With --add-hash the first \
line of the output is the URL with the hash, which the request must go to; the signature follows.";

/// What a request to be signed or verified consists of.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The whole URL as Twilio requests it.
    pub(crate) url: String,
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
    pub(crate) body: Option<PathBuf>,
    /// The content type of the body [default: a form's with -d, application/json with --body]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The method [default: POST with a body, else GET]
    #[arg(long)]
    method: Option<String>,
}

/// A request, read.
pub(crate) struct Parts {
    pub(crate) method: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl RequestArgs {
    pub(crate) fn read(&self) -> Result<Parts, Failure> {
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
        Ok(Parts {
            method,
            content_type: self
                .content_type
                .clone()
                .or(content_type.map(str::to_owned)),
            body,
        })
    }

    /// Returns whether the body takes up the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.body.as_deref().is_some_and(source::is_stdin)
    }
}

/// Prints the signature of a request.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Appends the body's hash to the URL, and prints that URL first.
    #[arg(long, requires = "body")]
    add_hash: bool,
    /// Prints whole header lines.
    #[arg(long)]
    header: bool,
    /// The algorithm of a SharedKey's signature.
    #[arg(
        long,
        value_name = "NAME",
        requires = "shared_key_id",
        default_value = "HMAC_SHA256"
    )]
    algorithm: String,
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.request.is_stdin() && args.key.is_stdin() {
        return Err(Failure::usage(
            "the token and the body can't both be the standard input",
        ));
    }
    let keys = args.key.validator()?;
    let Parts {
        method,
        content_type,
        body,
    } = args.request.read()?;
    let mut url = args.request.url.clone();
    if args.add_hash {
        url = with_hash(&url, &body);
    }
    let settings = args
        .key
        .shared_key_id
        .as_ref()
        .map(|id| format!("key={id},algorithm={}", args.algorithm));
    let mut request = WebhookRequest::new(&method, &url).body(&body);
    if let Some(content_type) = &content_type {
        request = request.content_type(content_type);
    }
    if let Some(settings) = &settings {
        request = request.signature_settings(settings);
    }
    let signature = keys.sign(&request).map_err(|err| match err.kind() {
        ValidationErrorKind::BodyHashMissing => Failure::usage(format_args!(
            "{err}: send it to {} (--add-hash signs that URL)",
            with_hash(&url, &body)
        )),
        _ => Failure::usage(err),
    })?;

    let mut output = io::stdout().lock();
    if args.add_hash {
        writeln!(output, "{url}")?;
    }
    if !args.header {
        writeln!(output, "{signature}")?;
        return Ok(());
    }
    writeln!(output, "{SIGNATURE}: {signature}")?;
    if let Some(settings) = settings {
        writeln!(output, "X-Twilio-Webhooks-Signature-Settings: {settings}")?;
    }
    Ok(())
}

/// Appends the body's hash to the query, before a fragment.
fn with_hash(url: &str, body: &[u8]) -> String {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}bodySHA256={}{fragment}", body_sha256(body))
}
