//! The middleware, for handlers that are not annotated one by one.

use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::{
        ContentTypeError, JsonPayloadError, ParseError, PathError, PayloadError, QueryPayloadError,
        UrlencodedError,
    },
    http::{Method, StatusCode},
};

use super::{
    guard::{Turn, take_turn},
    key::{EventKey, VerifiedKey},
};
use crate::error::ValidationError;

/// Handles each event once, on a `Scope`, a `Resource` or a `Route` whose requests
/// [`TwilioValidation`](crate::TwilioValidation) has validated. A duplicate gets the first answer.
///
/// If an extractor refuses a request, or the answer is 405 or an empty 404, as the router gives it, no handler has run, and the
/// next delivery is handled. The same holds for a default service that answers with 4xx, if the path has no route, or if the
/// method is neither GET nor POST, which Twilio sends. Everything else counts as a handler: a default service with
/// another status, an extractor with an `error_handler`, or a `String` that is not UTF-8.
///
/// In actix-web, the middleware that is wrapped last runs first, so wrap this one *before*
/// [`TwilioValidation`](crate::TwilioValidation). If a request was not validated, it gets a 500. For a handler with
/// `#[validate_twilio_request]`, write `#[validate_twilio_request(once)]` instead.
///
/// # Examples
///
/// ```
/// use actix_twilio::{AuthToken, TwilioConfig, TwilioValidation, once::Once, twiml::MessagingResponse};
/// use actix_web::{App, web};
///
/// let config = TwilioConfig::builder().auth_token(AuthToken::new("12345")?).build()?;
/// let app = App::new().app_data(config).service(
///     web::scope("/twilio")
///         .wrap(Once::new())
///         .wrap(TwilioValidation::new())
///         .route("/message", web::post().to(async || MessagingResponse::new())),
/// );
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
pub struct Once<K = VerifiedKey> {
    key: PhantomData<fn() -> K>,
}

impl Once {
    /// Constructs the middleware with the default key, that of the verified signature.
    #[must_use]
    pub fn new() -> Self {
        Self::by()
    }
}

impl<K: EventKey> Once<K> {
    /// Constructs the middleware with a key of your own: `Once::<MyKey>::by()`.
    #[must_use]
    pub fn by() -> Self {
        Self { key: PhantomData }
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for Once<K> {
    fn clone(&self) -> Self {
        Self { key: PhantomData }
    }
}

impl<K> fmt::Debug for Once<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl<S, B, K> Transform<S, ServiceRequest> for Once<K>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    K: EventKey,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = OnceMiddleware<S, K>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(OnceMiddleware {
            service: Rc::new(service),
            key: PhantomData,
        }))
    }
}

/// The service that [`Once`] makes.
#[derive(Debug)]
pub struct OnceMiddleware<S, K = VerifiedKey> {
    service: Rc<S>,
    key: PhantomData<fn() -> K>,
}

impl<S, B, K> Service<ServiceRequest> for OnceMiddleware<S, K>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    K: EventKey,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let service = Rc::clone(&self.service);
        Box::pin(async move {
            // The request is borrowed and never cloned, because the router inside must be its only owner.
            let ticket = match take_turn::<K>(req.request()).await {
                Ok(Turn::Handle(ticket)) => ticket,
                Ok(Turn::Pass) => return Ok(service.call(req).await?.map_into_boxed_body()),
                Ok(Turn::Answered(answer)) => return Ok(req.into_response(answer)),
                Err(err) => return Ok(req.error_response(err)),
            };
            let (req, res) = service.call(req).await?.into_parts();
            let res = if reached_no_handler(&req, &res) {
                ticket.give_back().await;
                res.map_into_boxed_body()
            } else {
                ticket.settle(res).await
            };
            Ok(ServiceResponse::new(req, res))
        })
    }
}

/// Returns whether a response comes from the router or from an extractor, so that the event was not handled. The method
/// and the boundaries of a form are not signed: a copy with others must not become the answer of an event that Twilio
/// delivers later.
fn reached_no_handler<B: MessageBody>(req: &HttpRequest, res: &HttpResponse<B>) -> bool {
    // A default service answers paths without a route, and those whose guards want another method.
    let has_route = req.match_pattern().is_some() && is_sent_by_twilio(req.method());
    match res.status() {
        StatusCode::METHOD_NOT_ALLOWED => true,
        // The router answers so if no route of a path has the method, too.
        StatusCode::NOT_FOUND if is_empty(res.body().size()) => true,
        status if status.is_client_error() && !has_route => true,
        _ => res.error().is_some_and(is_of_extractor),
    }
}

fn is_empty(size: BodySize) -> bool {
    matches!(size, BodySize::None | BodySize::Sized(0))
}

fn is_sent_by_twilio(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::POST)
}

fn is_of_extractor(err: &Error) -> bool {
    err.as_error::<ValidationError>().is_some()
        || err.as_error::<UrlencodedError>().is_some()
        || err.as_error::<JsonPayloadError>().is_some()
        || err.as_error::<QueryPayloadError>().is_some()
        || err.as_error::<PathError>().is_some()
        || err.as_error::<PayloadError>().is_some()
        || err.as_error::<ContentTypeError>().is_some()
        || err.as_error::<ParseError>().is_some()
}
