//! The `#[validate_twilio_request]` attribute. Depend on `actix-twilio`, which re-exports it.

#[cfg(test)]
mod assertions;
mod attr;
mod dispatch;
mod errors;
mod expand;
mod handler;
mod literal;
mod module;

use proc_macro::TokenStream;

/// Validates that a request comes from Twilio before an actix-web handler runs.
///
/// Each request is validated before any of the handler's extractors and any line of its body runs. The
/// `X-Twilio-Signature` header must be the signature, made with your Auth Token, of the URL that Twilio
/// requested and of what it sent. Any other request is answered with 403.
///
/// The attribute works above and below actix-web's route attributes, and on functions that are passed
/// to `web::post().to(..)`. It needs only `TWILIO_AUTH_TOKEN` in the environment and, behind a proxy,
/// `TWILIO_WEBHOOK_BASE_URL`. For other settings, put a `TwilioConfig` in `app_data`.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     twiml::{Twiml, Verb},
///     validate_twilio_request,
///     webhook::IncomingMessage,
/// };
/// use actix_web::{post, web};
///
/// #[post("/message")]
/// #[validate_twilio_request]
/// async fn receive_message(web::Form(sms): web::Form<IncomingMessage>) -> Twiml {
///     Twiml::new([Verb::message(format!("Hello {}", sms.from))])
/// }
/// # use actix_twilio::{AuthToken, TwilioConfig};
/// # use actix_web::{App, test};
/// # actix_web::rt::System::new().block_on(async {
/// # let token = AuthToken::new("12345").unwrap();
/// # let config = TwilioConfig::builder().auth_token(token).build().unwrap();
/// # let app = test::init_service(App::new().app_data(config).service(receive_message)).await;
/// # let unsigned = test::TestRequest::post().uri("/message").to_request();
/// # assert_eq!(test::call_service(&app, unsigned).await.status(), 403);
/// # });
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `public_url = "https://.."` | the base of the URL that Twilio requests; the request's path and query are appended to it | the app's setting |
/// | `url = "https://.."` | the whole URL that Twilio requests, without its query, for a proxy that rewrites paths | the app's setting |
/// | `auth_token_env = "NAME"` | the environment variable that holds the Auth Token, or several Auth Tokens separated by commas | the app's keys |
/// | `policy = path::To` | a type that implements `Policy` and chooses the configuration; can't be combined with the three options above | the app's configuration |
/// | `crate = path` | the path of the `actix-twilio` crate, if it is renamed or re-exported | `::actix_twilio` |
///
/// Environment variables are read once, at the first request.
///
/// ```
/// use actix_twilio::{twiml::Twiml, validate_twilio_request};
/// use actix_web::post;
///
/// #[post("/call")]
/// #[validate_twilio_request(
///     public_url = "https://example.com",
///     auth_token_env = "SUPPORT_AUTH_TOKEN"
/// )]
/// async fn receive_call() -> Twiml {
///     Twiml::empty()
/// }
/// ```
///
/// # On a module
///
/// On an inline module, the attribute protects every function that has a route attribute, including
/// those in nested modules and in function bodies. The module's options apply to each of them. The
/// option `url` is not allowed there. To leave a route unprotected, write `skip` on its function:
///
/// ```
/// use actix_twilio::validate_twilio_request;
///
/// #[validate_twilio_request]
/// mod webhooks {
///     use actix_twilio::{twiml::Twiml, validate_twilio_request};
///     use actix_web::{get, post};
///
///     #[post("/message")]
///     async fn receive_message() -> Twiml {
///         Twiml::empty()
///     }
///
///     #[get("/health")]
///     #[validate_twilio_request(skip)]
///     async fn health() -> &'static str {
///         "ok"
///     }
/// }
/// ```
///
/// Anything that may hide a route from the attribute is a compile error:
///
/// - a module in another file;
/// - a macro call as an item, or as a statement in a non-async function such as
///   `fn configure(cfg: &mut ServiceConfig)`, except for well-known macros such as `println!`;
/// - an `async fn` that has no route attribute, but is `pub` or has an attribute from another crate;
/// - an unprotected `async fn` of the module that is used as a value, as in `web::post().to(private)`;
/// - a closure, or a non-async function of the module, that is passed to `to` or a similar method.
///
/// The attribute sees names, not types. It does not check:
///
/// - a handler that is defined outside the module and registered inside it;
/// - a type that implements `Handler`;
/// - a closure or a non-async function that reaches `to` through a variable, a return value, a trait, a
///   renamed import, or a macro in an expression.
///
/// To have the compiler refuse these as well, register handlers with `to_validated`, which accepts
/// only protected ones.
///
/// # Expansion
///
/// The attribute replaces the function's parameters with a single one, and binds your own patterns at
/// the start of the body. The first example expands to:
///
/// ```
/// # use actix_twilio::{
/// #     twiml::{Twiml, Verb},
/// #     webhook::IncomingMessage,
/// # };
/// # use actix_web::{post, web};
/// #[post("/message")]
/// async fn receive_message(
///     validated: actix_twilio::Validated<(web::Form<IncomingMessage>,)>,
/// ) -> Twiml {
///     let inner = validated.into_inner();
///     let (web::Form(sms),) = inner;
///     {
///         Twiml::new([Verb::message(format!("Hello {}", sms.from))])
///     }
/// }
/// ```
///
/// Put an attribute that reads the function's signature, such as `#[tracing::instrument]`, above this
/// one. The function can no longer be called directly: in tests, send it a request.
///
/// # Security
///
/// With `url`, the signature does not cover the path of the request that your app receives: a request
/// that was signed for this URL is accepted on every path that leads to the handler, and by every
/// handler with the same `url`. Give each handler a `url` of its own, and a route without path
/// parameters.
///
/// # Errors
///
/// The attribute does not compile on anything other than a module or an `async fn`. A handler takes at
/// most 16 arguments, each of them an extractor whose type can be named. Options that can't work are
/// errors, and so is an Auth Token in the source (`auth_token = ".."`): set it in the environment.
#[proc_macro_attribute]
pub fn validate_twilio_request(args: TokenStream, item: TokenStream) -> TokenStream {
    dispatch::attribute(&args.into(), &item.into()).into()
}
