//! The places of connections. If all are taken, a connection has to leave that waits for its client, such as an idle or a
//! slow one. One that waits for the app leaves only if there is no other, and not before its time.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time,
};

/// How long the app may work on a request before that makes room for others: most answers take less, and a route that
/// never answers should not keep all places.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for a place before looking again for a connection that has to leave.
const PAUSE: Duration = Duration::from_millis(1);

/// All places.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: Vec<Weak<Seat>>,
    wanted: Arc<AtomicBool>,
}

/// Who has to do something next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    Client,
    App,
    /// The tool: it has to read what the client has sent already.
    Tool,
}

/// The place of a connection, which is free when the connection has ended.
#[derive(Debug)]
pub(super) struct Seat {
    turn: Mutex<(Turn, Instant)>,
    /// Whether it is a WebSocket, or asks to be. These have a limit of their own.
    stays: AtomicBool,
    leave: Notify,
    /// Whether a new connection waits for a place.
    wanted: Arc<AtomicBool>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            taken: Vec::new(),
            wanted: Arc::default(),
        }
    }

    /// Takes a place, if need be that of another connection.
    pub(super) async fn take(&mut self) -> Arc<Seat> {
        self.taken.retain(|seat| seat.strong_count() > 0);
        let permit = loop {
            if self.free.available_permits() == 0 {
                self.make_room();
            }
            let permit = self.free.clone().acquire_owned();
            if let Ok(permit) = time::timeout(PAUSE, permit).await {
                break permit.ok();
            }
        };
        self.wanted.store(false, Ordering::Relaxed);
        let seat = Arc::new(Seat::new(permit, self.wanted.clone()));
        self.taken.push(Arc::downgrade(&seat));
        seat
    }

    /// Asks a connection to leave: the one that has waited longest for its client, or else the one that has waited longest
    /// for the app, if that was long. If no one has to, the next one leaves that gets an answer.
    fn make_room(&self) {
        let seats = self.taken.iter().filter_map(Weak::upgrade);
        let seats = seats.filter(|seat| !seat.stays.load(Ordering::Relaxed));
        let first = seats.min_by_key(|seat| *seat.turn());
        if let Some(seat) = first {
            let (turn, since) = *seat.turn();
            if turn == Turn::Client || turn == Turn::App && since.elapsed() >= PATIENCE {
                seat.leave.notify_one();
                return;
            }
        }
        self.wanted.store(true, Ordering::Relaxed);
    }
}

impl Seat {
    /// Constructs a place that does not count if it has no permit.
    pub(super) fn new(permit: Option<OwnedSemaphorePermit>, wanted: Arc<AtomicBool>) -> Self {
        Self {
            turn: Mutex::new((Turn::Tool, Instant::now())),
            stays: AtomicBool::new(false),
            leave: Notify::new(),
            wanted,
            _permit: permit,
        }
    }

    fn turn(&self) -> MutexGuard<'_, (Turn, Instant)> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who has to do something next.
    pub(super) fn set_turn(&self, turn: Turn) {
        let mut now = self.turn();
        if now.0 != turn {
            *now = (turn, Instant::now());
        }
    }

    /// Says that the app has answered a request. If a new connection waits for a place, this one leaves.
    pub(super) fn answered(&self) {
        *self.turn() = (Turn::Client, Instant::now());
        if self.wanted.swap(false, Ordering::Relaxed) {
            self.leave.notify_one();
        }
    }

    /// Sets whether the connection may stay whoever comes.
    pub(super) fn set_stays(&self, stays: bool) {
        self.stays.store(stays, Ordering::Relaxed);
    }

    /// Waits until the connection has to leave.
    pub(super) async fn wait(&self) {
        self.leave.notified().await;
    }
}
