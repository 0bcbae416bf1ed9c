//! Handles each event once, on one machine and on many.
//!
//! A recorded request can be sent again at any time, and Twilio repeats events: it tries webhooks again whose answer
//! was lost, and delivers Event Streams at least once. Behind this guard, a duplicate gets the answer of the first
//! delivery, and the handler does not run.
//!
//! - [`Once`] guards a scope, a resource or a route. The attribute does it with `#[validate_twilio_request(once)]`.
//! - [`OnceEach`] judges the events of a batch.
//! - [`MemoryStore`] remembers events in this process, and `RedisStore` (feature `redis`) for many processes. The
//!   setting is [`once_store`](crate::TwilioConfigBuilder::once_store).
//! - [`EventKey`] chooses what identifies an event. By default, that is the verified signature.
//!
//! The guide's chapter on [replay](crate::guide::replay) says what this prevents and what remains.

mod batch;
mod family;
mod guard;
mod handler;
mod key;
mod memory;
mod middleware;
mod parked;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod store;

#[doc(hidden)]
pub use self::handler::{Answer, Guarded, Settling, settle};
#[cfg(feature = "redis")]
pub use self::redis::{RedisConnection, RedisStore};
pub use self::{
    batch::OnceEach,
    key::{EventKey, OnceKey, VerifiedKey},
    memory::MemoryStore,
    middleware::{Once, OnceMiddleware},
    settings::{Delivery, IfStoreFails, Outcome},
    store::{Claim, OnceStore, OnceStoreError, Owner, StoredAnswer},
};
pub(crate) use self::{handler::is_own, settings::OnceSettings};
