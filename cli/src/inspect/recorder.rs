//! Takes what the relay recorded out of its way: it is judged and kept in a thread of its own.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::inspect::{exchange::Exchange, frames::Seen, history::History, judge::Judge, kind};

/// The largest number of notes that wait.
const MAX_NOTES: usize = 1024;

/// The largest sum of the exchanges that wait, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

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
        if seen.count > 0 {
            let note = Note::Frames(id, std::mem::take(seen));
            if let Err(err) = self.notes.try_send(note)
                && let std::sync::mpsc::TrySendError::Full(Note::Frames(_, kept)) = err
            {
                *seen = kept;
            }
        }
    }

    /// Records that a WebSocket has closed.
    pub(super) fn closed(&self, id: u64) {
        // If too many notes wait, it stays open in the record.
        let _ = self.notes.try_send(Note::Closed(id));
    }
}

fn record(notes: &Receiver<Note>, waiting: &AtomicUsize, history: &History, judge: &Judge) {
    for note in notes {
        match note {
            Note::Exchange(mut exchange) => {
                let size = exchange.size();
                exchange.kind = kind::of(&exchange.request);
                judge.judge(&mut exchange);
                waiting.fetch_sub(size, Ordering::Relaxed);
                history.add(*exchange);
            }
            Note::Frames(id, seen) => history.add_frames(id, seen),
            Note::Closed(id) => history.close(id),
        }
    }
}
