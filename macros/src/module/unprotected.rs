//! What an annotated module has that nothing protects.

use proc_macro2::Ident;

/// Functions of the module that may be handlers, and that nothing stands above that says so.
#[derive(Default)]
pub(super) struct Unprotected {
    pub(super) asynchronous: Vec<Ident>,
    pub(super) plain: Vec<Ident>,
}
