//! Refuses unprotected functions and closures that an annotated module registers as handlers.

use std::mem;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Expr, ExprCall, ExprMethodCall, ExprPath, ItemFn, ItemMod, Macro, Token,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::{
    attributes::{is_route, metas},
    unprotected::{Unprotected, contains},
    values::{each_value, is_registrar, last, may_register},
};
use crate::{attr::is_own, errors::Errors};

/// Reports each unprotected function of the module that is used as a value, as a handler is, and each
/// closure that is registered. A function that is only called is not registered.
pub(crate) fn check(module: &mut ItemMod, unprotected: &Unprotected, errors: &mut Errors) {
    let mut registrations = Registrations {
        unprotected,
        in_module_with_attribute: false,
        in_macro: false,
        errors,
    };
    visit_mut::visit_item_mod_mut(&mut registrations, module);
}

struct Registrations<'a> {
    unprotected: &'a Unprotected,
    /// Whether the visited code is in a nested module with an attribute of its own, which reports closures.
    in_module_with_attribute: bool,
    /// Whether the visited code is an argument of a macro, where no attribute was added to routes.
    in_macro: bool,
    errors: &'a mut Errors,
}

// It changes nothing, but `Visit` would be one more feature of syn to compile.
impl VisitMut for Registrations<'_> {
    fn visit_item_mod_mut(&mut self, inner: &mut ItemMod) {
        // When the attribute of a nested module expands, it does not know the functions around it.
        let outer = self.in_module_with_attribute;
        self.in_module_with_attribute |= inner.attrs.iter().any(is_own);
        visit_mut::visit_item_mod_mut(self, inner);
        self.in_module_with_attribute = outer;
    }

    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        if may_register(&call.func) {
            call.args.iter().for_each(|arg| self.registered(arg));
        }
        match &mut *call.func {
            // A function that is only called is not a value. There may be blocks in its generic arguments.
            Expr::Path(path) => visit_mut::visit_expr_path_mut(self, path),
            function => self.visit_expr_mut(function),
        }
        call.args
            .iter_mut()
            .for_each(|arg| self.visit_expr_mut(arg));
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        if is_registrar(&call.method) {
            call.args.iter().for_each(|arg| self.registered(arg));
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        if let Some(name) = last(&path.path)
            && contains(&self.unprotected.asynchronous, name)
        {
            self.errors.at(name, PASSED_ON);
        }
        visit_mut::visit_expr_path_mut(self, path);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        // Most macros take expressions, such as `assert!` and `join!`.
        let args = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(mut args) = call.parse_body_with(args) else {
            return self.tokens(call.tokens.clone());
        };
        let outer = mem::replace(&mut self.in_macro, true);
        args.iter_mut().for_each(|arg| self.visit_expr_mut(arg));
        self.in_macro = outer;
    }

    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        let attrs = &function.attrs;
        if self.in_macro && metas(attrs).iter().any(is_route) && !attrs.iter().any(is_own) {
            self.errors.at(&function.sig.ident, IN_MACRO);
        }
        visit_mut::visit_item_fn_mut(self, function);
    }
}

impl Registrations<'_> {
    /// Checks an argument of a registrar, and each part of it whose value may become the argument. Asynchronous
    /// functions are reported wherever they are values.
    fn registered(&mut self, arg: &Expr) {
        each_value(arg, &mut |value| match value {
            Expr::Closure(_) if self.in_module_with_attribute => {}
            Expr::Closure(closure) => self.errors.at(closure.inputs_begin, CLOSURE),
            Expr::Path(path) => {
                if let Some(name) = last(&path.path)
                    && contains(&self.unprotected.plain, name)
                {
                    self.errors.at(name, PASSED_ON);
                }
            }
            Expr::Macro(call) => self.plain_names(call.mac.tokens.clone()),
            _ => {}
        });
    }

    /// Reports each plain function that is named in a macro call.
    fn plain_names(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.plain_names(group.stream()),
                TokenTree::Ident(name) if contains(&self.unprotected.plain, &name) => {
                    self.errors.at(&name, PASSED_ON);
                }
                _ => {}
            }
        }
    }

    /// Checks the tokens in a macro call, where a name followed by parentheses is a call.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name)
                    if contains(&self.unprotected.asynchronous, &name)
                        && !matches!(tokens.peek(), Some(TokenTree::Group(_))) =>
                {
                    self.errors.at(&name, PASSED_ON);
                }
                _ => {}
            }
        }
    }
}

const PASSED_ON: &str = "this may register an unprotected function of the module: write \
                         `#[validate_twilio_request]` above the function, or \
                         `#[validate_twilio_request(skip)]` to leave it unprotected; if this is \
                         something else of the same name, rename it";

const CLOSURE: &str = "a closure can't be protected: replace it with an `async fn` that has \
                       `#[validate_twilio_request]`, or `#[validate_twilio_request(skip)]` to leave \
                       it unprotected";

const IN_MACRO: &str = "the attribute on the module can't protect a route in the argument of a macro: move the function out \
                        of the macro";
