//! Takes what the relay recorded out of its way: it is judged and kept in a thread of its own.

use std::{
    io, mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::time;

use crate::inspect::{
    exchange::Exchange, frames::Seen, history::History, judge::Judge, kind, summary,
};

/// The largest number of notes that wait.
const MAX_NOTES: usize = 1024;

/// The largest sum of the exchanges and frames that wait, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long a WebSocket that has closed waits for room in the record.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits before it looks again.
const PAUSE: Duration = Duration::from_millis(10);

/// Where the relay leaves what it recorded. It never waits.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    notes: SyncSender<Note>,
    waiting: Arc<AtomicUsize>,
    history: Arc<History>,
}

#[derive(Debug)]
enum Note {
    Exchange(Box<Exchange>),
    Frames(u64, Seen),
    Closed(u64),
}

impl Recorder {
    /// Starts the thread, which ends with the last recorder.
    pub(crate) fn start(history: Arc<History>, judge: Arc<Judge>) -> io::Result<Self> {
        let (notes, received) = sync_channel(MAX_NOTES);
        let recorder = Self {
            notes,
            waiting: Arc::default(),
            history: history.clone(),
        };
        let waiting = recorder.waiting.clone();
        thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || record(&received, &waiting, &history, &judge))?;
        Ok(recorder)
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Records an exchange that has ended, or whose WebSocket has opened. If too many wait, it is only counted.
    pub(super) fn exchange(&self, exchange: Exchange) {
        let size = exchange.size();
        if self.waiting.fetch_add(size, Ordering::Relaxed) + size <= MAX_BYTES
            && self
                .notes
                .try_send(Note::Exchange(Box::new(exchange)))
                .is_ok()
        {
            return;
        }
        self.waiting.fetch_sub(size, Ordering::Relaxed);
        self.history.leave_out();
    }

    /// Records frames. They stay in `seen` if too many notes wait.
    pub(super) fn frames(&self, id: u64, seen: &mut Seen) {
        if seen.count == 0 {
            return;
        }
        let size = seen.size();
        if self.waiting.fetch_add(size, Ordering::Relaxed) + size <= MAX_BYTES {
            match self.notes.try_send(Note::Frames(id, mem::take(seen))) {
                Err(TrySendError::Full(Note::Frames(_, kept))) => *seen = kept,
                _ => return,
            }
        }
        self.waiting.fetch_sub(size, Ordering::Relaxed);
    }

    /// Records that a WebSocket has closed, and the last of its frames, once there is room for them.
    pub(super) async fn closed(&self, id: u64, mut seen: Seen) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.frames(id, &mut seen);
            if seen.count == 0 && self.notes.try_send(Note::Closed(id)).is_ok() {
                return;
            }
            if Instant::now() >= end {
                return;
            }
            time::sleep(PAUSE).await;
        }
    }
}

fn record(notes: &Receiver<Note>, waiting: &AtomicUsize, history: &History, judge: &Judge) {
    for note in notes {
        match note {
            Note::Exchange(mut exchange) => {
                let size = exchange.size();
                exchange.kind = kind::of(&exchange.request);
                exchange.summary = summary::of(&exchange);
                judge.judge(&mut exchange);
                waiting.fetch_sub(size, Ordering::Relaxed);
                history.add(*exchange);
            }
            Note::Frames(id, seen) => {
                waiting.fetch_sub(seen.size(), Ordering::Relaxed);
                history.add_frames(id, seen);
            }
            Note::Closed(id) => history.close(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{
        exchange::{Request, Source},
        frames::FrameParser,
    };

    /// Returns a recorder whose notes nobody takes yet.
    fn full() -> (Recorder, Receiver<Note>) {
        let (notes, received) = sync_channel(2);
        let recorder = Recorder {
            notes,
            waiting: Arc::default(),
            history: Arc::new(History::new()),
        };
        let exchange = Exchange::of(1, 0, Source::Arrived, Request::default());
        recorder.history.add(exchange);
        (recorder, received)
    }

    #[test]
    fn frames_are_counted_even_if_the_record_is_behind() {
        const PIECES: u64 = 100;
        let (recorder, received) = full();
        let mut parser = FrameParser::new(true, false);
        let mut seen = Seen::default();
        for _ in 0..PIECES {
            parser.take(&[0x89, 0].repeat(1000), Duration::ZERO, &mut seen);
            recorder.frames(1, &mut seen);
        }
        // Two notes wait, and the rest is bounded.
        assert_eq!(seen.count, (PIECES - 2) * 1000);
        assert!(seen.last.len() <= 64, "{}", seen.last.len());
        let (waiting, history) = (recorder.waiting.clone(), recorder.history.clone());
        let taking = thread::spawn(move || {
            let judge = Judge::new(None, None);
            record(&received, &waiting, &history, &judge);
            (waiting.load(Ordering::Relaxed), history)
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(recorder.closed(1, seen));
        drop(recorder);
        let (waiting, history) = taking.join().unwrap();
        let frames = history.get(1).unwrap().frames.clone();
        assert_eq!((frames.count, frames.closed), (PIECES * 1000, true));
        assert!(frames.last.len() <= 500);
        assert_eq!(waiting, 0);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let (recorder, received) = full();
        recorder.waiting.store(MAX_BYTES, Ordering::Relaxed);
        let mut parser = FrameParser::new(true, false);
        let mut seen = Seen::default();
        parser.take(b"\x81\x01a", Duration::ZERO, &mut seen);
        recorder.frames(1, &mut seen);
        assert_eq!(seen.count, 1);
        assert!(received.try_recv().is_err());
        assert_eq!(recorder.waiting.load(Ordering::Relaxed), MAX_BYTES);
    }
}
