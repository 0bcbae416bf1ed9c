//! `explain`: explains why a captured request is refused, and what to change.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use twilio_signature::{
    AuthToken, SharedKey,
    explain::{Cause, Explainer},
    header,
};

use crate::{
    input::{capture, request::Request, source, token::KeyArgs},
    inspect::findings::Findings,
    outcome::Failure,
    terminal::{self, Format, FormatArgs},
};

/// The largest number of tokens to try. The search tries 4,096 texts in all.
const MAX_TOKENS: usize = 1000;

/// The length of an HMAC-SHA256 signature in base64.
const SHA256_LEN: usize = 44;

/// The end of the help. `{CAUSES}` is replaced by the names of all causes.
const EXAMPLES: &str = "\
Examples:
  twilio-webhook explain request.txt
  twilio-webhook explain --public-url https://example.com request.txt
  twilio-webhook explain --try-tokens tokens.txt --format json request.json
With ngrok: copy the text under \"Raw\" in its inspector, http://127.0.0.1:4040, and then, on a Mac:
  pbpaste | twilio-webhook explain -
With tcpdump: explain the first request to port 8080:
  tcpdump -i lo -s 0 -w webhook.pcap port 8080
  tshark -r webhook.pcap -q -z follow,tcp,raw,0 | grep -E '^[0-9a-f]+$' | xxd -r -p |
    twilio-webhook explain -
With the app's own log: write an object with the fields that `verify --help` lists:
  {\"url\": \"http://10.0.0.7:8080/message\", \"body\": \"From=x\",
   \"headers\": {\"Content-Type\": \"application/x-www-form-urlencoded\", \"X-Twilio-Signature\": \"...\"}}

The request is verified with the URL that the app saw: http:// + Host + the path, or the value of --url. \
If the app accepts the request with a setting, such as behind a trusted proxy, \"Valid if\" names that setting. \
Otherwise headers such as X-Forwarded-Host are only hints at the URL that Twilio signed. If a capture has a form and \
no Content-Length, a line end after the form is ignored. A capture may have 2 MiB, and --try-tokens 1,000 tokens.

With --format json the output is one object: valid, valid_if (the settings with which the app accepts the request, \
each with its url), causes, matched_url (the URL that the signature matches, or null), advice, warnings about \
the capture, and gave_up if the search reached its limits (4096 texts or 16 MiB). Causes: {CAUSES}.

Exit status: 0 the request is valid, 1 it is not, 2 wrong usage or an unreadable capture.";

/// Explains why a captured request is refused, and what to change in the app's configuration.
#[derive(clap::Args)]
#[command(after_long_help = help())]
pub(crate) struct Args {
    /// The captured request, as HTTP text or as a JSON object. With - it is read from the standard input.
    file: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
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
    let bytes = source::read_up_to(&args.file, source::CAPTURE_LIMIT)?;
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
    let public_url = args.public_url.as_deref();
    let findings = Findings::of(explanation, &capture, &validator, public_url);

    let mut output = io::stdout().lock();
    match args.format.format {
        Format::Json => writeln!(output, "{}", terminal::json(&findings)?)?,
        Format::Text => print(&findings, &mut output, &capture)?,
    }
    if findings.valid {
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
    let text = source::read_secret("--try-tokens", path)?;
    let by_sha256 = capture
        .values(header::SIGNATURE)
        .any(|signature| signature.len() == SHA256_LEN);
    let tokens = text
        .lines()
        .map(str::trim)
        .filter(|token| !token.is_empty());
    if tokens.clone().count() > MAX_TOKENS {
        return Err(Failure::usage(format_args!(
            "--try-tokens: the file has more than {MAX_TOKENS} tokens"
        )));
    }
    for token in tokens {
        explainer = explainer.other_token(AuthToken::new(token).map_err(Failure::usage)?);
        // An Auth Token signs with HMAC-SHA1 only, so this may be the secret of a SharedKey.
        if by_sha256 {
            let key = SharedKey::new("given", token).map_err(Failure::usage)?;
            explainer = explainer.other_shared_key(key);
        }
    }
    Ok(explainer)
}

fn print(findings: &Findings, output: &mut impl Write, capture: &Request) -> io::Result<()> {
    let verdict = match (findings.valid, findings.valid_if.is_empty()) {
        (true, _) => "The request is valid.",
        (false, true) => "The request is not valid.",
        (false, false) => "The request is not valid without further settings.",
    };
    writeln!(output, "{verdict}\n")?;
    let mut row =
        |label: &str, text: &str| writeln!(output, "{label:<14}  {}", terminal::line(text));
    row(
        "The app saw:",
        &format!(
            "{} {}",
            capture.method,
            // Only what is a URL alone may have blanks in its user name.
            terminal::without_passwords(&capture.url)
        ),
    )?;
    row(
        "Twilio signed:",
        findings.matched_url.as_deref().unwrap_or("unknown"),
    )?;
    for setting in &findings.valid_if {
        row(
            "Valid if:",
            &format!("{}; the app then sees {}", setting.condition, setting.url),
        )?;
    }
    for (index, (cause, description)) in findings
        .causes
        .iter()
        .zip(&findings.descriptions)
        .enumerate()
    {
        let label = if index == 0 { "Why:" } else { "" };
        row(label, &format!("{cause}: {description}"))?;
    }
    for warning in &findings.warnings {
        row("Warning:", &format!("{warning}."))?;
    }
    if !findings.valid {
        row("What to do:", &format!("{}.", findings.advice))?;
    }
    Ok(())
}
