//! The direction from the app to the client.

use std::time::Instant;

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time,
};

use super::{Connection, Ended, Inbox, STALL, Trouble};
use crate::inspect::{
    exchange::{Answer, FailureKind, MAX_BODY, Outcome, Source, Wire},
    framing::{AnswerHead, Body},
    tunnel::Compression,
};

/// The most bytes that are read of an answer to a request that this tool sends by itself. Twilio takes 64 kB.
const MOST_OF_OWN: usize = 1024 * 1024;

/// What the app owes to the first of the requests.
enum Owed {
    /// An answer to a request with this method, until a deadline once the request was passed on.
    Answer {
        method: String,
        until: Option<Instant>,
    },
    /// Nothing: it was answered before it had been passed on as a whole.
    RestOfRequest,
    /// Nothing: there is no request, and there may be none any more.
    Nothing { is_last: bool },
}

/// What comes next from the app.
enum Next {
    Head(AnswerHead),
    Trouble(Trouble),
    /// The connection has ended, and nothing is owed.
    End,
}

impl Connection<'_> {
    /// Passes answers on until the connection ends.
    pub(super) async fn download<R, W>(&self, app: &mut Inbox<R>, client: &mut W) -> Ended
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut last_end = Instant::now();
        loop {
            let head = match self.next(app, last_end).await {
                Next::Head(head) => head,
                Next::Trouble(trouble) => {
                    self.give_up(client, Some(trouble), STALL).await;
                    return Ended::Closed;
                }
                Next::End => return Ended::Closed,
            };
            let is_final = head.status >= 200;
            if let Some(ended) = self.pass_answer(head, app, client).await {
                return ended;
            }
            if is_final {
                last_end = Instant::now();
            }
        }
    }

    /// Waits for the next head.
    async fn next<R: AsyncRead + Unpin>(&self, app: &mut Inbox<R>, last_end: Instant) -> Next {
        loop {
            let owed = match self.owed(last_end) {
                Ok(owed) => owed,
                Err(trouble) => return Next::Trouble(trouble),
            };
            let mut until = None;
            match &owed {
                Owed::Answer {
                    method,
                    until: limit,
                } => {
                    until = *limit;
                    if !app.bytes.is_empty() {
                        self.first_byte();
                        match AnswerHead::parse(&app.bytes, method) {
                            Ok(Some(head)) => return Next::Head(head),
                            Ok(None) => {}
                            Err(reason) => return Next::Trouble(garbage(&app.bytes, reason)),
                        }
                    }
                }
                Owed::Nothing { is_last: true } => return Next::End,
                // Nobody asked for these bytes. The client would take them for the answer to its next request.
                _ if !app.bytes.is_empty() => return Next::End,
                _ => {}
            }
            let timer = async {
                match until {
                    Some(until) => time::sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                more = app.more() => match more {
                    Ok(count) if count > 0 => {}
                    _ => return match owed {
                        Owed::Answer { .. } => Next::Trouble(closed(&app.bytes)),
                        _ => Next::End,
                    },
                },
                () = self.to_download.notified() => {}
                () = timer => return Next::Trouble(self.too_late(&app.bytes)),
            }
        }
    }

    /// Returns what the app owes, or why it can't answer.
    fn owed(&self, last_end: Instant) -> Result<Owed, Trouble> {
        let state = self.state();
        let Some(draft) = state.pending.front() else {
            let is_last = state.upload_ended.is_some();
            return Ok(Owed::Nothing { is_last });
        };
        if draft.is_answered {
            return Ok(Owed::RestOfRequest);
        }
        if let Some(trouble) = &draft.trouble {
            return Err(trouble.clone());
        }
        let since = draft.passed_on.or(state.upload_ended);
        Ok(Owed::Answer {
            method: draft.exchange.request.method.clone(),
            until: since.map(|since| since.max(last_end) + self.relay.limit),
        })
    }

    fn first_byte(&self) {
        if let Some(draft) = self.state().pending.front_mut() {
            draft.first_byte.get_or_insert_with(Instant::now);
        }
    }

    /// Passes an answer on. Returns how the connection has ended, if it has.
    async fn pass_answer<R, W>(
        &self,
        mut head: AnswerHead,
        app: &mut Inbox<R>,
        client: &mut W,
    ) -> Option<Ended>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let bytes = app.cut(head.length);
        let switches = head.status == 101;
        if switches
            && !self
                .state()
                .pending
                .front()
                .is_some_and(|draft| draft.upgrades)
        {
            let reason = "it switches to another protocol, and the request did not ask for that";
            self.give_up(client, Some(garbage(&bytes, reason)), STALL)
                .await;
            return Some(Ended::Closed);
        }
        if head.status >= 200 {
            // It is no WebSocket, whether the client reads the answer or not.
            self.leave_place();
        }
        if !self.answer_with(client, &bytes).await {
            return Some(self.client_is_gone());
        }
        if head.status < 200 && !switches {
            if let Some(draft) = self.state().pending.front_mut() {
                draft.first_byte = None;
            }
            return None;
        }
        self.begin_answer(&head, bytes);
        if switches {
            return Some(self.switch(&head));
        }
        let problem = match self.pass_answer_body(&mut head.body, app, client).await {
            Ok(()) if !app.bytes.is_empty() && self.state().pending.len() == 1 => Some(format!(
                "{} bytes follow the end of the answer, which were not passed on: correct its Content-Length",
                app.bytes.len()
            )),
            Ok(()) => None,
            Err(problem) => Some(problem),
        };
        let ends = problem.is_some() || head.closes || self.source != Source::Arrived;
        self.end_answer(problem);
        ends.then_some(Ended::Closed)
    }

    /// Passes the body of an answer on.
    ///
    /// # Errors
    ///
    /// Returns a sentence that says why it does not come to its end.
    async fn pass_answer_body<R, W>(
        &self,
        body: &mut Body,
        app: &mut Inbox<R>,
        client: &mut W,
    ) -> Result<(), String>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        // The tool's own requests have no client that gives up.
        let is_own = self.source != Source::Arrived;
        let until = is_own.then(|| Instant::now() + self.relay.limit);
        let mut length = 0;
        while !body.is_done() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) || is_own && length > MOST_OF_OWN {
                return Err(
                    "the answer took too long, or is too large, to be read to its end".to_owned(),
                );
            }
            if app.bytes.is_empty() {
                match time::timeout(left.unwrap_or(STALL), app.more()).await {
                    Ok(Ok(count)) if count > 0 => {}
                    Ok(Ok(_)) if matches!(body, Body::UntilClose) => return Ok(()),
                    Ok(_) => {
                        return Err(
                            "the app closed the connection in the middle of its answer".to_owned()
                        );
                    }
                    Err(_) if is_own => continue,
                    Err(_) => {
                        return Err(format!(
                            "the app sent nothing more for {} s",
                            STALL.as_secs()
                        ));
                    }
                }
            }
            let count = body
                .take(&app.bytes, |_| {})
                .map_err(|reason| format!("the answer can't be read: {reason}"))?;
            let piece = app.bytes.get(..count).unwrap_or_default();
            length += count;
            self.with_answer(|answer| answer.wire.add(piece));
            if !self.answer_with(client, piece).await {
                return Err("the client closed the connection before it had the answer".to_owned());
            }
            app.bytes.drain(..count);
        }
        Ok(())
    }

    /// Writes to the client. Returns whether it took everything.
    async fn answer_with(&self, client: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
        self.set_answering(true);
        let taken = time::timeout(STALL, client.write_all(bytes)).await;
        self.set_answering(false);
        matches!(taken, Ok(Ok(())))
    }

    fn begin_answer(&self, head: &AnswerHead, bytes: Vec<u8>) {
        let mut state = self.state();
        if let Some(draft) = state.pending.front_mut() {
            let first_byte = draft.first_byte.unwrap_or_else(Instant::now);
            draft.exchange.outcome = Outcome::Answered(Answer {
                status: head.status,
                version: format!("1.{}", head.version),
                wire: Wire {
                    head: bytes,
                    headers: head.headers.clone(),
                    chunked: head.body.is_chunked(),
                    ..Wire::default()
                },
                first_byte: first_byte - draft.arrived,
                ..Answer::default()
            });
            if draft.upgrades {
                let switches = head.status == 101;
                state.switched = Some(switches);
                self.to_upload.notify_one();
            }
        }
    }

    fn end_answer(&self, problem: Option<String>) {
        if let Some(draft) = self.state().pending.front_mut() {
            let end = draft.arrived.elapsed();
            draft.is_answered = true;
            if let Some(answer) = draft.answer() {
                answer.end = end;
                answer.wire.complete = problem.is_none();
                answer.problem = problem;
            }
        }
        self.record_ended();
    }

    /// Records that the protocol was switched.
    fn switch(&self, head: &AnswerHead) -> Ended {
        let front = self
            .state()
            .pending
            .front()
            .map(|draft| (draft.exchange.id, draft.arrived));
        self.end_answer(None);
        let (id, arrived) = front.unwrap_or((0, Instant::now()));
        Ended::Switched {
            id,
            arrived,
            frames: Compression::of(&head.headers),
        }
    }

    fn with_answer(&self, change: impl FnOnce(&mut Answer)) {
        if let Some(answer) = self
            .state()
            .pending
            .front_mut()
            .and_then(|draft| draft.answer())
        {
            change(answer);
        }
    }

    fn client_is_gone(&self) -> Ended {
        if let Some(draft) = self.state().pending.front_mut() {
            draft.trouble = Some(Trouble {
                kind: FailureKind::ClientGone,
                message: "the client closed the connection before the app had answered".to_owned(),
                garbage: Vec::new(),
            });
        }
        Ended::Closed
    }

    fn too_late(&self, bytes: &[u8]) -> Trouble {
        let limit = self.relay.limit.as_secs_f32();
        Trouble {
            kind: FailureKind::TimedOut,
            message: format!(
                "the app did not answer within {limit} s, when Twilio gives up: answer sooner, and do the work later"
            ),
            garbage: kept(bytes),
        }
    }
}

fn garbage(bytes: &[u8], reason: &str) -> Trouble {
    Trouble {
        kind: FailureKind::Garbage,
        message: format!("what the app sent is not an HTTP answer: {reason}"),
        garbage: kept(bytes),
    }
}

fn closed(bytes: &[u8]) -> Trouble {
    Trouble {
        kind: FailureKind::Closed,
        message: "the app closed the connection without an answer: look at its own log".to_owned(),
        garbage: kept(bytes),
    }
}

fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..MAX_BODY).unwrap_or(bytes).to_vec()
}
