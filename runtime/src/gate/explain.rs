//! Explains verdicts in code, with the same search as the log.

use std::time::Instant;

use actix_web::HttpRequest;

use twilio_signature::{AccountSid, explain::Explanation, stages::CheckedHead};

use super::{head, lookup};
use crate::{
    config::{KeySource, TwilioConfig},
    origin::Origin,
    report,
};

impl TwilioConfig {
    /// Explains whether and why this configuration refuses a request with this body, and what to change: for tests
    /// and for tools of your own.
    ///
    /// It returns `None` if there is nothing to explain: if validation is off, if the URL can't be determined from
    /// the request, or if there are no keys for it.
    ///
    /// # Security
    ///
    /// An explanation is not a verdict, and it takes time: for some milliseconds or more, the worker answers nothing
    /// else. So do not explain each request that a stranger sends. The log explains one a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::{AuthToken, TwilioConfig};
    /// use actix_web::test::TestRequest;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = TwilioConfig::builder().auth_token(AuthToken::new("12345")?).build()?;
    /// let request = TestRequest::with_uri("/status")
    ///     .insert_header(("Host", "example.com"))
    ///     .insert_header(("X-Twilio-Signature", "GWPK65ZeLeY8mgFb30piWRkT1X4="))
    ///     .to_http_request();
    ///
    /// // A proxy ended TLS.
    /// let explanation = config.explain(&request, b"").await.ok_or("there are keys")?;
    /// assert_eq!(
    ///     explanation.advice,
    ///     "set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://example.com"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(&self, req: &HttpRequest, body: &[u8]) -> Option<Explanation> {
        let origin = Origin::of(req, self).ok()?;
        let request = head(req).body(body);
        let looked_up;
        let validator = match self.keys() {
            KeySource::Off => return None,
            KeySource::Fixed(validator) => validator,
            KeySource::Store(store) => {
                let whole = request.url(&origin.url);
                let query = {
                    let account = AccountSid::claimed_by(&whole).ok()?;
                    lookup::query(&CheckedHead::of(&whole).ok()?, account).ok()?
                };
                let answer = store.answer(&query, Instant::now()).await.ok()?;
                looked_up = answer.keys?;
                &looked_up
            }
        };
        Some(report::explain(
            req, self, validator, request, &origin, None,
        ))
    }
}
