//! Server-sent events: all requests at first, and then those that have changed, gathered so that a flood of requests is no
//! flood of events.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    rt,
    web::{Bytes, Data},
};
use serde::Serialize;
use tokio::{
    sync::{broadcast, mpsc},
    time::timeout,
};

use crate::inspect::{
    history::{Change, History},
    page::{Page, row::Row},
};

/// How long changes are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(100);

/// How long nothing may be sent before a comment is, which finds out whether the page is still there.
const QUIET: Duration = Duration::from_secs(15);

/// The requests that have changed, and those that were sent before and are not kept any longer.
#[derive(Serialize)]
struct Rows {
    rows: Vec<Row>,
    dropped: Vec<u64>,
}

/// Answers with events until the page closes the connection.
pub(super) fn stream(page: Data<Page>) -> HttpResponse {
    // A page that does not read its events is not sent more: it gets all requests once it reads again.
    let (sender, receiver) = mpsc::channel(1);
    rt::spawn(async move { send(&page, &sender).await });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .body(Events(receiver))
}

/// Sends events. Returns `None` once nobody reads them.
async fn send(page: &Page, sender: &mpsc::Sender<Bytes>) -> Option<()> {
    let mut changes = page.history.subscribe();
    let mut sent = BTreeSet::new();
    sender.send(all(&page.history, &mut sent)?).await.ok()?;
    loop {
        let Ok(first) = timeout(QUIET, changes.recv()).await else {
            sender.send(Bytes::from_static(b": \n\n")).await.ok()?;
            continue;
        };
        rt::time::sleep(GATHER).await;
        let event = match gather(&first, &mut changes) {
            Gathered::Some(ids) => changed(&page.history, &ids, &mut sent)?,
            Gathered::TooMany => all(&page.history, &mut sent)?,
            Gathered::Closed => return None,
        };
        sender.send(event).await.ok()?;
    }
}

/// The changes that were gathered.
enum Gathered {
    Some(BTreeSet<u64>),
    /// Some were missed.
    TooMany,
    Closed,
}

fn gather(
    first: &Result<Change, broadcast::error::RecvError>,
    changes: &mut broadcast::Receiver<Change>,
) -> Gathered {
    use broadcast::error::{RecvError, TryRecvError};
    let mut ids = BTreeSet::new();
    match first {
        Ok(change) => ids.insert(id(*change)),
        Err(RecvError::Lagged(_)) => return Gathered::TooMany,
        Err(RecvError::Closed) => return Gathered::Closed,
    };
    loop {
        match changes.try_recv() {
            Ok(change) => ids.insert(id(change)),
            Err(TryRecvError::Lagged(_)) => return Gathered::TooMany,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Gathered::Some(ids),
        };
    }
}

fn id(change: Change) -> u64 {
    match change {
        Change::Added(id) | Change::Updated(id) | Change::Closed(id) => id,
    }
}

fn all(history: &History, sent: &mut BTreeSet<u64>) -> Option<Bytes> {
    let exchanges = history.list();
    *sent = exchanges.iter().map(|exchange| exchange.id).collect();
    let rows = exchanges.iter().map(|exchange| Row::of(exchange)).collect();
    let dropped = Vec::new();
    event("all", &Rows { rows, dropped })
}

fn changed(history: &History, ids: &BTreeSet<u64>, sent: &mut BTreeSet<u64>) -> Option<Bytes> {
    let exchanges = ids.iter().filter_map(|id| history.get(*id));
    let rows = exchanges.map(|exchange| Row::of(&exchange)).collect();
    sent.extend(ids);
    let kept = history.ids();
    let dropped: Vec<_> = sent.difference(&kept).copied().collect();
    sent.retain(|id| kept.contains(id));
    event("changed", &Rows { rows, dropped })
}

/// Writes an event. JSON on one line has no line end in it.
fn event(name: &str, data: &impl Serialize) -> Option<Bytes> {
    let data = serde_json::to_string(data).ok()?;
    Some(format!("event: {name}\ndata: {data}\n\n").into())
}

/// The body of the answer.
struct Events(mpsc::Receiver<Bytes>);

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{
        exchange::{Exchange, Request, Source},
        history::MAX_EXCHANGES,
    };

    /// A request that takes long has a low number, and is kept for as long as others.
    #[test]
    fn each_request_that_is_not_kept_is_dropped_once() {
        let history = History::new();
        let add = |id| history.add(Exchange::of(id, 0, Source::Arrived, Request::default()));
        let dropped = |ids: [u64; 2], sent: &mut BTreeSet<u64>| {
            let event = changed(&history, &ids.into(), sent).unwrap();
            let text = String::from_utf8(event.to_vec()).unwrap();
            let (_, dropped) = text.split_once("\"dropped\":").unwrap();
            dropped.trim_end().to_owned()
        };
        let last = MAX_EXCHANGES as u64;
        (1..=last).for_each(add);
        let mut sent = BTreeSet::new();
        all(&history, &mut sent).unwrap();
        add(0);
        add(last + 1);
        assert_eq!(dropped([0, last + 1], &mut sent), "[1,2]}");
        add(last + 2);
        assert_eq!(dropped([0, last + 2], &mut sent), "[3]}");
        assert!(history.get(0).is_some());
    }
}
