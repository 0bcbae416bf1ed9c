//! The direction from the client to the app.

use std::time::Instant;

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time,
};

use super::{BODY_STALL, Connection, IDLE, Inbox, MAX_PENDING, Trouble, next_head, not_forwarded};
use crate::inspect::{
    exchange::FailureKind,
    framing::{Body, MAX_HEAD, RequestHead},
};

impl Connection<'_> {
    /// Passes requests on until the client sends nothing more, or something that can't be passed on.
    pub(super) async fn upload<R, W>(&self, client: &mut Inbox<R>, app: &mut W, first: RequestHead)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut next = Some(first);
        loop {
            let mut head = match next.take() {
                Some(head) => head,
                None => match self.next_request(client).await {
                    Ok(Some(head)) => head,
                    Ok(None) => return self.client_is_done(app).await,
                    Err(reason) => {
                        self.refuse(client.cut(MAX_HEAD), reason);
                        return self.to_download.notify_one();
                    }
                },
            };
            let bytes = client.cut(head.length);
            let sent = match &self.relay.forwarded {
                Some(forwarded) => {
                    forwarded.added_to(&head, &bytes, self.peer.map(|peer| peer.ip()))
                }
                None => bytes.clone(),
            };
            if head.upgrades {
                // Nobody keeps a place with an earlier answer that stays unread.
                self.wait_until_pending(0).await;
            }
            self.begin(&head, bytes);
            if head.upgrades && !self.take_place() {
                return self.stop(Trouble {
                    kind: FailureKind::Busy,
                    message: "the request was not passed on: half of the connections are WebSockets already, so close some"
                        .to_owned(),
                    garbage: Vec::new(),
                });
            }
            if !self.write(app, &sent).await || !self.pass_body(&mut head.body, client, app).await {
                return;
            }
            self.request_is_done();
            if head.upgrades {
                if self.switches().await {
                    return;
                }
                self.leave_place();
            }
            self.wait_until_pending(MAX_PENDING - 1).await;
        }
    }

    /// Reads the head of the next request. A client that has its answers, and stays silent, makes room for others.
    async fn next_request<R: AsyncRead + Unpin>(
        &self,
        client: &mut Inbox<R>,
    ) -> Result<Option<RequestHead>, &'static str> {
        let limit = self.relay.limit.saturating_mul(IDLE);
        loop {
            match time::timeout(limit, next_head(client)).await {
                Ok(head) => return head,
                Err(_) if self.state().pending.is_empty() => return Ok(None),
                Err(_) => {}
            }
        }
    }

    /// Passes the body of the last request on. Returns whether it came to its end.
    async fn pass_body<R, W>(&self, body: &mut Body, client: &mut Inbox<R>, app: &mut W) -> bool
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        while !body.is_done() {
            if client.bytes.is_empty() {
                self.set_stalled(true);
                let more = time::timeout(BODY_STALL, client.more()).await;
                self.set_stalled(false);
                if !more.is_ok_and(|more| more.is_ok_and(|count| count > 0)) {
                    self.client_is_done(app).await;
                    return false;
                }
            }
            let count = match body.take(&client.bytes, |_| {}) {
                Ok(count) => count,
                Err(reason) => {
                    self.stop(not_forwarded(reason));
                    return false;
                }
            };
            let piece = client.bytes.get(..count).unwrap_or_default();
            if let Some(draft) = self.state().pending.back_mut() {
                draft.exchange.request.wire.add(piece);
            }
            if !self.write(app, piece).await {
                return false;
            }
            client.bytes.drain(..count);
        }
        true
    }

    /// Writes to the app. Returns whether it took everything.
    async fn write(&self, app: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
        let limit = self.relay.limit;
        match time::timeout(limit, app.write_all(bytes)).await {
            Ok(Ok(())) => true,
            // The app has closed the connection. It may have answered before.
            Ok(Err(_)) => {
                self.state().upload_ended = Some(Instant::now());
                self.to_download.notify_one();
                false
            }
            Err(_) => {
                self.stop(Trouble {
                    kind: FailureKind::TimedOut,
                    message: format!(
                        "the app took no byte of the request for {} s: let it read the request's body",
                        limit.as_secs_f32()
                    ),
                    garbage: Vec::new(),
                });
                false
            }
        }
    }

    /// Says why the last request goes no further.
    fn stop(&self, trouble: Trouble) {
        if let Some(draft) = self.state().pending.back_mut() {
            draft.trouble = Some(trouble);
        }
        self.to_download.notify_one();
    }

    async fn client_is_done(&self, app: &mut (impl AsyncWrite + Unpin)) {
        {
            let mut state = self.state();
            state.client_done = true;
            state.upload_ended = Some(Instant::now());
        }
        self.to_download.notify_one();
        // An app that has gone away is noticed where its answer is read.
        let _ = app.shutdown().await;
    }

    fn request_is_done(&self) {
        if let Some(draft) = self.state().pending.back_mut() {
            draft.passed_on = Some(Instant::now());
            draft.exchange.request.wire.complete = true;
        }
        self.record_ended();
        self.to_download.notify_one();
    }

    /// Waits until the app has switched to another protocol, or has not. Returns whether it has.
    async fn switches(&self) -> bool {
        loop {
            if let Some(switched) = self.state().switched.take() {
                return switched;
            }
            self.to_upload.notified().await;
        }
    }

    /// Waits until at most so many requests are not recorded yet.
    async fn wait_until_pending(&self, most: usize) {
        while self.state().pending.len() > most {
            self.to_upload.notified().await;
        }
    }
}
