//! The places of connections. If all are taken, a connection has to leave that waits for its client, such as an idle or a
//! slow one. One that waits for the app leaves only if there is no other, and not before its time.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
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

/// How long a client may do nothing before it makes room for others. What a new one sent is read by then.
const GRACE: Duration = Duration::from_millis(50);

/// How long to wait for a place before looking again for a connection that has to leave.
const PAUSE: Duration = Duration::from_millis(20);

/// All places.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: Vec<Weak<Seat>>,
}

/// The place of a connection, which is free when the connection has ended.
#[derive(Debug)]
pub(super) struct Seat {
    /// When the request began that the app has to answer next, or else the last one, or else the connection.
    since: Mutex<Instant>,
    /// Whether the app's answer to a whole request is waited for.
    waits_for_app: AtomicBool,
    /// Whether it is a WebSocket, or asks to be. These have a limit of their own.
    stays: AtomicBool,
    leave: Notify,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            taken: Vec::new(),
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
        let seat = Arc::new(Seat::new(permit));
        self.taken.push(Arc::downgrade(&seat));
        seat
    }

    /// Asks a connection to leave, if its time is over: of those that wait for their clients, or else of all, the one whose
    /// request began longest ago.
    fn make_room(&self) {
        let seats = self.taken.iter().filter_map(Weak::upgrade);
        let seats = seats.filter(|seat| !seat.stays.load(Ordering::Relaxed));
        let seats = seats.map(|seat| {
            (
                seat.waits_for_app.load(Ordering::Relaxed),
                seat.since(),
                seat,
            )
        });
        let first = seats.min_by_key(|(waits_for_app, since, _)| (*waits_for_app, *since));
        if let Some((waits_for_app, since, seat)) = first
            && since.elapsed() >= if waits_for_app { PATIENCE } else { GRACE }
        {
            seat.leave.notify_one();
        }
    }
}

impl Seat {
    /// Constructs a place that does not count if it has no permit.
    pub(super) fn new(permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            since: Mutex::new(Instant::now()),
            waits_for_app: AtomicBool::new(false),
            stays: AtomicBool::new(false),
            leave: Notify::new(),
            _permit: permit,
        }
    }

    fn since(&self) -> Instant {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a request begins, or that the one before it was answered.
    pub(super) fn begin(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Sets whether the connection waits for the app, and not for its client.
    pub(super) fn set_waits_for_app(&self, waits: bool) {
        self.waits_for_app.store(waits, Ordering::Relaxed);
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
