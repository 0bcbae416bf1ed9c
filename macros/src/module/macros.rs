//! Determines which macro calls in a module may create a route.

use proc_macro2::Ident;
use syn::{ItemMacro, ItemMod, Path, visit_mut::VisitMut};

use super::unprotected::contains;

/// Macros of the standard library and of well-known crates for logging, errors and futures. As a statement, they never create a route.
const HARMLESS: [&str; 31] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "event",
    "format",
    "info",
    "join",
    "log",
    "panic",
    "pin",
    "print",
    "println",
    "select",
    "todo",
    "trace",
    "try_join",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

/// The `macro_rules!` macros that are defined in a module, and in all modules and blocks inside it: a `use` or
/// `#[macro_use]` can make each of them known anywhere.
#[derive(Default)]
pub(super) struct Macros(Vec<Ident>);

impl Macros {
    pub(super) fn of(module: &mut ItemMod) -> Self {
        let mut macros = Self::default();
        macros.visit_item_mod_mut(module);
        macros
    }

    /// Returns whether a macro call in place of a statement may create a route and register it.
    ///
    /// A handler registers nothing. In it, therefore, only the module's own macros are suspect.
    pub(super) fn may_create_route(&self, path: &Path, in_handler: bool) -> bool {
        let last = path.segments.last().map(|segment| &segment.ident);
        let is_harmless = last.is_some_and(|name| HARMLESS.iter().any(|known| name == known));
        self.defines(path) || (!in_handler && !is_harmless)
    }

    /// Returns whether a path names one of these macros.
    pub(super) fn defines(&self, path: &Path) -> bool {
        let last = path.segments.last();
        last.is_some_and(|segment| contains(&self.0, &segment.ident))
    }
}

impl VisitMut for Macros {
    fn visit_item_macro_mut(&mut self, item: &mut ItemMacro) {
        self.0.extend(item.ident.clone());
    }
}
