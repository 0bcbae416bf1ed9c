//! Binds the user's patterns in the order in which a plain `async fn` binds them, so that values are dropped in the
//! same order too.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{
    Ident, Pat, PatIdent,
    visit_mut::{self, VisitMut},
};

use crate::handler::Argument;

/// How the arguments are bound.
pub(crate) struct Bindings {
    /// A pattern for each argument, in the parameter.
    pub(crate) patterns: Vec<TokenStream>,
    /// The `let`s in front of the body.
    pub(crate) lets: TokenStream,
}

/// Binds names in the parameter. From the first other pattern on, each argument gets its own `let`, as the compiler
/// does it for an `async fn`:
///
/// ```text
/// // Input:
/// a: A, (b, _): (B, C), _: D, (e, _): (E, F)
///
/// // Output:
/// (a, argument_2, _argument_3, argument_4,)
///
/// let (b, _) = argument_2;
/// let _argument_3 = _argument_3;
/// let argument_4 = argument_4;
/// let (e, _) = argument_4;
/// ```
///
/// What a pattern does not bind stays in its argument, which is moved to its turn: it is dropped after what the
/// pattern binds, and before the arguments to the left. An argument with lint attributes gets its own `let`, because
/// an `#[expect]` must be fulfilled by the argument that it is on.
pub(crate) fn bind(arguments: &[Argument]) -> Bindings {
    if has_name_twice(arguments) {
        // In one pattern, this is an error; in one `let` each, it would not be.
        return Bindings {
            patterns: arguments
                .iter()
                .map(|argument| argument.pat.to_token_stream())
                .collect(),
            lets: TokenStream::new(),
        };
    }
    let hygienic = Span::mixed_site();
    let mut bindings = Bindings {
        patterns: Vec::new(),
        lets: TokenStream::new(),
    };
    let mut in_lets = false;
    for (index, argument) in arguments.iter().enumerate() {
        let Argument {
            pat, lint_levels, ..
        } = argument;
        let number = index + 1;
        let has_lint_levels = !lint_levels.is_empty();
        match pat {
            _ if is_name(pat) && !in_lets && !has_lint_levels => {
                bindings.patterns.push(pat.to_token_stream());
            }
            Pat::Wild(_) if !has_lint_levels => {
                let whole = format_ident!("_argument_{number}", span = hygienic);
                bindings.patterns.push(whole.to_token_stream());
                if in_lets {
                    bindings
                        .lets
                        .extend(quote_spanned!(hygienic=> let #whole = #whole;));
                }
            }
            _ => {
                let whole = format_ident!("argument_{number}", span = hygienic);
                bindings.patterns.push(whole.to_token_stream());
                if in_lets && !is_name(pat) {
                    bindings
                        .lets
                        .extend(quote_spanned!(hygienic=> let #whole = #whole;));
                }
                // A pattern of another form, because `let _name = argument;` has a lint of clippy's.
                bindings.lets.extend(if is_underscored(pat) {
                    quote_spanned!(hygienic=> #(#lint_levels)* let (#pat,) = (#whole,);)
                } else {
                    quote_spanned!(hygienic=> #(#lint_levels)* let #pat = #whole;)
                });
                in_lets = true;
            }
        }
    }
    bindings
}

/// Returns whether a pattern is a name, which binds the whole argument.
fn is_name(pat: &Pat) -> bool {
    matches!(
        pat,
        Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            ..
        })
    )
}

fn is_underscored(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(PatIdent { ident, .. }) if ident.to_string().starts_with('_'))
}

/// Returns whether two patterns seem to bind the same name. It may also be a constant, or a name with another
/// hygiene.
fn has_name_twice(arguments: &[Argument]) -> bool {
    let mut names = Names(Vec::new());
    for argument in arguments {
        names.visit_pat_mut(&mut argument.pat.clone());
    }
    let Names(names) = names;
    names
        .iter()
        .enumerate()
        .any(|(index, name)| names.iter().skip(index + 1).any(|other| other == name))
}

struct Names(Vec<Ident>);

impl VisitMut for Names {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        self.0.push(pat.ident.clone());
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}
