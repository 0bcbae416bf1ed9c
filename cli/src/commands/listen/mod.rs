//! `listen`: passes requests on to a local app, and shows, judges and saves them.

mod lines;
mod replay;
mod save;

use std::{
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{runtime, sync::oneshot};
use twilio_signature::url::PublicUrl;

use self::{lines::Lines, save::Saver};
use crate::{
    endpoint::{options::seconds, random_hex},
    input::token::KeyArgs,
    inspect::{
        app::App,
        forwarded::Forwarded,
        history::{Change, History},
        judge::Judge,
        page::{self, PageContext},
        recorder::Recorder,
        relay::Relay,
    },
    outcome::Failure,
    terminal::{Format, FormatArgs, line},
};

/// The port of the page, if it is free. An inspector of ngrok's may have it.
const PAGE_PORT: u16 = 4040;

const EXAMPLES: &str = "\
Examples:
  twilio-webhook listen --forward-to http://localhost:8080
  twilio-webhook listen --forward-to http://localhost:8080 --public-url https://abc.ngrok.app
  twilio-webhook listen --forward-to http://localhost:8080 --save requests.jsonl
  twilio-webhook listen --forward-to http://localhost:8080 --replay requests.jsonl

With ngrok:
  1. Start the app, and this command with the app's token.
  2. Point the tunnel to this command:  ngrok http 8081
  3. Set the tunnel's URL at Twilio, with the path of the webhook: https://abc.ngrok.app/message
  4. Send an SMS or call. Each request is a line here, and the page whose URL is printed has the details.

A line has the time (UTC), the request's number and kind, its path, the status and the milliseconds of the answer, \
and the verdict of this tool: accepted, or refused with the cause and what to do. The tool takes the URL of a request \
from --public-url, or else from its X-Forwarded-* headers and its Host, as an app behind a tunnel does. Without a \
token, there is no verdict. The tool explains up to five refused requests per second, but none with a body over \
16 KiB.

The bytes of requests, answers and WebSockets pass unchanged. If the app does not begin its answer within 15 s, the tool \
answers with 504, since Twilio gives up then. If the app is down, or does not answer with HTTP, the tool answers with \
502. A request whose end is ambiguous is refused with 400. At most 96 connections are open, and half of them may be \
WebSockets; another WebSocket gets 503. A client that sends nothing for 60 s after its answer is disconnected. \
Both ports are open to this machine only. The last 1,000 requests are kept, with 64 KiB of each body, at most 64 MiB \
in all.

With --format json, and in the file of --save, each request is an object on a line of its own, as `verify --jsonl` and \
`explain` read it. Its field `listen` has what else is known. The objects have whole requests with their credentials, \
so only you can read the file. The file ends at 64 MiB. If it can't be written, one warning says so, and requests \
still pass.

With --replay, the requests in such a file are sent again, byte for byte, and the command ends. A request that was \
not kept as a whole is left out, and is a failure. After 1,000 lines in a row that `listen --save` did not write, the rest \
is not read.

Exit status: 1 the output was closed, or with --replay an answer was not 2xx; 2 wrong usage, or a port is taken; \
3 the app could not be reached with --replay; 0 every answer with --replay was 2xx.";

/// Passes requests from a tunnel such as ngrok on to a local app, and shows why each one is accepted or refused.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The app, such as `http://localhost:8080`. Paths are passed on unchanged.
    #[arg(long, value_name = "URL")]
    forward_to: String,
    /// The port for the tunnel. With 0, the system selects one.
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// The port of the page [default: 4040, or another one if it is taken]
    #[arg(long)]
    page_port: Option<u16>,
    /// The base URL that is set at Twilio, such as `https://abc.ngrok.app`, if the app has the same setting.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Adds X-Forwarded-For, -Host and -Proto to each request, for an app that needs them.
    ///
    /// The host and the scheme are those of --public-url, or else the request's own. If a tunnel has added a host and a
    /// scheme, these stay.
    #[arg(long)]
    add_forwarded_headers: bool,
    /// Appends each request to a file, which only you can read, up to 64 MiB.
    ///
    /// It must be a regular file, or a new one: directories, pipes, devices and symbolic links are refused.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Sends the requests of a saved file again, and ends.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save", "page_port"])]
    replay: Option<PathBuf>,
    /// How many seconds the app may take to begin its answer.
    #[arg(long, hide = true, default_value = "15", value_parser = seconds)]
    answer_timeout: Duration,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// What all parts of the command share.
struct Parts {
    relay: Arc<Relay>,
    history: Arc<History>,
    judge: Arc<Judge>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let parts = Parts::new(args)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    match &args.replay {
        Some(path) => runtime.block_on(replay::run(path, &parts, args.format.format)),
        None => runtime.block_on(listen(args, parts)),
    }
}

impl Parts {
    fn new(args: &Args) -> Result<Self, Failure> {
        let app = App::parse(&args.forward_to)?;
        let validator = match &args.key.shared_key_id {
            Some(_) => Some(args.key.validator()?),
            None => args
                .key
                .validator_if_set()?
                .transpose()
                .map_err(Failure::usage)?,
        };
        let public_url = match &args.public_url {
            Some(text) => Some((
                PublicUrl::parse_base(text).map_err(Failure::usage)?,
                text.clone(),
            )),
            None => None,
        };
        let forwarded = args
            .add_forwarded_headers
            .then(|| Forwarded::new(public_url.as_ref().map(|(url, _)| url)));
        let history = Arc::new(History::new());
        let judge = Arc::new(Judge::new(validator, public_url));
        let recorder = Recorder::start(history.clone(), judge.clone())?;
        let relay = Arc::new(Relay::new(app, args.answer_timeout, forwarded, recorder));
        Ok(Self {
            relay,
            history,
            judge,
        })
    }
}

/// Passes requests on until the process ends.
async fn listen(args: &Args, parts: Parts) -> Result<(), Failure> {
    let listener = bind("--port", args.port)?;
    let page_listener = match args.page_port {
        Some(port) => bind("--page-port", port)?,
        None => bind("--page-port", PAGE_PORT).or_else(|_| bind("--page-port", 0))?,
    };
    let saver = args.save.as_deref().map(Saver::open).transpose()?;
    let secret = random_hex().map_err(Failure::Usage)?;
    let page_url = page::url(page_listener.local_addr()?, &secret);
    announce(args, &parts, &listener, &page_url).await?;

    let format = args.format.format;
    let mut lines = Lines::new(anstream::stdout(), format);
    let (ended, end) = oneshot::channel();
    follow(
        "terminal",
        parts.history.clone(),
        ended,
        move |history, change| lines.show(history, change),
    )?;
    if let Some(mut saver) = saver {
        // Its end is not that of the command.
        let (ended, _) = oneshot::channel();
        follow(
            "saver",
            parts.history.clone(),
            ended,
            move |history, change| saver.save(history, change),
        )?;
    }
    let context = PageContext {
        secret,
        relay: parts.relay.clone(),
        judge: parts.judge.clone(),
        forward_to: parts.relay.app.url.clone(),
        port: listener.local_addr()?.port(),
    };
    serve_page(page_listener, parts.history.clone(), context)?;

    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::select! {
        () = parts.relay.serve(listener) => Ok(()),
        result = end => match result {
            Ok(err) => Err(Failure::Output(err)),
            // The thread panicked, and has said so.
            Err(_) => Err(Failure::Check),
        },
    }
}

fn bind(option: &str, port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|err| {
        Failure::usage(format_args!(
            "cannot listen on 127.0.0.1:{port} ({err}): pass another port with {option}"
        ))
    })
}

/// Says what points where, and what is missing.
async fn announce(
    args: &Args,
    parts: &Parts,
    listener: &TcpListener,
    page_url: &str,
) -> Result<(), Failure> {
    let port = listener.local_addr()?.port();
    let app = line(&parts.relay.app.url);
    let mut lines = vec![
        format!("Listening on http://127.0.0.1:{port}, and passing requests on to {app}."),
        format!("Point your tunnel to port {port}: ngrok http {port}"),
    ];
    if let Some(path) = &args.save {
        lines.push(format!(
            "Each request is appended to {}, whole and with its credentials. Only you can read the file.",
            line(&path.to_string_lossy())
        ));
    }
    if parts.judge.validator.is_none() {
        let text = "There is no token, so no request is judged: set TWILIO_AUTH_TOKEN, or pass --token-file.";
        lines.push(text.to_owned());
    }
    if let Err(err) = parts.relay.app.connect().await {
        lines.push(format!(
            "The app at {app} can't be reached ({err}): start it, or correct --forward-to."
        ));
    }
    lines.push(format!("See the requests at {page_url}\n"));
    let text = lines.join("\n");
    // Standard output has nothing but objects with --format json.
    match args.format.format {
        Format::Text => io::stdout().write_all(text.as_bytes())?,
        Format::Json => io::stderr().write_all(text.as_bytes())?,
    }
    Ok(())
}

/// Calls `show` with each change, in a thread of its own, so that a slow reader delays no request. The thread ends
/// with the error of `show`, and sends it.
fn follow(
    name: &str,
    history: Arc<History>,
    ended: oneshot::Sender<io::Error>,
    mut show: impl FnMut(&History, Result<Change, u64>) -> io::Result<()> + Send + 'static,
) -> io::Result<()> {
    use tokio::sync::broadcast::error::RecvError;
    let mut changes = history.subscribe();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            loop {
                let change = match changes.blocking_recv() {
                    Ok(change) => Ok(change),
                    Err(RecvError::Lagged(missed)) => Err(missed),
                    Err(RecvError::Closed) => return,
                };
                if let Err(err) = show(&history, change) {
                    // Who started this may be gone.
                    let _ = ended.send(err);
                    return;
                }
            }
        })?;
    Ok(())
}

/// Serves the page in a thread of its own.
fn serve_page(
    listener: TcpListener,
    history: Arc<History>,
    context: PageContext,
) -> Result<(), Failure> {
    thread::Builder::new()
        .name("page".to_owned())
        .spawn(move || {
            let served =
                actix_web::rt::System::new().block_on(page::serve(listener, history, context));
            if let Err(err) = served {
                // The relay goes on without the page.
                let _ = writeln!(io::stderr(), "error: the page has ended: {err}");
            }
        })?;
    Ok(())
}
