//! What an expression gives, known from what it sees: its shape, and what in it can't be meant (typed edges).

use super::{Expr, jsonata_core};
use crate::shape::Shape;

/// What is known of the names that an expression sees.
#[derive(Debug, Clone)]
pub(crate) struct ShapeScope {
    /// Of `input`.
    pub(crate) input: Shape,
    /// Of `base`.
    pub(crate) base: Shape,
    /// Of `item`, where there is one; there is an `index` then.
    pub(crate) item: Option<Shape>,
}

impl ShapeScope {
    /// The names as one object. `secret` is no value, and checked elsewhere.
    pub(super) fn root(&self) -> Shape {
        let item = self.item.iter().flat_map(|item| [("item", item.clone()), ("index", Shape::number())]);
        let names = [("input", self.input.clone()), ("base", self.base.clone()), ("secret", Shape::any())];
        Shape::object(names.into_iter().chain(item))
    }
}

/// A place in an expression that can't be what its author means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// A stable word for programs.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) message: String,
    /// Whether no run can come to what the author means; else it is likely.
    pub(crate) is_sure: bool,
    /// Where, in characters from the start of the expression.
    pub(crate) offset: Option<usize>,
}

impl Expr {
    /// The shape of its value. It stands for every value that the expression can have; doubts are added to `doubts`, their offsets counted
    /// from the start of the text that it was read from.
    pub(crate) fn shape(&self, scope: &ShapeScope, doubts: &mut Vec<Doubt>) -> Shape {
        let (shape, found) = jsonata_core::infer(self.source(), scope);
        for mut doubt in found {
            doubt.offset = doubt.offset.map(|offset| offset + self.start);
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
        shape
    }
}
