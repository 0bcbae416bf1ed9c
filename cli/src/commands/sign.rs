//! `sign`: prints the signature of a request.

use std::io::{self, Write};

use twilio_signature::{
    SignatureErrorKind,
    header::{SIGNATURE, SIGNATURE_SETTINGS},
    with_body_sha256,
};

use crate::{
    input::{request_args::RequestArgs, source, token::KeyArgs},
    outcome::Failure,
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook sign https://example.com/message -d From=+14158675310 -d Body=Hi
  curl https://example.com/message -d Body=Hi \\
    -H \"$(twilio-webhook sign https://example.com/message -d Body=Hi --header)\"
  twilio-webhook sign 'https://example.com/status?CallStatus=busy' --method GET
  twilio-webhook sign https://example.com/events --body event.json --add-hash

If the body is not a form, Twilio signs only its hash, which is in the URL as bodySHA256. --add-hash adds \
it: the first line of the output is then the URL to send the request to, and the signature follows.";

/// Prints the signature of a request.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Adds the hash of the body to the URL, and prints that URL first.
    #[arg(long, requires = "body")]
    add_hash: bool,
    /// Prints complete header lines instead of the signature alone.
    #[arg(long)]
    header: bool,
    /// The algorithm to sign with; needs --shared-key-id.
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
    source::at_most_one_stdin(&[args.request.is_stdin(), args.key.is_stdin()])?;
    let keys = args.key.validator()?;
    let mut request = args.request.read()?;
    if args.add_hash {
        request.url = with_body_sha256(&request.url, &request.body);
    }
    let settings = args
        .key
        .shared_key_id
        .as_ref()
        .map(|id| format!("key={id},algorithm={}", args.algorithm));
    request.add_header(SIGNATURE_SETTINGS, settings.clone());
    let signature = keys
        .sign(&request.webhook())
        .map_err(|err| match err.kind() {
            SignatureErrorKind::BodyHashMissing => Failure::usage(format_args!(
                "{err}: send the request to {} (--add-hash signs that URL)",
                with_body_sha256(&request.url, &request.body)
            )),
            _ => Failure::usage(err),
        })?;

    let mut output = io::stdout().lock();
    if args.add_hash {
        writeln!(output, "{}", request.url)?;
    }
    if !args.header {
        writeln!(output, "{signature}")?;
        return Ok(());
    }
    writeln!(output, "{SIGNATURE}: {signature}")?;
    if let Some(settings) = settings {
        writeln!(output, "{SIGNATURE_SETTINGS}: {settings}")?;
    }
    Ok(())
}
