//! `explain`: explains why a captured request is refused, and what to change.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use twilio_signature::{
    AuthToken, SharedKey,
    explain::{Cause, Explainer, Explanation},
    header,
};

use crate::{
    input::{capture, request::Request, source, token::KeyArgs},
    outcome::Failure,
    terminal,
};

/// The length of an HMAC-SHA256 signature in base64.
const SHA256_LEN: usize = 44;

/// The end of the help. `{CAUSES}` is replaced by the names of all causes.
const EXAMPLES: &str = "\
Examples:
  twilio-webhook explain request.txt
  twilio-webhook explain --public-url https://example.com request.txt
  twilio-webhook explain --try-tokens tokens.txt --json request.json
With ngrok: copy the text under \"Raw\" in its inspector, http://127.0.0.1:4040, and then, on a Mac:
  pbpaste | twilio-webhook explain -
With tcpdump: explain the first request to port 8080:
  tcpdump -i lo -s 0 -w webhook.pcap port 8080
  tshark -r webhook.pcap -q -z follow,tcp,raw,0 | grep -E '^[0-9a-f]+$' | xxd -r -p |
    twilio-webhook explain -
With the app's own log: write an object for `verify --jsonl` and add the headers of the request:
  {\"url\": \"http://10.0.0.7:8080/message\", \"body\": \"From=x\",
   \"headers\": {\"X-Twilio-Signature\": \"...\"}}

The request is verified with the URL that the app saw: http:// + Host + the path, or the value of --url. \
Headers such as X-Forwarded-Host are only hints at the URL that Twilio signed. If a capture has a form and \
no Content-Length, a line end after the form is ignored.

With --json the output is one object: valid, causes, matched_url (the URL that the signature matches, or \
null), advice, and gave_up if the search reached its limits (4096 texts or 16 MiB). Causes: {CAUSES}.

Exit status: 0 the request is valid, 1 it is not, 2 wrong usage or an unreadable capture.";

/// Explains why a captured request is refused, and what to change in the app's configuration.
#[derive(clap::Args)]
#[command(after_help = help())]
pub(crate) struct Args {
    /// The captured request, as HTTP text or as a JSON object. With - it is read from the standard input.
    file: PathBuf,
    /// Prints the result as JSON.
    #[arg(long)]
    json: bool,
    /// A URL that Twilio may have requested: a whole one, or the base URL of the app.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The URL that the app saw, if it is not the one in the capture.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Tries further tokens from a file, one per line, such as old ones or those of subaccounts.
    #[arg(long, value_name = "FILE")]
    try_tokens: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

/// The result as JSON, with the fields in this order.
#[derive(Serialize)]
struct JsonOutput<'a> {
    valid: bool,
    causes: Vec<&'static str>,
    matched_url: Option<&'a str>,
    advice: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gave_up: bool,
}

/// Returns the end of the help.
fn help() -> String {
    let causes: Vec<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    EXAMPLES.replace("{CAUSES}", &causes.join(", "))
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    source::at_most_one_stdin(&[
        source::is_stdin(&args.file),
        args.try_tokens.as_deref().is_some_and(source::is_stdin),
        args.key.is_stdin(),
    ])?;
    let bytes = source::read(&args.file)?;
    let mut capture = capture::parse(&bytes, args.url.as_deref())
        .map_err(|err| Failure::usage(format_args!("cannot read the capture: {err}")))?;
    let validator = match capture.validator.take() {
        Some(own) => own.map_err(Failure::usage)?,
        None => args.key.validator()?,
    };

    let mut explainer = Explainer::new(&validator).proxy_may_be_trusted();
    for (name, value) in &capture.headers {
        explainer = explainer.header(name, value);
    }
    if let Some(url) = &args.public_url {
        explainer = explainer.public_url(url).map_err(Failure::usage)?;
    }
    if let Some(path) = &args.try_tokens {
        explainer = with_tokens(explainer, path, &capture)?;
    }
    let explanation = explainer.explain(&capture.webhook());

    let mut output = io::stdout().lock();
    if args.json {
        let object = JsonOutput {
            valid: explanation.valid,
            causes: explanation
                .causes
                .iter()
                .map(|cause| cause.as_str())
                .collect(),
            matched_url: explanation.matched_url.as_deref(),
            advice: &explanation.advice,
            gave_up: explanation.gave_up,
        };
        serde_json::to_writer(&mut output, &object).map_err(io::Error::from)?;
        writeln!(output)?;
    } else {
        print(&mut output, &capture, &explanation)?;
    }
    if explanation.valid {
        Ok(())
    } else {
        Err(Failure::Check)
    }
}

fn with_tokens<'k>(
    mut explainer: Explainer<'k>,
    path: &Path,
    capture: &Request,
) -> Result<Explainer<'k>, Failure> {
    let text = source::read_secret(path)?;
    let by_sha256 = capture
        .values(header::SIGNATURE)
        .any(|signature| signature.len() == SHA256_LEN);
    for token in text
        .lines()
        .map(str::trim)
        .filter(|token| !token.is_empty())
    {
        explainer = explainer.other_token(AuthToken::new(token).map_err(Failure::usage)?);
        // An Auth Token signs with HMAC-SHA1 only, so this may be the secret of a SharedKey.
        if by_sha256 {
            let key = SharedKey::new("given", token).map_err(Failure::usage)?;
            explainer = explainer.other_shared_key(key);
        }
    }
    Ok(explainer)
}

fn print(output: &mut impl Write, capture: &Request, explanation: &Explanation) -> io::Result<()> {
    let signed = explanation.matched_url.as_deref();
    if explanation.valid {
        writeln!(output, "The request is valid.")?;
    } else {
        writeln!(output, "The request is not valid.")?;
    }
    writeln!(output)?;
    writeln!(
        output,
        "The app saw:    {} {}",
        terminal::line(&capture.method),
        terminal::line(&capture.url)
    )?;
    match signed {
        Some(url) => writeln!(output, "Twilio signed:  {}", terminal::line(url))?,
        None => writeln!(output, "Twilio signed:  unknown")?,
    }
    for (index, cause) in explanation.causes.iter().enumerate() {
        let label = if index == 0 { "Why:" } else { "" };
        writeln!(output, "{label:<14}  {}: {}", cause, cause.description())?;
    }
    if capture.missing > 0 {
        let captured = capture.body.len();
        let declared = captured.saturating_add(capture.missing);
        writeln!(
            output,
            "{:<14}  The capture has only {captured} of the body's {declared} bytes: capture the whole request.",
            ""
        )?;
    }
    if !explanation.valid {
        writeln!(
            output,
            "What to do:     {}.",
            terminal::line(&explanation.advice)
        )?;
    }
    Ok(())
}
