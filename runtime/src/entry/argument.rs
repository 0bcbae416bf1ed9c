//! What an argument of a handler must be.

use actix_web::FromRequest;

/// An extractor. The attribute asks for this instead of [`FromRequest`], so that the compiler's message says what to
/// write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor, so a handler can't take it",
    label = "this is not an extractor",
    note = "write `web::Form(name): web::Form<{Self}>` for the parameters that Twilio sends, `web::Json` for JSON, or \
            `web::Data` for shared state"
)]
pub trait Extractor: FromRequest {}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> Extractor for T {}
