//! Which macros in a module may make a route.

use proc_macro2::Ident;
use syn::{Item, Path};

/// Macros of the language, and those that write a log, which make no route in the place of a statement.
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

/// Macros by example that are written in the module.
#[derive(Default)]
pub(super) struct Macros(Vec<Ident>);

impl Macros {
    pub(super) fn note(&mut self, item: &Item) {
        if let Item::Macro(definition) = item
            && let Some(name) = &definition.ident
        {
            self.0.push(name.clone());
        }
    }

    /// Returns whether a macro in the place of a statement may make a route and register it. A handler
    /// registers nothing, so that in an `async fn` only the module's own macros are suspected.
    pub(super) fn may_make_a_route(&self, path: &Path, is_async: bool) -> bool {
        let last = path.segments.last().map(|segment| &segment.ident);
        let own = last.is_some_and(|name| self.0.contains(name));
        let harmless = last.is_some_and(|name| HARMLESS.iter().any(|known| name == known));
        own || (!is_async && !harmless)
    }
}
