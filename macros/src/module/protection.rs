//! Adds the attribute to each route of a module, and refuses what may hide a route from it.

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, Block, ForeignItem, Ident, ImplItem, ImplItemFn, Item, ItemFn, ItemMod, Meta, Path,
    ReceiverKind, ReturnType, Signature, Stmt, TraitItem, TraitItemFn, Visibility,
    ext::IdentExt,
    parse_quote, parse_quote_spanned,
    visit_mut::{self, VisitMut},
};

use super::{
    attributes::{is_cfg_attr, is_harmless, is_route, metas},
    inherited::inherit,
    macros::Macros,
    nested::one_module_deeper,
    unprotected::Unprotected,
};
use crate::{
    attr::{Options, is_own, is_own_path},
    errors::Errors,
    handler::find_ident,
};

/// The option of an attribute that is only there to use its name. It is allowed on `const _: () = ();` only, which it
/// removes.
pub(crate) const USED: &str = "__used";

const MACRO: &str = "the attribute on the module can't see routes that this macro may create: \
                     move the macro call out of the module, or register all routes in a \
                     `ProtectedScope`, which takes protected handlers only";

const CONDITIONAL: &str = "the attribute can't be in a `cfg_attr` here, because its options would not be combined with \
                           those of the module: write it without `cfg_attr`";

const ITEM: &str =
    "the attribute on the module does not support this kind of item: move it out of the module";

/// Adds the attribute to each route. Returns the number of routes, and the functions left unprotected.
pub(super) fn protect_routes(
    module: &mut ItemMod,
    options: &Options,
    errors: &mut Errors,
) -> (usize, Unprotected) {
    let mut protection = Protection {
        options: options.clone(),
        errors,
        routes: 0,
        unprotected: Unprotected::default(),
        macros: Macros::of(module),
        body: Body::default(),
    };
    protection.protect_contents(module);
    (protection.routes, protection.unprotected)
}

struct Protection<'a> {
    /// The options of the annotated module, as they read in the module that is being visited.
    options: Options,
    errors: &'a mut Errors,
    /// The number of routes so far, protected or skipped.
    routes: usize,
    unprotected: Unprotected,
    macros: Macros,
    /// The body that is being visited.
    body: Body,
}

/// The body of a function, or by default the value of a constant.
#[derive(Clone, Copy, Default)]
struct Body {
    of_handler: bool,
    returns_nothing: bool,
}

/// A free or associated function.
struct Function<'f> {
    attrs: &'f mut Vec<Attribute>,
    vis: &'f Visibility,
    sig: &'f Signature,
    block: &'f mut Block,
}

impl VisitMut for Protection<'_> {
    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        let of_handler = self.protect_function(Function {
            attrs: &mut function.attrs,
            vis: &function.vis,
            sig: &function.sig,
            block: &mut function.block,
        });
        self.visit_rest(of_handler, &mut function.sig, Some(&mut function.block));
    }

    fn visit_impl_item_mut(&mut self, item: &mut ImplItem) {
        match item {
            ImplItem::Macro(call) => self.errors.at(&call.mac.path, MACRO),
            ImplItem::Verbatim(tokens) => self.errors.at(tokens, ITEM),
            item => visit_mut::visit_impl_item_mut(self, item),
        }
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        // A method that takes `self` by value may be registered as a handler: `self` is an extractor then.
        let receiver = function.sig.receiver();
        let borrows_self =
            receiver.is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(..)));
        let of_handler = !borrows_self
            && self.protect_function(Function {
                attrs: &mut function.attrs,
                vis: &function.vis,
                sig: &function.sig,
                block: &mut function.block,
            });
        self.visit_rest(of_handler, &mut function.sig, Some(&mut function.block));
    }

    fn visit_trait_item_mut(&mut self, item: &mut TraitItem) {
        match item {
            TraitItem::Macro(call) => self.errors.at(&call.mac.path, MACRO),
            TraitItem::Verbatim(tokens) => self.errors.at(tokens, ITEM),
            item => visit_mut::visit_trait_item_mut(self, item),
        }
    }

    fn visit_foreign_item_mut(&mut self, item: &mut ForeignItem) {
        match item {
            ForeignItem::Macro(call) => self.errors.at(&call.mac.path, MACRO),
            ForeignItem::Verbatim(tokens) => self.errors.at(tokens, ITEM),
            item => visit_mut::visit_foreign_item_mut(self, item),
        }
    }

    fn visit_trait_item_fn_mut(&mut self, function: &mut TraitItemFn) {
        self.refuse_conditional(&function.attrs);
        inherit(&mut function.attrs, &self.options, self.errors);
        self.visit_rest(false, &mut function.sig, function.default.as_mut());
    }

    fn visit_item_mod_mut(&mut self, inner: &mut ItemMod) {
        let nested = one_module_deeper(&self.options);
        if inner.attrs.iter().any(is_own) {
            // It has its own expansion, which does not know what the modules around it register.
            self.routes += 1;
            inherit(&mut inner.attrs, &nested, self.errors);
            PlainFunctions(&mut self.unprotected.plain).visit_item_mod_mut(inner);
            OuterMacros {
                inner: Macros::of(inner),
                all: &self.macros,
                returns_nothing: false,
                errors: self.errors,
            }
            .visit_item_mod_mut(inner);
            return;
        }
        self.refuse_conditional(&inner.attrs);
        let outer = mem::replace(&mut self.options, nested);
        self.protect_contents(inner);
        self.options = outer;
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Macro(call) if call.mac.path.is_ident("macro_rules") && call.ident.is_some() => {}
            Item::Macro(call) => self.errors.at(&call.mac.path, MACRO),
            Item::Verbatim(tokens) => self.errors.at(tokens, ITEM),
            item => visit_mut::visit_item_mut(self, item),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        for called in statement_macros(block, self.body.returns_nothing) {
            if self.macros.may_create_route(called, self.body.of_handler) {
                self.errors.at(called, MACRO);
            }
        }
        visit_mut::visit_block_mut(self, block);
    }
}

impl Protection<'_> {
    fn protect_contents(&mut self, module: &mut ItemMod) {
        let Some((_, items)) = &mut module.content else {
            self.errors.at(
                &module.ident,
                "the attribute can't see into a module in another file: write the attribute in that \
                 file, on an inline module",
            );
            return;
        };
        for item in items {
            self.visit_item_mut(item);
        }
    }

    /// Refuses an attribute of this crate in a `cfg_attr`, and a `cfg_attr` that can't be read.
    fn refuse_conditional(&mut self, attrs: &[Attribute]) {
        let conditional = attrs.iter().filter(|attr| !is_own(attr));
        for meta in metas(conditional) {
            if is_own_path(meta.path()) || is_cfg_attr(&meta) {
                self.errors.at(meta.path(), CONDITIONAL);
            }
        }
    }

    /// Visits the signature, which may have blocks in its types, and the body.
    fn visit_rest(&mut self, of_handler: bool, sig: &mut Signature, block: Option<&mut Block>) {
        let outer = mem::take(&mut self.body);
        self.visit_signature_mut(sig);
        if let Some(block) = block {
            self.body = Body {
                of_handler,
                returns_nothing: returns_nothing(sig),
            };
            self.visit_block_mut(block);
        }
        self.body = outer;
    }

    /// Adds the attribute to a route, and notes or refuses other functions. Returns whether the function is a
    /// handler.
    fn protect_function(&mut self, function: Function<'_>) -> bool {
        let Function {
            attrs,
            vis,
            sig,
            block,
        } = function;
        let own: Vec<_> = attrs.iter().filter(|attr| is_own(attr)).collect();
        if let [first, rest @ ..] = &own[..] {
            self.routes += 1;
            // If there are several, the first of them reports the others when it expands.
            let is_skip = rest.is_empty() && self.is_skip(first);
            if is_skip {
                // The name must resolve, and an import of it must not be reported as unused.
                let path = first.path();
                let used = Ident::new(USED, Span::mixed_site());
                block
                    .stmts
                    .insert(0, parse_quote!(#[#path(#used)] const _: () = ();));
                attrs.retain(|attr| !is_own(attr));
            } else {
                inherit(attrs, &self.options, self.errors);
            }
            return !is_skip;
        }
        self.refuse_conditional(attrs);
        let metas = metas(&*attrs);
        let is_route = metas.iter().any(is_route);
        if is_route {
            self.routes += 1;
            let options = &self.options;
            let krate = &options.krate;
            // With the span of the function's name, so that errors point into the module.
            let attribute = parse_quote_spanned! {sig.ident.span()=>
                #[#krate::validate_twilio_request(#options)]
            };
            attrs.push(attribute);
        } else if !returns_future(sig) {
            self.unprotected.plain.push(sig.ident.clone());
        } else if let Some(unknown) = metas.iter().find(|meta| !is_harmless(meta)) {
            self.errors.at(
                unknown.path(),
                "this attribute may make the function a route: write `#[validate_twilio_request]` \
                 above the function, or `#[validate_twilio_request(skip)]` to leave it unprotected",
            );
        } else if !matches!(vis, Visibility::Inherited) {
            self.errors.at(
                &sig.ident,
                "this function may be registered as a route outside the module: write \
                 `#[validate_twilio_request]` above it, or `#[validate_twilio_request(skip)]` to \
                 leave it unprotected",
            );
        } else {
            self.unprotected.asynchronous.push(sig.ident.clone());
        }
        is_route
    }

    /// Returns whether the attribute has the option `skip`. If so, the attribute is about to be removed,
    /// and its errors are reported here.
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

/// Lists the functions that are not protected and do not say that they return a future.
struct PlainFunctions<'a>(&'a mut Vec<Ident>);

impl PlainFunctions<'_> {
    fn note(&mut self, attrs: &[Attribute], sig: &Signature) {
        if !attrs.iter().any(is_own) && !metas(attrs).iter().any(is_route) && !returns_future(sig) {
            self.0.push(sig.ident.clone());
        }
    }
}

impl VisitMut for PlainFunctions<'_> {
    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        self.note(&function.attrs, &function.sig);
        visit_mut::visit_item_fn_mut(self, function);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        self.note(&function.attrs, &function.sig);
        visit_mut::visit_impl_item_fn_mut(self, function);
    }
}

/// Refuses macros that are called as a statement in a module with an attribute of its own, and defined outside of it.
struct OuterMacros<'a> {
    inner: Macros,
    all: &'a Macros,
    /// Whether the function that is visited returns nothing.
    returns_nothing: bool,
    errors: &'a mut Errors,
}

impl VisitMut for OuterMacros<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        for called in statement_macros(block, self.returns_nothing) {
            if self.all.defines(called) && !self.inner.defines(called) {
                self.errors.at(called, MACRO);
            }
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        let outer = mem::replace(&mut self.returns_nothing, returns_nothing(&function.sig));
        visit_mut::visit_item_fn_mut(self, function);
        self.returns_nothing = outer;
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let outer = mem::replace(&mut self.returns_nothing, returns_nothing(&function.sig));
        visit_mut::visit_impl_item_fn_mut(self, function);
        self.returns_nothing = outer;
    }

    fn visit_trait_item_fn_mut(&mut self, function: &mut TraitItemFn) {
        let outer = mem::replace(&mut self.returns_nothing, returns_nothing(&function.sig));
        visit_mut::visit_trait_item_fn_mut(self, function);
        self.returns_nothing = outer;
    }
}

/// Returns the macros that are called as statements of a block. The last one may be the block's value instead.
fn statement_macros(block: &Block, returns_nothing: bool) -> impl Iterator<Item = &Path> {
    let last = block.stmts.len().saturating_sub(1);
    let statements = block.stmts.iter().enumerate();
    statements.filter_map(move |(index, statement)| {
        let Stmt::Macro(call) = statement else {
            return None;
        };
        let may_be_value = !returns_nothing && call.semi_token.is_none() && index == last;
        (!may_be_value).then_some(&call.mac.path)
    })
}

fn returns_nothing(sig: &Signature) -> bool {
    matches!(sig.output, ReturnType::Default)
}

/// Returns whether the signature says that the function returns a future, as handlers do.
fn returns_future(sig: &Signature) -> bool {
    let names_future = |tokens: TokenStream| {
        find_ident(tokens, &|name| {
            name.unraw() == "Ready" || name.to_string().ends_with("Future")
        })
        .is_some()
    };
    sig.asyncness.is_some()
        || matches!(&sig.output, ReturnType::Type(_, ty) if names_future(ty.to_token_stream()))
}
