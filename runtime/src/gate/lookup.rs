//! Validates a request with keys from a store, which are looked up by what the request claims.

use std::{sync::Arc, time::Instant};

use twilio_signature::{
    Accepted, AccountSid, RequestValidator, SignatureErrorKind, WebhookRequest, stages::CheckedHead,
};

use crate::{
    error::{ValidationError, ValidationErrorKind},
    keys::{Answer, KeyQuery, KeyStoreError, Lookup, MAX_SHARED_KEY_ID},
    report,
};

/// Looks up the keys for the account and the SharedKey that a request names, and validates the request with them.
/// `head` is the request's own.
pub(super) async fn check<'a>(
    store: &Lookup,
    head: &CheckedHead<'a>,
    request: &WebhookRequest<'a>,
    looked_up: &mut Option<Arc<RequestValidator>>,
) -> Result<(Option<AccountSid>, Accepted<'a>), ValidationError> {
    let query = query(head, request)?;
    let failed = |err: KeyStoreError| {
        report::key_store_failure(&err);
        ValidationError::from(ValidationErrorKind::KeyStoreFailed)
    };
    let mut check = |answer: &Answer| match &answer.keys {
        Some(validator) => {
            *looked_up = Some(Arc::clone(validator));
            Ok(head
                .check(validator, request)
                .map_err(ValidationErrorKind::from)?)
        }
        None => Err(ValidationError::from(ValidationErrorKind::AccountUnknown)),
    };

    let arrived = Instant::now();
    let answer = store.answer(&query, arrived).await.map_err(failed)?;
    let outdated_keys = |err: &ValidationError| {
        use SignatureErrorKind::{KeyUnknown, SignatureMismatch};
        use ValidationErrorKind::{AccountUnknown, Signature};
        matches!(
            err.kind(),
            Signature(SignatureMismatch | KeyUnknown) | AccountUnknown
        )
    };
    let verdict = match check(&answer) {
        Err(err) if outdated_keys(&err) => {
            let newer = store.newer_answer(&query, arrived, &answer).await;
            match newer.map_err(failed)? {
                Some(answer) => check(&answer),
                None => Err(err),
            }
        }
        verdict => verdict,
    };
    let accepted = verdict?;
    store.prove(&query);
    Ok((query.account, accepted))
}

/// Returns the question for the keys of a request.
pub(super) fn query(
    head: &CheckedHead<'_>,
    request: &WebhookRequest<'_>,
) -> Result<KeyQuery, ValidationError> {
    Ok(KeyQuery {
        account: AccountSid::claimed_by(request).map_err(ValidationErrorKind::from)?,
        shared_key: match head.shared_key_id() {
            None => None,
            Some(id) => match str::from_utf8(id) {
                Ok(id) if id.len() <= MAX_SHARED_KEY_ID => Some(id.to_owned()),
                _ => return Err(SignatureErrorKind::KeyUnknown.into()),
            },
        },
    })
}
