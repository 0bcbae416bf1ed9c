//! Lists the functions of an annotated module that are not protected.

use proc_macro2::Ident;

/// Functions of the module that have neither the attribute nor a route attribute, but may be handlers.
#[derive(Default)]
pub(super) struct Unprotected {
    /// Those that return a future.
    pub(super) asynchronous: Vec<Ident>,
    pub(super) plain: Vec<Ident>,
}
