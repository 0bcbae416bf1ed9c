//! One connection of a client, and the one to the app that goes with it.
//!
//! The bytes of both directions are passed on as they are, in the pieces in which they arrive, and each side waits for
//! the other one. What is parsed is a copy, to know where messages end.

mod download;
mod upload;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, SemaphorePermit},
    time,
};

use crate::inspect::{
    exchange::{Answer, Exchange, Failure, FailureKind, Outcome, Request, Source, Wire},
    framing::{MAX_HEAD, RequestHead},
    relay::{MAX_CONNECTIONS, Relay, shown},
    seat::{Seat, Turn},
    tunnel,
};

/// The number of bytes that are read at a time.
pub(super) const PIECE: usize = 16 * 1024;

/// The largest number of requests of a connection that wait for their answers. Others are not read.
const MAX_PENDING: usize = 2;

/// How long it takes at most until what a new client has sent already is read: a timer fires after that.
const LOOK: Duration = Duration::from_millis(1);

/// How long the first head of a connection may take: Twilio sends it at once, and a connection that waits takes the place
/// of another.
const FIRST_HEAD: Duration = Duration::from_secs(10);

/// How long a client may send nothing between its requests, in times of what the app may take: 60 s. Most apps close such
/// a connection sooner.
const IDLE: u32 = 4;

/// How long a client may send nothing within a body.
const BODY_STALL: Duration = Duration::from_secs(10);

/// How long a client may take no byte of an answer, and an app may send none within an answer.
const STALL: Duration = Duration::from_secs(60);

/// How long the client may go on sending after the last answer, so that it reads that answer.
const LINGER: Duration = Duration::from_secs(1);

/// How long to read the body of a request that can't be passed on.
const DRAIN: Duration = Duration::from_secs(2);

/// A connection.
pub(super) struct Connection<'r> {
    relay: &'r Relay,
    seat: Arc<Seat>,
    peer: Option<SocketAddr>,
    source: Source,
    state: Mutex<State>,
    /// The place among WebSockets, if it is one or asks to be.
    place: Mutex<Option<SemaphorePermit<'r>>>,
    to_upload: Notify,
    to_download: Notify,
}

#[derive(Default)]
struct State {
    /// The requests that are not recorded yet, in order.
    pending: VecDeque<Draft>,
    /// Whether the client sends nothing more.
    client_done: bool,
    /// When the last byte had been passed on to the app, if no more will be.
    upload_ended: Option<Instant>,
    /// Whether the rest of a body is waited for.
    stalled: bool,
    /// Whether bytes of an answer wait until the client takes them.
    answering: bool,
    /// Whether the app switched to another protocol, as the last request asked.
    switched: Option<bool>,
    /// The first exchange of the connection.
    first_id: Option<u64>,
}

/// An exchange that has not ended.
struct Draft {
    exchange: Exchange,
    arrived: Instant,
    upgrades: bool,
    /// When the whole request had been passed on.
    passed_on: Option<Instant>,
    /// When the first byte of the answer arrived.
    first_byte: Option<Instant>,
    is_answered: bool,
    /// Why the relay answers in place of the app.
    trouble: Option<Trouble>,
}

/// What keeps the app from answering.
#[derive(Debug, Clone)]
struct Trouble {
    kind: FailureKind,
    /// A sentence for the operator.
    message: String,
    /// What the app sent in place of an answer.
    garbage: Vec<u8>,
}

/// How a connection with the app ended.
enum Ended {
    Closed,
    /// The app switched to another protocol. What follows is passed on unread.
    Switched {
        id: u64,
        arrived: Instant,
        frames: Option<tunnel::Compression>,
    },
}

/// Bytes that have arrived and are not passed on yet.
struct Inbox<R> {
    from: R,
    bytes: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            bytes: Vec::new(),
        }
    }

    /// Reads more bytes. Returns the number of new ones, which is 0 at the end. Nothing is lost if it is cancelled.
    async fn more(&mut self) -> io::Result<usize> {
        self.bytes.reserve(PIECE);
        let mut limited = (&mut self.from).take(PIECE as u64);
        limited.read_buf(&mut self.bytes).await
    }

    /// Removes the first bytes and returns them.
    fn cut(&mut self, count: usize) -> Vec<u8> {
        // A copy, since the buffer is many times longer than most heads.
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count).collect()
    }
}

impl<'r> Connection<'r> {
    pub(super) fn new(
        relay: &'r Relay,
        seat: Arc<Seat>,
        peer: Option<SocketAddr>,
        source: Source,
    ) -> Self {
        Self {
            relay,
            seat,
            peer,
            source,
            state: Mutex::default(),
            place: Mutex::default(),
            to_upload: Notify::new(),
            to_download: Notify::new(),
        }
    }

    /// Passes everything on until one side closes, or another connection takes the place. Returns the number of the first
    /// exchange.
    pub(super) async fn run(self, stream: impl AsyncRead + AsyncWrite) -> Option<u64> {
        let (reader, mut writer) = io::split(stream);
        tokio::select! {
            () = self.pass_on(reader, &mut writer) => {}
            () = self.seat.wait() => self.leave(&mut writer).await,
        }
        self.state().first_id
    }

    async fn pass_on<W: AsyncWrite + Unpin>(&self, reader: impl AsyncRead + Unpin, writer: &mut W) {
        let mut client = Inbox::new(reader);
        let head = match time::timeout(LOOK, next_head(&mut client)).await {
            Ok(head) => Ok(head),
            Err(_) => {
                self.seat.set_turn(Turn::Client);
                time::timeout(FIRST_HEAD, next_head(&mut client)).await
            }
        };
        match head {
            Err(_) | Ok(Ok(None)) => return,
            Ok(Err(reason)) => {
                self.refuse(client.cut(MAX_HEAD), reason);
                self.give_up(writer, None, STALL).await;
            }
            Ok(Ok(Some(head))) => {
                self.seat.set_turn(Turn::App);
                match self.relay.app.connect().await {
                    Ok(app) => self.relay_with(app, head, &mut client, writer).await,
                    Err(err) => self.without_app(&err, head, &mut client, writer).await,
                }
            }
        }
        let _ = writer.shutdown().await;
        if self.source == Source::Arrived && !self.state().client_done {
            // Closing with bytes unread would take the answer from the client (RFC 9112, section 9.6).
            let _ = time::timeout(LINGER, async {
                while client.more().await.is_ok_and(|count| count > 0) {
                    client.bytes.clear();
                }
            })
            .await;
        }
    }

    async fn relay_with<R, W>(
        &self,
        mut stream: TcpStream,
        head: RequestHead,
        client: &mut Inbox<R>,
        writer: &mut W,
    ) where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (app, mut app_writer) = stream.split();
        let mut app = Inbox::new(app);
        let ended = {
            let mut upload = pin!(self.upload(client, &mut app_writer, head));
            let mut download = pin!(self.download(&mut app, writer));
            tokio::select! {
                () = &mut upload => download.await,
                ended = &mut download => {
                    if matches!(ended, Ended::Switched { .. }) {
                        upload.await;
                    }
                    ended
                }
            }
        };
        self.end();
        if let Ended::Switched {
            id,
            arrived,
            frames,
        } = ended
        {
            let recorder = &self.relay.recorder;
            let mut tunnel = tunnel::Tunnel::new(recorder, id, arrived, frames);
            if self.source == Source::Arrived {
                let to_app = (&mut *client.bytes, &mut client.from, &mut app_writer);
                let from_app = (&mut *app.bytes, &mut app.from, writer);
                tunnel.run(to_app, from_app).await;
            }
            tunnel.close().await;
        }
        self.leave_place();
    }

    /// Takes the whole request, so that it can be sent again, and answers in place of the app.
    async fn without_app<R, W>(
        &self,
        err: &io::Error,
        head: RequestHead,
        client: &mut Inbox<R>,
        writer: &mut W,
    ) where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let trouble = Trouble {
            kind: FailureKind::Unreachable,
            message: format!(
                "the app at {} can't be reached ({err}): start it, or correct --forward-to",
                self.relay.app.url
            ),
            garbage: Vec::new(),
        };
        let mut nowhere = io::sink();
        let mut reading = pin!(self.upload(client, &mut nowhere, head));
        let whole = async {
            // The requests after the first one are not read.
            loop {
                let is_whole = |draft: &Draft| draft.passed_on.is_some() || draft.trouble.is_some();
                if self.state().pending.front().is_some_and(is_whole) {
                    return;
                }
                self.to_download.notified().await;
            }
        };
        let _ = time::timeout(DRAIN, async {
            tokio::select! {
                () = &mut reading => {}
                () = whole => {}
            }
        })
        .await;
        self.give_up(writer, Some(trouble), STALL).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place among WebSockets. Returns whether there was one.
    fn take_place(&self) -> bool {
        let place = self.relay.tunnels.try_acquire().ok();
        let is_taken = place.is_some();
        self.seat.set_stays(is_taken);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
        is_taken
    }

    fn leave_place(&self) {
        self.seat.set_stays(false);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts an exchange.
    fn begin(&self, head: &RequestHead, bytes: Vec<u8>) {
        let request = Request {
            method: head.method.clone(),
            target: head.target.clone(),
            version: format!("1.{}", head.version),
            wire: Wire {
                head: bytes,
                headers: head.headers.clone(),
                chunked: head.body.is_chunked(),
                complete: head.body.is_done(),
                ..Wire::default()
            },
        };
        self.add(request, head.upgrades, None);
    }

    /// Starts an exchange with something that is not passed on.
    fn refuse(&self, bytes: Vec<u8>, reason: &str) {
        let request = Request {
            wire: Wire {
                head: bytes,
                ..Wire::default()
            },
            ..Request::default()
        };
        self.add(request, false, Some(not_forwarded(reason)));
    }

    fn add(&self, request: Request, upgrades: bool, trouble: Option<Trouble>) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        let mut exchange = Exchange::of(self.relay.next_id(), started, self.source, request);
        exchange.peer = shown(self.peer);
        let mut state = self.state();
        state.first_id.get_or_insert(exchange.id);
        state.pending.push_back(Draft {
            exchange,
            arrived: Instant::now(),
            upgrades,
            passed_on: None,
            first_byte: None,
            is_answered: false,
            trouble,
        });
        self.update_seat(&state);
    }

    /// Says whether the app or the client has to do something for the first request.
    fn update_seat(&self, state: &State) {
        let is_apps = state.pending.front().is_some_and(|draft| {
            let is_stalled = draft.passed_on.is_none() && state.stalled;
            !draft.is_answered && !is_stalled && !state.answering
        });
        let turn = if is_apps { Turn::App } else { Turn::Client };
        self.seat.set_turn(turn);
    }

    fn set_stalled(&self, stalled: bool) {
        let mut state = self.state();
        state.stalled = stalled;
        self.update_seat(&state);
    }

    fn set_answering(&self, answering: bool) {
        let mut state = self.state();
        state.answering = answering;
        self.update_seat(&state);
    }

    /// Records the exchanges that have ended on both sides.
    fn record_ended(&self) {
        let mut state = self.state();
        while let Some(draft) = state.pending.front()
            && draft.is_answered
            && draft.passed_on.is_some()
            && let Some(draft) = state.pending.pop_front()
        {
            self.relay.recorder.exchange(draft.exchange);
            self.seat.answered();
        }
        self.update_seat(&state);
        drop(state);
        self.to_upload.notify_one();
    }

    /// Records what is left when the connection has ended.
    fn end(&self) {
        self.seat.set_turn(Turn::Client);
        let rest = std::mem::take(&mut self.state().pending);
        for mut draft in rest {
            if !draft.is_answered {
                draft.break_off(draft.trouble.clone().unwrap_or_else(|| Trouble {
                    kind: FailureKind::Closed,
                    message: "the connection ended before the app answered this request".to_owned(),
                    garbage: Vec::new(),
                }));
            }
            self.relay.recorder.exchange(draft.exchange);
        }
    }

    /// Ends the connection in favour of a newer one. The client gets an answer if it takes that at once.
    async fn leave(&self, writer: &mut (impl AsyncWrite + Unpin)) {
        let untouched = {
            let mut state = self.state();
            let front = state.pending.front();
            let untouched =
                front.is_some_and(|draft| !draft.is_answered && draft.first_byte.is_none());
            if let Some(trouble) = front.map(Draft::displaced) {
                for draft in &mut state.pending {
                    draft.trouble.get_or_insert_with(|| trouble.clone());
                }
            }
            untouched
        };
        if untouched {
            self.give_up(writer, None, Duration::ZERO).await;
        } else {
            self.end();
        }
    }

    /// Answers in place of the app, and ends the connection. Without `trouble`, it is that of the first request. `limit` is
    /// how long the client may take.
    async fn give_up(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
        trouble: Option<Trouble>,
        limit: Duration,
    ) {
        self.leave_place();
        let front = {
            let mut state = self.state();
            state.pending.front_mut().and_then(|draft| {
                let trouble = trouble.or_else(|| draft.trouble.clone())?;
                let with_body = draft.exchange.request.method != "HEAD";
                let answer = own_answer(&trouble, self.relay.limit, with_body);
                draft.fail(trouble);
                draft.is_answered = true;
                Some(answer)
            })
        };
        self.seat.set_turn(Turn::Client);
        if let Some(answer) = front {
            let _ = time::timeout(limit, writer.write_all(&answer)).await;
        }
        self.end();
    }
}

impl Draft {
    fn fail(&mut self, trouble: Trouble) {
        self.exchange.outcome = Outcome::Failed(Failure {
            kind: trouble.kind,
            message: trouble.message,
            after: self.arrived.elapsed(),
            garbage: trouble.garbage,
        });
    }

    /// Returns why a newer connection took the place of this one.
    fn displaced(&self) -> Trouble {
        let reason = match (self.passed_on, self.first_byte) {
            (None, _) => "the rest of the request was waited for",
            (_, Some(_)) => "the rest of the answer was waited for",
            _ => "all others waited for the app as well: let it answer sooner",
        };
        Trouble {
            kind: FailureKind::Displaced,
            message: format!(
                "a new connection took the place of this one, since all {MAX_CONNECTIONS} were taken, and {reason}"
            ),
            garbage: Vec::new(),
        }
    }

    /// Says why the app's answer did not come to its end, if it began.
    fn break_off(&mut self, trouble: Trouble) {
        let end = self.arrived.elapsed();
        match self.answer() {
            Some(answer) if answer.status > 0 => {
                answer.end = end;
                answer.problem = Some(trouble.message);
            }
            _ => self.fail(trouble),
        }
    }

    fn answer(&mut self) -> Option<&mut Answer> {
        match &mut self.exchange.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Failed(_) => None,
        }
    }
}

fn not_forwarded(reason: &str) -> Trouble {
    Trouble {
        kind: FailureKind::NotForwarded,
        message: format!("the request was not passed on: {reason}"),
        garbage: Vec::new(),
    }
}

/// Reads the next head. Returns `None` if the client has closed the connection.
///
/// # Errors
///
/// Returns a clause that says why it is not a head.
async fn next_head<R: AsyncRead + Unpin>(
    client: &mut Inbox<R>,
) -> Result<Option<RequestHead>, &'static str> {
    let mut unread = client.bytes.len();
    loop {
        let known = client.bytes.len();
        let new = client.bytes.get(known - unread..).unwrap_or_default();
        // A head that arrives byte by byte is not parsed for each byte.
        let may_be_whole = unread == known || new.contains(&b'\n') || known >= MAX_HEAD;
        if known > 0
            && may_be_whole
            && let Some(head) = RequestHead::parse(&client.bytes)?
        {
            return Ok(Some(head));
        }
        match client.more().await {
            Ok(count) if count > 0 => unread = count,
            _ if client.bytes.is_empty() => return Ok(None),
            _ => return Err("the connection ended in the middle of its head"),
        }
    }
}

/// Returns the relay's own answer. What is public says nothing of the app.
fn own_answer(trouble: &Trouble, limit: Duration, with_body: bool) -> Vec<u8> {
    let (reason, sentence) = match trouble.kind {
        FailureKind::NotForwarded => ("Bad Request", trouble.message.clone()),
        FailureKind::Busy => (
            "Service Unavailable",
            "too many WebSockets are open".to_owned(),
        ),
        FailureKind::Displaced => (
            "Service Unavailable",
            "too many connections are open".to_owned(),
        ),
        FailureKind::Unreachable => ("Bad Gateway", "the app can't be reached".to_owned()),
        FailureKind::TimedOut => (
            "Gateway Timeout",
            format!(
                "the app did not answer within {} seconds",
                limit.as_secs_f32()
            ),
        ),
        FailureKind::Garbage => ("Bad Gateway", "the app's answer is not HTTP".to_owned()),
        FailureKind::Closed | FailureKind::ClientGone => (
            "Bad Gateway",
            "the app closed the connection without an answer".to_owned(),
        ),
    };
    let body = format!("twilio-webhook: {sentence}\n");
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        trouble.kind.status(),
        body.len()
    );
    (head + if with_body { &body } else { "" }).into_bytes()
}
