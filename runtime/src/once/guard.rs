//! Decides for each genuine request whether its event is handled, and gives a duplicate the first answer.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody, to_bytes},
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION},
    },
    rt::time::{Instant, sleep},
    web::Bytes,
};
use tokio::runtime::Handle;

use super::{
    key::{EventKey, OnceKey},
    settings::{IfStoreFails, LONGEST_WAIT, OnceSettings, Outcome},
    store::{Claim, OnceStoreError, Owner, StoredAnswer, TIME_LIMIT},
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
    /// The time that claims have taken so far.
    spent: Mutex<Duration>,
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
            spent: Mutex::default(),
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
        if is_failure(status) {
            self.0.release().await;
            return res.map_into_boxed_body();
        }
        if !self.0.claimed().iter().any(|claimed| claimed.is_request) {
            self.finish(StoredAnswer::EMPTY).await;
            return res.map_into_boxed_body();
        }
        let (head, body) = res.into_parts();
        let header = |name| head.headers().get(name).cloned();
        let max_body = StoredAnswer::MAX_BODY as u64;
        let (kept, body) = match body.size() {
            // Without the header, nobody could read it.
            _ if head.headers().contains_key(CONTENT_ENCODING) => (None, BoxBody::new(body)),
            BodySize::None => (Some(Bytes::new()), BoxBody::new(body)),
            BodySize::Sized(len) if len <= max_body => match to_bytes(body).await {
                Ok(bytes) => (Some(bytes.clone()), BoxBody::new(bytes)),
                Err(_) => {
                    self.0.release().await;
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
                content_type: header(CONTENT_TYPE),
                location: header(LOCATION),
                body,
            },
            None => {
                report::answer_not_kept();
                StoredAnswer::EMPTY
            }
        };
        self.finish(answer).await;
        head.set_body(body)
    }

    /// Lets the next delivery be handled.
    pub(crate) async fn give_back(self) {
        self.0.release().await;
    }

    async fn finish(self, answer: StoredAnswer) {
        let mut claimed = self.0.take();
        // The request's own key is the first, and what is taken next is the last.
        claimed.reverse();
        let mut unstored = Unstored {
            claimed,
            claims: Arc::clone(&self.0),
            answer,
            is_late: false,
        };
        let start = Instant::now();
        while !unstored.claimed.is_empty() && start.elapsed() < TIME_LIMIT {
            if let Err(err) = unstored.store_one().await {
                report::finish_failure(&err);
                return;
            }
        }
    }
}

/// Returns whether an answer means that the event was not handled, so that another delivery must be. After a 401, Twilio
/// sends the same request again with a password.
fn is_failure(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        )
}

/// What was handled and is not stored yet. If it is dropped, it is stored later: the store failed or is slow, or the
/// client went away.
struct Unstored {
    claims: Arc<Claims>,
    claimed: Vec<Claimed>,
    answer: StoredAnswer,
    /// It is stored later already, and is not put off again when the process ends.
    is_late: bool,
}

impl Unstored {
    async fn store_one(&mut self) -> Result<(), OnceStoreError> {
        let Some(Claimed { key, is_request }) = self.claimed.last() else {
            return Ok(());
        };
        let answer = if *is_request {
            &self.answer
        } else {
            &StoredAnswer::EMPTY
        };
        let settings = self.claims.settings();
        let retention = key.retention(settings.retention);
        let stored = settings
            .store()
            .finish(key, self.claims.owner, answer, retention)
            .await?;
        if !stored {
            report::claim_lost();
        }
        self.claimed.pop();
        Ok(())
    }

    /// Tries again until the lease ends.
    async fn store_later(mut self) {
        let lease = self.claims.settings().lease;
        let start = Instant::now();
        while !self.claimed.is_empty() {
            if let Err(err) = self.store_one().await {
                if start.elapsed() + PAUSE_TO_FINISH >= lease {
                    report::finish_failure(&err);
                    return;
                }
                sleep(PAUSE_TO_FINISH).await;
            }
        }
    }
}

impl Drop for Unstored {
    fn drop(&mut self) {
        if self.is_late || self.claimed.is_empty() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let rest = Self {
                is_late: true,
                claims: Arc::clone(&self.claims),
                claimed: mem::take(&mut self.claimed),
                answer: self.answer.clone(),
            };
            runtime.spawn(rest.store_later());
        }
    }
}

/// Releases what is claimed: the handler panicked, or actix dropped it because the client went away.
impl Drop for Ticket {
    fn drop(&mut self) {
        // Without a runtime, which ends with the process, the claim ends with its lease.
        if !self.0.claimed().is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            let claims = Arc::clone(&self.0);
            runtime.spawn(async move { claims.release().await });
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
        let spent = *self.spent();
        if spent >= LONGEST_WAIT {
            return Err("the store is too slow for the number of events in this request".into());
        }
        // Before the answer, which may never arrive: the client goes away, or the store has the claim and fails.
        self.claimed().push(Claimed { key, is_request });
        let start = Instant::now();
        let claiming = self
            .claim_or_wait(&key, LONGEST_WAIT.saturating_sub(spent))
            .await;
        *self.spent() += start.elapsed();
        if matches!(
            claiming,
            Ok(Claiming::Done { .. } | Claiming::StillInProgress)
        ) {
            self.claimed().retain(|claimed| claimed.key != key);
        }
        claiming
    }

    async fn claim_or_wait(
        &self,
        key: &OnceKey,
        longest: Duration,
    ) -> Result<Claiming, OnceStoreError> {
        let settings = self.settings();
        let store = settings.store();
        let start = Instant::now();
        let mut place = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            match store.claim(key, self.owner, settings.lease).await? {
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
            if place.is_none() || start.elapsed() + pause > longest {
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

    /// Releases what is claimed. What a failing or slow store does not release ends with its lease.
    async fn release(&self) {
        let store = self.settings().store();
        let start = Instant::now();
        while start.elapsed() < TIME_LIMIT {
            let last = self.claimed().last().map(|claimed| claimed.key);
            let Some(key) = last else { return };
            if let Err(err) = store.release(&key, self.owner).await {
                report::release_failure(&err);
                self.take();
                return;
            }
            self.claimed().pop();
        }
    }

    fn take(&self) -> Vec<Claimed> {
        mem::take(&mut *self.claimed())
    }

    fn claimed(&self) -> MutexGuard<'_, Vec<Claimed>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spent(&self) -> MutexGuard<'_, Duration> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
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
