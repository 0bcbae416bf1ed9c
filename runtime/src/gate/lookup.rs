//! Validates a request with keys from a store, which are looked up by what the request claims.

use std::{sync::Arc, time::Instant};

use twilio_signature::{
    Accepted, AccountSid, RequestValidator, SignatureErrorKind, stages::CheckedHead,
};

use super::Content;
use crate::{
    error::{ValidationError, ValidationErrorKind},
    keys::{Answer, KeyQuery, KeyStoreError, Lookup, MAX_SHARED_KEY_ID},
    origin::Origin,
    report,
};

/// Looks up the keys for the account and the SharedKey that a request names, and validates the request with them.
pub(super) async fn check<'a>(
    store: &Lookup,
    account: Option<AccountSid>,
    head: CheckedHead<'a>,
    origin: &'a Origin,
    content: Content,
    looked_up: &mut Option<Arc<RequestValidator>>,
) -> Result<(Option<AccountSid>, Accepted<'a>, Content), ValidationError> {
    let query = query(&head, account)?;
    let failed = |err: KeyStoreError| {
        report::key_store_failure(&err);
        ValidationError::from(ValidationErrorKind::KeyStoreFailed)
    };
    let content = content.kept();
    let mut check = |answer: &Answer| match &answer.keys {
        Some(validator) => {
            *looked_up = Some(Arc::clone(validator));
            let url = head.check_url(validator, &origin.url, origin.base_path());
            Ok(url
                .and_then(|url| content.check(url))
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
    Ok((query.account, accepted, content))
}

/// Returns the question for the keys of a request that names this account.
pub(super) fn query(
    head: &CheckedHead<'_>,
    account: Option<AccountSid>,
) -> Result<KeyQuery, ValidationError> {
    Ok(KeyQuery {
        account,
        shared_key: match head.shared_key_id() {
            None => None,
            Some(id) => match str::from_utf8(id) {
                Ok(id) if id.len() <= MAX_SHARED_KEY_ID => Some(id.to_owned()),
                _ => return Err(SignatureErrorKind::KeyUnknown.into()),
            },
        },
    })
}
