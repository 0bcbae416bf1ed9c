//! Refuses unprotected functions and closures that an annotated module registers as handlers.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    Block, Expr, ExprCall, ExprMethodCall, ExprPath, ItemMod, Macro, Path, Stmt,
    visit_mut::{self, VisitMut},
};

use super::unprotected::Unprotected;
use crate::{attr::is_own, errors::Errors};

/// Functions and methods of actix-web that turn their argument into a route or a service.
const REGISTRARS: [&str; 12] = [
    "default_service",
    "delete",
    "fn_service",
    "finish",
    "get",
    "head",
    "patch",
    "post",
    "put",
    "query",
    "to",
    "trace",
];

/// Reports each unprotected function of the module that is used as a value, as a handler is, and each
/// closure that is registered. A function that is only called is not registered.
pub(crate) fn check(module: &mut ItemMod, unprotected: &Unprotected, errors: &mut Errors) {
    let mut registrations = Registrations {
        unprotected,
        errors,
    };
    visit_mut::visit_item_mod_mut(&mut registrations, module);
}

struct Registrations<'a> {
    unprotected: &'a Unprotected,
    errors: &'a mut Errors,
}

// It changes nothing, but `Visit` would be one more feature of syn to compile.
impl VisitMut for Registrations<'_> {
    fn visit_item_mod_mut(&mut self, inner: &mut ItemMod) {
        // A module with its own attribute is checked when that one expands.
        if !inner.attrs.iter().any(is_own) {
            visit_mut::visit_item_mod_mut(self, inner);
        }
    }

    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        if let Expr::Path(function) = &*call.func {
            if last(&function.path).is_some_and(is_registrar) {
                call.args.iter().for_each(|arg| self.registered(arg));
            }
        } else {
            self.visit_expr_mut(&mut call.func);
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
            && self.unprotected.asynchronous.contains(name)
        {
            self.errors.at(name, PASSED_ON);
        }
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        self.tokens(call.tokens.clone());
    }
}

impl Registrations<'_> {
    /// Checks an argument of a registrar, and each part of it whose value may become the argument. Asynchronous
    /// functions are reported wherever they are values.
    fn registered(&mut self, arg: &Expr) {
        match arg {
            Expr::Closure(closure) => self.errors.at(closure.inputs_begin, CLOSURE),
            Expr::Path(path) => {
                if let Some(name) = last(&path.path)
                    && self.unprotected.plain.contains(name)
                {
                    self.errors.at(name, PASSED_ON);
                }
            }
            Expr::Macro(call) => self.plain_names(call.mac.tokens.clone()),
            Expr::Block(block) => self.registered_last(&block.block),
            Expr::Const(block) => self.registered_last(&block.block),
            Expr::Unsafe(block) => self.registered_last(&block.block),
            Expr::If(choice) => {
                self.registered_last(&choice.then_branch);
                if let Some((_, other)) = &choice.else_branch {
                    self.registered(other);
                }
            }
            Expr::Match(choice) => {
                for arm in &choice.arms {
                    self.registered(&arm.body);
                }
            }
            Expr::Array(array) => array.elems.iter().for_each(|elem| self.registered(elem)),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|elem| self.registered(elem)),
            Expr::Struct(value) => {
                for field in &value.fields {
                    self.registered(&field.expr);
                }
            }
            Expr::Call(call) => {
                let is_registrar = match &*call.func {
                    Expr::Path(function) => last(&function.path).is_some_and(is_registrar),
                    _ => false,
                };
                // The arguments of another registrar are checked as such.
                if !is_registrar {
                    call.args.iter().for_each(|arg| self.registered(arg));
                }
            }
            Expr::MethodCall(call) => self.registered(&call.receiver),
            Expr::Cast(cast) => self.registered(&cast.expr),
            Expr::Field(field) => self.registered(&field.base),
            Expr::Group(group) => self.registered(&group.expr),
            Expr::Index(index) => self.registered(&index.expr),
            Expr::Paren(paren) => self.registered(&paren.expr),
            Expr::Reference(reference) => self.registered(&reference.expr),
            Expr::Repeat(repeat) => self.registered(&repeat.expr),
            Expr::Try(tried) => self.registered(&tried.expr),
            Expr::Unary(unary) => self.registered(&unary.expr),
            _ => {}
        }
    }

    /// Checks the value of a block.
    fn registered_last(&mut self, block: &Block) {
        if let Some(Stmt::Expr(value, None)) = block.stmts.last() {
            self.registered(value);
        }
    }

    /// Reports each plain function that is named in a macro call.
    fn plain_names(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.plain_names(group.stream()),
                TokenTree::Ident(name) if self.unprotected.plain.contains(&name) => {
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
                    if self.unprotected.asynchronous.contains(&name)
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
                         `#[validate_twilio_request(skip)]` to leave it unprotected; if this is a \
                         variable, rename it";

const CLOSURE: &str = "a closure can't be protected: replace it with an `async fn` that has \
                       `#[validate_twilio_request]`, or `#[validate_twilio_request(skip)]` to leave \
                       it unprotected";

fn is_registrar(name: &Ident) -> bool {
    REGISTRARS.iter().any(|registrar| name == registrar)
}

fn last(path: &Path) -> Option<&Ident> {
    path.segments.last().map(|segment| &segment.ident)
}
