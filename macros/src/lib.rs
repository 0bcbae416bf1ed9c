//! The attribute of the `actix-twilio` crate, which re-exports it: depend on that one.

mod attr;
mod expand;
mod handler;

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
/// `crate = path`: where the `actix-twilio` crate is found, if it is renamed or re-exported. The
/// default is `::actix_twilio`.
///
/// # Errors
///
/// The compiler refuses the attribute on anything but an `async fn` with at most 16 arguments, each
/// of them an extractor of a named type.
#[proc_macro_attribute]
pub fn validate_twilio_request(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(args.into(), &item.into()).into()
}
