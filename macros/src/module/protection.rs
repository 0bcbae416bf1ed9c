//! Adds the attribute to each route of a module, and finds what it can't see.

use std::mem;

use syn::{
    Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, Meta, ReturnType, Signature, Stmt,
    TraitItemFn, Visibility, parse_quote, parse_quote_spanned,
    visit_mut::{self, VisitMut},
};

use super::{
    attributes::{is_harmless, is_route, metas},
    macros::Macros,
    nested::one_module_deeper,
    unprotected::Unprotected,
};
use crate::{
    attr::{Options, is_own},
    errors::Errors,
};

const MACRO: &str = "the attribute can't see the routes that this macro may make: move it out of \
                     the module";

/// Adds the attribute to each route, and returns how many there are, and what is unprotected.
pub(super) fn add(
    module: &mut ItemMod,
    options: &Options,
    errors: &mut Errors,
) -> (usize, Unprotected) {
    let mut protection = Protection {
        options: options.clone(),
        errors,
        routes: 0,
        unprotected: Unprotected::default(),
        macros: Macros::default(),
        body: None,
    };
    protection.content(module);
    (protection.routes, protection.unprotected)
}

struct Protection<'a> {
    /// The module's options as its functions get them: seen from where they stand.
    options: Options,
    errors: &'a mut Errors,
    /// How many were seen, protected or skipped.
    routes: usize,
    unprotected: Unprotected,
    macros: Macros,
    /// The function whose body this is.
    body: Option<Body>,
}

#[derive(Clone, Copy)]
struct Body {
    is_async: bool,
    returns_nothing: bool,
}

/// A function, free or associated.
struct Function<'f> {
    attrs: &'f mut Vec<Attribute>,
    vis: &'f Visibility,
    sig: &'f Signature,
    block: &'f mut Block,
}

impl VisitMut for Protection<'_> {
    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        self.function(Function {
            attrs: &mut function.attrs,
            vis: &function.vis,
            sig: &function.sig,
            block: &mut function.block,
        });
        self.in_body(&function.sig, &mut function.block);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        // One with a receiver is called by the module's own code; actix-web registers no such.
        if function.sig.receiver().is_none() {
            self.function(Function {
                attrs: &mut function.attrs,
                vis: &function.vis,
                sig: &function.sig,
                block: &mut function.block,
            });
        }
        self.in_body(&function.sig, &mut function.block);
    }

    fn visit_trait_item_fn_mut(&mut self, function: &mut TraitItemFn) {
        if let Some(block) = &mut function.default {
            self.in_body(&function.sig, block);
        }
    }

    fn visit_item_mod_mut(&mut self, inner: &mut ItemMod) {
        if inner.attrs.iter().any(is_own) {
            // It expands by itself, with its own options.
            self.routes += 1;
            return;
        }
        let nested = one_module_deeper(&self.options);
        let outer = mem::replace(&mut self.options, nested);
        self.content(inner);
        self.options = outer;
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Macro(call) if call.mac.path.is_ident("macro_rules") => {}
            Item::Macro(call) => self.errors.at(&call.mac.path, MACRO),
            Item::Verbatim(tokens) => self.errors.at(
                tokens,
                "the attribute does not know this kind of item: move it out of the module",
            ),
            item => visit_mut::visit_item_mut(self, item),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        // A macro may be defined below its use.
        for statement in &block.stmts {
            if let Stmt::Item(item) = statement {
                self.macros.note(item);
            }
        }
        let last = block.stmts.len().saturating_sub(1);
        for (index, statement) in block.stmts.iter_mut().enumerate() {
            if let Stmt::Macro(call) = statement
                && let Some(body) = self.body
            {
                let is_value = index == last && call.semi_token.is_none() && !body.returns_nothing;
                if !is_value && self.macros.may_make_a_route(&call.mac.path, body.is_async) {
                    self.errors.at(&call.mac.path, MACRO);
                }
            }
            self.visit_stmt_mut(statement);
        }
    }
}

impl Protection<'_> {
    fn content(&mut self, module: &mut ItemMod) {
        let Some((_, items)) = &mut module.content else {
            self.errors.at(
                &module.ident,
                "the attribute can't see into a module in another file: write it in that file, \
                 above an inline module",
            );
            return;
        };
        for item in &*items {
            self.macros.note(item);
        }
        for item in items {
            self.visit_item_mut(item);
        }
    }

    fn in_body(&mut self, sig: &Signature, block: &mut Block) {
        let outer = self.body.replace(Body {
            is_async: sig.asyncness.is_some(),
            returns_nothing: matches!(sig.output, ReturnType::Default),
        });
        self.visit_block_mut(block);
        self.body = outer;
    }

    fn function(&mut self, function: Function<'_>) {
        let Function {
            attrs,
            vis,
            sig,
            block,
        } = function;
        let own: Vec<_> = attrs.iter().filter(|attr| is_own(attr)).collect();
        if let [first, rest @ ..] = &own[..] {
            self.routes += 1;
            // Beside another one, it is told of as it expands.
            if rest.is_empty() && self.is_skip(first) {
                // The attribute's name is looked up as any other's, and its import is not unused.
                let path = first.path();
                let lookup = parse_quote!(#[allow(unused_imports)] use #path as _;);
                block.stmts.insert(0, lookup);
                attrs.retain(|attr| !is_own(attr));
            }
            return;
        }
        let metas = metas(attrs);
        if metas.iter().any(is_route) {
            self.routes += 1;
            let options = &self.options;
            let krate = &options.krate;
            // At the function's name, so that errors point into the module.
            let attribute = parse_quote_spanned! {sig.ident.span()=>
                #[#krate::validate_twilio_request(#options)]
            };
            attrs.push(attribute);
        } else if sig.asyncness.is_none() {
            self.unprotected.plain.push(sig.ident.clone());
        } else if let Some(unknown) = metas.iter().find(|meta| !is_harmless(meta)) {
            self.errors.at(
                unknown.path(),
                "the attribute on the module can't tell whether this one makes a route: write \
                 `#[validate_twilio_request]` or `#[validate_twilio_request(skip)]` above the function",
            );
        } else if !matches!(vis, Visibility::Inherited) {
            self.errors.at(
                &sig.ident,
                "this function may be registered as a route elsewhere: write \
                 `#[validate_twilio_request]` or `#[validate_twilio_request(skip)]` above it",
            );
        } else {
            self.unprotected.asynchronous.push(sig.ident.clone());
        }
    }

    /// Returns whether our attribute says `skip`. What is wrong beside it would be told by nobody else.
    fn is_skip(&mut self, attr: &Attribute) -> bool {
        let Meta::List(list) = &attr.meta else {
            return false;
        };
        let mut errors = Errors::default();
        let options = Options::parse(list.tokens.clone(), &mut errors);
        let skip = options.skip.is_some();
        if skip {
            self.errors.append(errors);
        }
        skip
    }
}
