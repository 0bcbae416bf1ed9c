//! What `TwilioConfig` says about handling each event once.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{
    memory::MemoryStore,
    store::{AnyStore, OnceStore},
};
use crate::config::Hook;

/// The longest time for which a duplicate waits for the answer to the first. Twilio waits 15 s for an answer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The number of duplicates that may wait at once: each asks the store again and again.
const MOST_WAITING: usize = 256;

/// What happens to a request while the store can't say whether its event was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IfStoreFails {
    /// It is answered with 503. This is the default. Twilio tries a webhook again only if its URL asks for that, with
    /// `#rc=3&rp=5xx,ct,rt` at its end.
    #[default]
    Refuse,
    /// It is handled, perhaps for the second time. This is for events whose loss is worse than a repeat.
    Handle,
}

/// A delivery of an event, as the hook of [`on_delivery`](crate::TwilioConfigBuilder::on_delivery) receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub(crate) outcome: Outcome,
    pub(crate) route: Option<String>,
}

impl Delivery {
    /// Returns what became of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the pattern of the route, such as `/{tenant}/message`, or `None` if no route matches.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The event is handled.
    First,
    /// The event was handled before: the answer of the first delivery was given again.
    Duplicate,
    /// The same, after a wait for the first delivery's answer.
    Waited,
    /// The first delivery did not end within the longest wait: 503.
    WaitedInVain,
    /// The event is handled, because the lease of another run ended without an answer: its process may have died.
    TakenOver,
    /// The store failed: see [`IfStoreFails`].
    StoreFailed,
    /// The event is handled, because nothing distinguishes it from another one of the same call.
    Unguarded,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Duplicate,
        Self::Waited,
        Self::WaitedInVain,
        Self::TakenOver,
        Self::StoreFailed,
        Self::Unguarded,
    ];

    /// Returns its name in `snake_case`, a stable label for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Duplicate => "duplicate",
            Self::Waited => "waited",
            Self::WaitedInVain => "waited_in_vain",
            Self::TakenOver => "taken_over",
            Self::StoreFailed => "store_failed",
            Self::Unguarded => "unguarded",
        }
    }
}

pub(crate) type DeliveryHook = dyn Fn(&Delivery) + Send + Sync;

/// The settings, each documented at the method of `TwilioConfigBuilder` that sets it.
#[derive(Debug, Clone)]
pub(crate) struct OnceSettings {
    pub(crate) store: Option<AnyStore>,
    pub(crate) lease: Duration,
    pub(crate) retention: Duration,
    pub(crate) if_store_fails: IfStoreFails,
    pub(crate) on_delivery: Option<Hook<DeliveryHook>>,
    /// A permit for each duplicate that may wait.
    pub(super) waiting: Arc<Semaphore>,
}

impl OnceSettings {
    pub(crate) fn set_store(&mut self, store: impl OnceStore) {
        self.store = Some(AnyStore::new(store));
    }

    /// Returns the store, or else that of the process.
    pub(super) fn store(&self) -> AnyStore {
        static OF_PROCESS: LazyLock<AnyStore> = LazyLock::new(|| {
            tracing::warn!(
                target: "actix_twilio",
                "events are remembered in the memory of this process alone, until it ends: to share them \
                 between processes, set once_store in TwilioConfig",
            );
            AnyStore::new(MemoryStore::default())
        });
        match &self.store {
            Some(store) => store.clone(),
            None => OF_PROCESS.clone(),
        }
    }
}

impl Default for OnceSettings {
    fn default() -> Self {
        Self {
            store: None,
            lease: Duration::from_secs(20),
            retention: Duration::from_secs(24 * 60 * 60),
            if_store_fails: IfStoreFails::default(),
            on_delivery: None,
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
        }
    }
}
