//! Finds what may become the value of an expression.

use syn::{
    Block, Expr, ExprAsync, ExprBreak, ExprClosure, Ident, Item, Path, Stmt, ext::IdentExt,
    visit_mut::VisitMut,
};

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

pub(super) fn is_registrar(name: &Ident) -> bool {
    let name = name.unraw();
    REGISTRARS.iter().any(|registrar| name == registrar)
}

/// Returns whether a function that is called may be a registrar.
pub(super) fn may_register(function: &Expr) -> bool {
    let mut may_register = false;
    each_value(function, &mut |value| {
        if let Expr::Path(path) = value {
            may_register |= last(&path.path).is_some_and(is_registrar);
        }
    });
    may_register
}

pub(super) fn last(path: &Path) -> Option<&Ident> {
    path.segments.last().map(|segment| &segment.ident)
}

/// Calls a function with the expression, or with each part of it whose value may become the expression's.
pub(super) fn each_value(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    match expr {
        Expr::Async(block) => last_value(&block.block, see),
        Expr::Const(block) => last_value(&block.block, see),
        Expr::Unsafe(block) => last_value(&block.block, see),
        Expr::Block(block) => {
            last_value(&block.block, see);
            if block.label.is_some() {
                break_values(&block.block, see);
            }
        }
        Expr::Loop(block) => break_values(&block.body, see),
        Expr::If(choice) => {
            last_value(&choice.then_branch, see);
            if let Some((_, other)) = &choice.else_branch {
                each_value(other, see);
            }
        }
        Expr::Match(choice) => {
            for arm in &choice.arms {
                each_value(&arm.body, see);
            }
        }
        Expr::Array(array) => array.elems.iter().for_each(|elem| each_value(elem, see)),
        Expr::Tuple(tuple) => tuple.elems.iter().for_each(|elem| each_value(elem, see)),
        Expr::Struct(value) => {
            for field in &value.fields {
                each_value(&field.expr, see);
            }
        }
        // The arguments of another registrar are checked as such.
        Expr::Call(call) if may_register(&call.func) => {}
        Expr::Call(call) => call.args.iter().for_each(|arg| each_value(arg, see)),
        Expr::MethodCall(call) => each_value(&call.receiver, see),
        Expr::Await(awaited) => each_value(&awaited.base, see),
        Expr::Cast(cast) => each_value(&cast.expr, see),
        Expr::Field(field) => each_value(&field.base, see),
        Expr::Group(group) => each_value(&group.expr, see),
        Expr::Index(index) => each_value(&index.expr, see),
        Expr::Paren(paren) => each_value(&paren.expr, see),
        Expr::Reference(reference) => each_value(&reference.expr, see),
        Expr::Repeat(repeat) => each_value(&repeat.expr, see),
        Expr::Try(tried) => each_value(&tried.expr, see),
        Expr::Unary(unary) => each_value(&unary.expr, see),
        expr => see(expr),
    }
}

fn last_value(block: &Block, see: &mut dyn FnMut(&Expr)) {
    if let Some(Stmt::Expr(value, None)) = block.stmts.last() {
        each_value(value, see);
    }
}

/// Finds the values with which a loop or a labeled block may end. It does not match labels, so it also finds those of
/// other loops inside.
fn break_values(block: &Block, see: &mut dyn FnMut(&Expr)) {
    Breaks(see).visit_block_mut(&mut block.clone());
}

struct Breaks<'a>(&'a mut dyn FnMut(&Expr));

impl VisitMut for Breaks<'_> {
    fn visit_expr_break_mut(&mut self, end: &mut ExprBreak) {
        if let Some(value) = &end.expr {
            each_value(value, self.0);
        }
    }

    // A `break` can't leave these.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
