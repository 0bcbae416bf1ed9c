//! Rewrites a module's options for the modules inside it.

use syn::{
    Ident, Path,
    visit_mut::{self, VisitMut},
};

use crate::attr::{OnceOption, Options, PolicyOption};

/// Returns the options with each path that starts with `self` or `super` rewritten to have the same
/// meaning one module deeper.
pub(super) fn one_module_deeper(options: &Options) -> Options {
    let mut options = options.clone();
    OneModuleDeeper.visit_path_mut(&mut options.krate);
    if let PolicyOption::Type(policy) = &mut options.policy {
        OneModuleDeeper.visit_path_mut(policy);
    }
    if let Some(OnceOption::Type(key)) = &mut options.once {
        OneModuleDeeper.visit_path_mut(key);
    }
    options
}

struct OneModuleDeeper;

impl VisitMut for OneModuleDeeper {
    fn visit_path_mut(&mut self, path: &mut Path) {
        if let Some(first) = path.segments.first_mut() {
            if first.ident == "self" {
                first.ident = Ident::new("super", first.ident.span());
            } else if first.ident == "super" {
                let one_more = first.clone();
                path.segments.insert(0, one_more);
            }
        }
        visit_mut::visit_path_mut(self, path);
    }
}
