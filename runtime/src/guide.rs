//! Chapters on one topic each. Their code is compiled and run with the tests.
//!
//! - [Protect an endpoint](protect): app, test, proxy and CI, to paste
//! - [From Twilio's Flask tutorial](flask), line by line
//! - [Behind ngrok, nginx, a load balancer](proxies), and with a path prefix
//! - [Rotation and subaccounts](rotation)
//! - [WebSockets](websockets)
//! - [Testing](testing)
//! - [Real calls and messages on your machine](local)
//! - [Troubleshooting](troubleshooting), by symptom
//! - [Replay and idempotency](replay)
//! - [Metrics and traces](metrics)
//! - [How Twilio signs](signing), and how the official SDKs differ
//!
//! The modules are empty. They exist only in the documentation.

#[doc = include_str!("../guide/protect.md")]
pub mod protect {}

#[doc = include_str!("../guide/flask.md")]
pub mod flask {}

#[doc = include_str!("../guide/proxies.md")]
pub mod proxies {}

#[doc = include_str!("../guide/rotation.md")]
pub mod rotation {}

#[doc = include_str!("../guide/websockets.md")]
pub mod websockets {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/local.md")]
pub mod local {}

#[doc = include_str!("../guide/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("../guide/replay.md")]
pub mod replay {}

#[doc = include_str!("../guide/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../guide/signing.md")]
pub mod signing {}
