//! Determines which macro calls in a module may create a route.

use proc_macro2::Ident;
use syn::{Item, Path};

/// Macros of the standard library and of logging crates. As a statement, they never create a route.
const HARMLESS: [&str; 25] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "error",
    "event",
    "format",
    "info",
    "log",
    "panic",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

/// The `macro_rules!` macros that are defined in the module.
#[derive(Default)]
pub(super) struct Macros(Vec<Ident>);

impl Macros {
    /// Adds the item if it defines a macro.
    pub(super) fn note(&mut self, item: &Item) {
        if let Item::Macro(definition) = item
            && let Some(name) = &definition.ident
        {
            self.0.push(name.clone());
        }
    }

    /// Returns whether a macro call in place of a statement may create a route and register it.
    ///
    /// Handlers register nothing. In an `async fn`, therefore, only the module's own macros are suspect.
    pub(super) fn may_create_route(&self, path: &Path, is_async: bool) -> bool {
        let last = path.segments.last().map(|segment| &segment.ident);
        let is_own = last.is_some_and(|name| self.0.contains(name));
        let is_harmless = last.is_some_and(|name| HARMLESS.iter().any(|known| name == known));
        is_own || (!is_async && !is_harmless)
    }
}
