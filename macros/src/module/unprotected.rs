//! Lists the functions of an annotated module that are not protected.

use proc_macro2::Ident;
use syn::ext::IdentExt;

/// Functions of the module that have neither the attribute nor a route attribute, but may be handlers.
#[derive(Default)]
pub(super) struct Unprotected {
    /// Those that return a future.
    pub(super) asynchronous: Vec<Ident>,
    /// The others, also those of nested modules with an attribute of their own.
    pub(super) plain: Vec<Ident>,
}

/// Returns whether a name is among others, whether or not it is written as a raw identifier.
pub(super) fn contains(names: &[Ident], name: &Ident) -> bool {
    let name = name.unraw();
    names.iter().any(|other| other.unraw() == name)
}
