//! Decides for each genuine request whether its event is handled, and gives a duplicate the first answer.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody, to_bytes},
    http::{StatusCode, header::CONTENT_TYPE},
    rt::time::{Instant, sleep},
    web::Bytes,
};
use tokio::runtime::Handle;

use super::{
    key::{EventKey, OnceKey},
    settings::{IfStoreFails, LONGEST_WAIT, OnceSettings, Outcome},
    store::{Claim, OnceStoreError, Owner, StoredAnswer},
};
use crate::{
    config::TwilioConfig,
    error::{ConfigError, ValidationErrorKind},
    gate::{NotEnforced, Proof, misconfigured},
    report::once as report,
};

/// The times between two looks of a waiting duplicate: at first this one, then twice as much each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// The time between two tries to store an answer after the store failed.
const PAUSE_TO_FINISH: Duration = Duration::from_millis(500);

/// What a request may do.
pub(crate) enum Turn {
    /// Its event is handled, and the answer goes through the ticket.
    Handle(Ticket),
    /// It goes on as if there was no guard.
    Pass,
    /// Its event was handled before.
    Answered(HttpResponse),
}

/// The marker of a request that another guard further outside has let through.
struct Guarded;

/// Determines what a request may do. It must have been validated.
pub(crate) async fn take_turn<K: EventKey>(req: &HttpRequest) -> Result<Turn, Error> {
    if req.extensions().contains::<Guarded>() {
        return Ok(Turn::Pass);
    }
    let Some(proof) = req.extensions().get::<Proof>().cloned() else {
        if req.extensions().contains::<NotEnforced>() {
            report::idle();
            req.extensions_mut().insert(EachOfBatch::Idle);
            return Ok(Turn::Pass);
        }
        return Err(misconfigured(&ConfigError::new(
            "once",
            "the request of a guarded route was not validated, so its event is unknown",
            "wrap TwilioValidation around Once (in actix-web, what is wrapped last runs first), or write \
             #[validate_twilio_request(once)] above the handler",
        )));
    };
    let ticket = Ticket::new(proof.config());
    let turn = match K::key(req, &proof) {
        Some(key) => ticket.claim(req, key).await?,
        None => {
            report::delivery(Outcome::Unguarded, req, proof.config());
            Turn::Handle(ticket)
        }
    };
    if let Turn::Handle(ticket) = &turn {
        let mut extensions = req.extensions_mut();
        extensions.insert(Guarded);
        extensions.insert(EachOfBatch::Of {
            claims: Arc::clone(&ticket.0),
            account: proof.account().map(ToString::to_string).unwrap_or_default(),
        });
    }
    Ok(turn)
}

/// The right to handle an event. It is given back if the ticket is dropped before the answer is known.
pub(crate) struct Ticket(Arc<Claims>);

/// What a request has claimed.
pub(super) struct Claims {
    owner: Owner,
    pub(super) config: TwilioConfig,
    /// The request's own key, and those of the events in it.
    claimed: Mutex<Vec<Claimed>>,
}

struct Claimed {
    key: OnceKey,
    /// Whether this is the key of the whole request, whose answer is stored.
    is_request: bool,
}

/// How a store answered to a claim, after a wait if there was one.
pub(super) enum Claiming {
    First { taken_over: bool },
    Done { answer: StoredAnswer, waited: bool },
    StillInProgress,
}

impl Ticket {
    fn new(config: &TwilioConfig) -> Self {
        Self(Arc::new(Claims {
            owner: Owner::new(),
            config: config.clone(),
            claimed: Mutex::default(),
        }))
    }

    async fn claim(self, req: &HttpRequest, key: OnceKey) -> Result<Turn, Error> {
        let config = self.0.config.clone();
        let refuse = |kind: ValidationErrorKind| Err(config.response_error(kind.into(), req));
        let (outcome, turn) = match self.0.claim(key, true).await {
            Ok(Claiming::First { taken_over: false }) => (Outcome::First, Turn::Handle(self)),
            Ok(Claiming::First { taken_over: true }) => (Outcome::TakenOver, Turn::Handle(self)),
            Ok(Claiming::Done { answer, waited }) => {
                let outcome = if waited {
                    Outcome::Waited
                } else {
                    Outcome::Duplicate
                };
                (outcome, Turn::Answered(answer.to_response()))
            }
            Ok(Claiming::StillInProgress) => {
                report::delivery(Outcome::WaitedInVain, req, &config);
                return refuse(ValidationErrorKind::OnceInProgress);
            }
            Err(err) => {
                let handled = self.0.settings().if_store_fails == IfStoreFails::Handle;
                report::store_failure(&err, handled, req, &config);
                if !handled {
                    return refuse(ValidationErrorKind::OnceStoreFailed);
                }
                return Ok(Turn::Handle(self));
            }
        };
        report::delivery(outcome, req, &config);
        Ok(turn)
    }

    /// Stores the answer for duplicates, or lets the next delivery be handled if the handler failed. Returns the
    /// answer.
    pub(crate) async fn settle<B: MessageBody + 'static>(
        self,
        res: HttpResponse<B>,
    ) -> HttpResponse<BoxBody> {
        let status = res.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.give_back().await;
            return res.map_into_boxed_body();
        }
        let (head, body) = res.into_parts();
        let content_type = head.headers().get(CONTENT_TYPE).cloned();
        let max_body = StoredAnswer::MAX_BODY as u64;
        let (kept, body) = match body.size() {
            BodySize::None => (Some(Bytes::new()), BoxBody::new(body)),
            BodySize::Sized(len) if len <= max_body => match to_bytes(body).await {
                Ok(bytes) => (Some(bytes.clone()), BoxBody::new(bytes)),
                Err(_) => {
                    self.give_back().await;
                    return HttpResponse::InternalServerError().finish();
                }
            },
            BodySize::Sized(_) | BodySize::Stream => (None, BoxBody::new(body)),
        };
        let answer = match kept {
            Some(body) => StoredAnswer {
                status: if body.is_empty() && status == StatusCode::OK {
                    StatusCode::NO_CONTENT
                } else {
                    status
                },
                content_type,
                body,
            },
            None => {
                report::answer_not_kept();
                StoredAnswer::EMPTY
            }
        };
        self.finish(&answer).await;
        head.set_body(body)
    }

    async fn finish(self, answer: &StoredAnswer) {
        let settings = self.0.settings();
        let store = settings.store();
        for Claimed { key, is_request } in self.0.take() {
            let answer = if is_request {
                answer
            } else {
                &StoredAnswer::EMPTY
            };
            match store
                .finish(&key, self.0.owner, answer, settings.retention)
                .await
            {
                Ok(true) => {}
                Ok(false) => report::claim_lost(),
                Err(err) => {
                    report::finish_failure(&err);
                    self.0.finish_later(key, answer.clone());
                }
            }
        }
    }

    async fn give_back(self) {
        let claimed = self.0.take();
        self.0.release(claimed).await;
    }
}

/// Releases what is claimed: the handler panicked, or actix dropped it because the client went away.
impl Drop for Ticket {
    fn drop(&mut self) {
        let claimed = self.0.take();
        // Without a runtime, which ends with the process, the claim ends with its lease.
        if !claimed.is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            let claims = Arc::clone(&self.0);
            runtime.spawn(async move { claims.release(claimed).await });
        }
    }
}

impl Claims {
    pub(super) fn settings(&self) -> &OnceSettings {
        &self.config.options().once
    }

    /// Claims a key, and waits if another owner has it.
    pub(super) async fn claim(
        &self,
        key: OnceKey,
        is_request: bool,
    ) -> Result<Claiming, OnceStoreError> {
        let settings = self.settings();
        let store = settings.store();
        let start = Instant::now();
        let mut place = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let claim = store.claim(&key, self.owner, settings.lease).await;
            if !matches!(claim, Ok(Claim::InProgress | Claim::Done(_))) {
                // After an error too: the store may have the claim all the same.
                self.claimed().push(Claimed { key, is_request });
            }
            match claim? {
                Claim::First => return Ok(Claiming::First { taken_over: false }),
                Claim::TakenOver => return Ok(Claiming::First { taken_over: true }),
                Claim::Done(answer) => {
                    let waited = place.is_some();
                    return Ok(Claiming::Done { answer, waited });
                }
                Claim::InProgress => {}
            }
            if place.is_none() {
                place = settings.waiting.try_acquire().ok();
            }
            if place.is_none() || start.elapsed() + pause > LONGEST_WAIT {
                return Ok(Claiming::StillInProgress);
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Returns whether a key is claimed by this very request.
    pub(super) fn has(&self, key: &OnceKey) -> bool {
        self.claimed().iter().any(|claimed| claimed.key == *key)
    }

    /// Tries again to store an answer, until the lease ends.
    fn finish_later(self: &Arc<Self>, key: OnceKey, answer: StoredAnswer) {
        let claims = Arc::clone(self);
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let settings = claims.settings();
            let store = settings.store();
            let start = Instant::now();
            while start.elapsed() + PAUSE_TO_FINISH < settings.lease {
                sleep(PAUSE_TO_FINISH).await;
                let finished = store
                    .finish(&key, claims.owner, &answer, settings.retention)
                    .await;
                if finished.is_ok() {
                    return;
                }
            }
        });
    }

    async fn release(&self, claimed: Vec<Claimed>) {
        let store = self.settings().store();
        for Claimed { key, .. } in claimed {
            // A claim that can't be released ends with its lease.
            if let Err(err) = store.release(&key, self.owner).await {
                report::release_failure(&err);
            }
        }
    }

    fn take(&self) -> Vec<Claimed> {
        mem::take(&mut *self.claimed())
    }

    fn claimed(&self) -> MutexGuard<'_, Vec<Claimed>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the extractor for the events of a batch needs, left in the request.
#[derive(Clone)]
pub(super) enum EachOfBatch {
    /// Validation is not enforced, so each event counts as new.
    Idle,
    Of {
        claims: Arc<Claims>,
        /// The account that the request names, or nothing.
        account: String,
    },
}
