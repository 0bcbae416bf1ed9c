//! Judges each event of a batch.

use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, dev::Payload};

use super::{
    guard::{Claiming, EachOfBatch},
    key::OnceKey,
    settings::{IfStoreFails, Outcome},
};
use crate::{
    error::{ConfigError, ValidationErrorKind},
    gate::misconfigured,
    report::once as report,
};

/// Says which events of a batch are new. Event Streams may deliver an event again in another batch, which has another
/// signature.
///
/// A handler takes it as an argument, behind [`Once`](super::Once) or the attribute with `once`. Its events count as
/// handled as soon as the handler has answered; if it fails, all of them may come again.
///
/// # Examples
///
/// ```
/// use actix_twilio::{TwilioValidation, once::{Once, OnceEach}, twiml::NoContent, webhook::CloudEvents};
/// use actix_web::{App, Error, web};
///
/// async fn receive_events(
///     CloudEvents(events): CloudEvents,
///     once: OnceEach,
/// ) -> Result<NoContent, Error> {
///     for event in events {
///         if once.first(&event.id).await? {
///             println!("{} {}", event.event_type, event.id);
///         }
///     }
///     Ok(NoContent)
/// }
///
/// let app = App::new().service(
///     web::resource("/events")
///         .wrap(Once::new())
///         .wrap(TwilioValidation::new())
///         .route(web::post().to(receive_events)),
/// );
/// ```
pub struct OnceEach {
    req: HttpRequest,
    batch: EachOfBatch,
}

impl OnceEach {
    /// Returns whether the event with this id is new, for the account that the request names. An event that is being
    /// handled in another request is waited for.
    ///
    /// While validation only reports or is off, each event is new.
    ///
    /// # Errors
    ///
    /// Returns the error for a 503 if the store fails, unless the setting is [`IfStoreFails::Handle`], or if another
    /// request still handles the event. Event Streams then deliver the batch again.
    pub async fn first(&self, id: &str) -> Result<bool, Error> {
        let EachOfBatch::Of { claims, account } = &self.batch else {
            return Ok(true);
        };
        let key = OnceKey::of_parts("event", [account.as_bytes(), id.as_bytes()]);
        if claims.has(&key) {
            return Ok(false);
        }
        let (req, config) = (&self.req, &claims.config);
        let refuse = |kind: ValidationErrorKind| Err(config.response_error(kind.into(), req));
        let outcome = match claims.claim(key, false).await {
            Ok(Claiming::First { taken_over: false }) => Outcome::First,
            Ok(Claiming::First { taken_over: true }) => Outcome::TakenOver,
            Ok(Claiming::Done { waited: false, .. }) => Outcome::Duplicate,
            Ok(Claiming::Done { waited: true, .. }) => Outcome::Waited,
            Ok(Claiming::StillInProgress) => {
                report::delivery(Outcome::WaitedInVain, req, config);
                return refuse(ValidationErrorKind::OnceInProgress);
            }
            Err(err) => {
                let handled = claims.settings().if_store_fails == IfStoreFails::Handle;
                report::store_failure(&err, handled, req, config);
                return if handled {
                    Ok(true)
                } else {
                    refuse(ValidationErrorKind::OnceStoreFailed)
                };
            }
        };
        report::delivery(outcome, req, config);
        Ok(matches!(outcome, Outcome::First | Outcome::TakenOver))
    }
}

impl fmt::Debug for OnceEach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceEach(..)")
    }
}

impl FromRequest for OnceEach {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let batch = req.extensions().get::<EachOfBatch>().cloned();
        ready(match batch {
            Some(batch) => Ok(Self {
                req: req.clone(),
                batch,
            }),
            None => Err(misconfigured(&ConfigError::new(
                "OnceEach",
                "a handler takes it, but nothing guards its route",
                "wrap Once around the route, inside TwilioValidation, or write #[validate_twilio_request(once)] above \
                 the handler",
            ))),
        })
    }
}
