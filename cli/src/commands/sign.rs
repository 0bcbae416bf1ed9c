//! `sign`: prints the signature of a request.

use std::io::{self, Write};

use serde::Serialize;
use twilio_signature::{
    SignatureErrorKind,
    header::{SIGNATURE, SIGNATURE_SETTINGS},
    with_body_sha256,
};

use crate::{
    commands::curl,
    input::{request_args::RequestArgs, source, token::KeyArgs},
    outcome::Failure,
    terminal::{self, Format, FormatArgs},
};

const EXAMPLES: &str = "\
Examples:
  twilio-webhook sign https://example.com/message -d From=+14158675310 -d Body=Hi
  twilio-webhook sign http://localhost:8080/message -d From=+14158675310 -d Body=Hi --curl
  twilio-webhook sign 'https://example.com/status?CallStatus=busy' --method GET
  twilio-webhook sign https://example.com/events --body event.json --add-hash --curl

With --curl the output is a whole command to paste into a shell. If you write the command yourself, note that -d has \
two meanings: this tool takes the value as plain text, and curl takes it as already escaped. So \
`curl -d From=+1415` sends a space in place of the +, and the signature does not match. Use curl's \
--data-urlencode:
  curl https://example.com/message --data-urlencode From=+14158675310 \\
    -H \"$(twilio-webhook sign https://example.com/message -d From=+14158675310 --header)\"

If the body is not a form, Twilio signs only its hash, which is in the URL as bodySHA256. --add-hash adds \
it: the first line of the output is then the URL to send the request to, and the signature follows. If the URL has a \
user name and a password, this URL, the url of the JSON and the command for curl keep them, since the request needs them.

With --format json the output is one object: url, signature, headers and curl.

Exit status: 0 success, 2 wrong usage.";

/// Prints the signature of a request.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Adds the hash of the body to the URL, and prints that URL first.
    #[arg(long, requires = "body")]
    add_hash: bool,
    /// Prints complete header lines instead of the signature alone.
    #[arg(long)]
    header: bool,
    /// Prints a curl command that sends the signed request.
    #[arg(long, conflicts_with = "header")]
    curl: bool,
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
    #[command(flatten)]
    format: FormatArgs,
}

/// The result as JSON, with the fields in this order.
#[derive(Serialize)]
struct JsonOutput<'a> {
    url: &'a str,
    signature: &'a str,
    headers: serde_json::Map<String, serde_json::Value>,
    /// `None` if a command cannot have what is in the request.
    curl: Option<String>,
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
                terminal::without_passwords(&with_body_sha256(&request.url, &request.body))
            )),
            _ => Failure::usage(err),
        })?;

    let mut headers = vec![(SIGNATURE, signature.clone())];
    headers.extend(settings.map(|settings| (SIGNATURE_SETTINGS, settings)));
    let mut output = io::stdout().lock();
    if args.format.format == Format::Json {
        let object = JsonOutput {
            url: &request.url,
            signature: &signature,
            curl: curl::command(&args.request, &request, &headers).ok(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
        };
        writeln!(output, "{}", terminal::json(&object)?)?;
        return Ok(());
    }
    if args.curl {
        writeln!(
            output,
            "{}",
            curl::command(&args.request, &request, &headers)?
        )?;
        return Ok(());
    }
    if args.add_hash {
        writeln!(output, "{}", terminal::exact_line(&request.url))?;
    }
    if !args.header {
        writeln!(output, "{signature}")?;
        return Ok(());
    }
    for (name, value) in headers {
        writeln!(output, "{name}: {}", terminal::line(&value))?;
    }
    Ok(())
}
