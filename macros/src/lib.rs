//! The attribute of the `actix-twilio` crate, which re-exports it: depend on that one.

mod attr;
mod dispatch;
mod errors;
mod expand;
mod handler;
mod literal;
mod module;

use proc_macro::TokenStream;

/// Lets only genuine Twilio requests reach an actix-web handler.
///
/// Every request is validated before any of the handler's own extractors runs, and before its body:
/// the `X-Twilio-Signature` header must be the HMAC of the URL that Twilio requested and of the
/// form's parameters, under your Auth Token. Other requests get a 403.
///
/// It works above and below actix-web's route attributes, and on functions that are given to
/// `web::post().to(..)`. With `TWILIO_AUTH_TOKEN` in the environment nothing else is needed; a
/// `TwilioConfig` in `app_data` sets more.
///
/// # Examples
///
/// ```
/// use actix_twilio::validate_twilio_request;
/// use actix_web::{Responder, post, web};
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct IncomingMessage {
///     from: String,
/// }
///
/// #[post("/message")]
/// #[validate_twilio_request]
/// async fn message(web::Form(sms): web::Form<IncomingMessage>) -> impl Responder {
///     format!("Hello {}", sms.from)
/// }
/// ```
///
/// # What it writes
///
/// Of the function it rewrites the parameter list only:
///
/// ```
/// # use actix_web::{Responder, web};
/// # #[derive(serde::Deserialize)]
/// # struct IncomingMessage { from: String }
/// async fn message(
///     validated: actix_twilio::Validated<(web::Form<IncomingMessage>,)>,
/// ) -> impl Responder {
///     let inner = validated.into_inner();
///     let (web::Form(sms),) = inner;
///     {
///         format!("Hello {}", sms.from)
///     }
/// }
/// ```
///
/// An attribute that reads the signature, such as `#[tracing::instrument]`, therefore goes above
/// this one. And the function can't be called directly any more; tests send it a request.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `public_url = "https://.."` | the base of the URL that Twilio requests, to which the request's path and query are appended | the app's |
/// | `url = "https://.."` | the whole URL that Twilio requests, without its query, for proxies that rewrite paths | the app's |
/// | `auth_token_env = "NAME"` | the environment variable with the Auth Token, or several separated by commas | the app's keys |
/// | `policy = path::To` | a type that implements `Policy` and chooses the configuration; excludes the three above | the app's |
/// | `crate = path` | where the `actix-twilio` crate is found, if it is renamed or re-exported | `::actix_twilio` |
///
/// Environment variables are read once, with the first request.
///
/// With `url`, the path that the app sees is not a part of what Twilio signed: a request that was recorded for
/// this URL passes on every path that leads to the handler, and at every handler with the same `url`. Have a
/// route without parameters in its path for it, and a `url` for each handler; a module can't have one.
///
/// ```
/// use actix_twilio::validate_twilio_request;
/// use actix_web::{Responder, post};
///
/// #[post("/message")]
/// #[validate_twilio_request(
///     public_url = "https://example.com",
///     auth_token_env = "SUPPORT_AUTH_TOKEN"
/// )]
/// async fn message() -> impl Responder {
///     "genuine"
/// }
/// ```
///
/// # On a module
///
/// On an inline module it protects every function in it that has a route attribute, in nested modules and
/// in functions' bodies too; the module's options go to each, and `url` can't be one of them. A function that
/// shall stay open says so:
///
/// ```
/// use actix_twilio::validate_twilio_request;
///
/// #[validate_twilio_request]
/// mod webhooks {
///     use actix_twilio::validate_twilio_request;
///     use actix_web::{Responder, get, post};
///
///     #[post("/message")]
///     async fn message() -> impl Responder {
///         "genuine"
///     }
///
///     #[get("/health")]
///     #[validate_twilio_request(skip)]
///     async fn health() -> impl Responder {
///         "open"
///     }
/// }
/// ```
///
/// What it can't see is an error and not a hole:
///
/// - a module in another file, and a macro in the place of an item, or of a statement in a function such as
///   `fn configure(cfg: &mut ServiceConfig)`, which may make routes;
/// - an `async fn` that has no route attribute but is `pub` or has an attribute of another crate;
/// - an unprotected `async fn` of the module that is passed on, as in `web::post().to(private)`, and a closure
///   or a plain function that is given to `to` and its like.
///
/// It sees names and not types. What is not of the module it leaves alone: a handler from elsewhere that the
/// module registers, or a type with an `impl Handler` of its own. And it does not see a closure or a plain
/// function behind a variable, a function's result, a trait, another name by `use`, or a macro in an expression.
/// To have those refused too, register with `to_validated`, which takes protected handlers only.
///
/// # Errors
///
/// The compiler refuses the attribute on anything but a module or an `async fn` with at most 16
/// arguments, each of them an extractor of a named type; and options that can't work. A token in the source
/// (`auth_token = ".."`) is refused too: put it into the environment.
#[proc_macro_attribute]
pub fn validate_twilio_request(args: TokenStream, item: TokenStream) -> TokenStream {
    dispatch::attribute(&args.into(), &item.into()).into()
}
