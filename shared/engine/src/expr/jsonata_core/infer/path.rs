//! Paths: steps over what the step before found, and predicates.

use jsonata_core::ast::{AstNode, PathStep, Stage, UnaryOp};

use super::{At, Inference};
use crate::shape::Shape;

impl Inference<'_> {
    pub(super) fn path(&mut self, steps: &[PathStep], at: &At) -> Shape {
        // Steps that bind (`@`, `#`, `%`) hand tuples on.
        let binds = |step: &PathStep| {
            step.focus.is_some() || step.index_var.is_some() || step.is_tuple || step.ancestor_label.is_some()
        };
        if steps.iter().any(binds) {
            return Shape::any();
        }
        let mut current = at.focus.clone();
        let mut place: Vec<&str> = Vec::new();
        let mut keeps = false;
        for (i, step) in steps.iter().enumerate() {
            let is_many = i > 0 && (current.any || current.list.is_some());
            let mut found = if let AstNode::Name(name) = &step.node {
                let found = self.named(name, &current, &place, i, at);
                place.push(name);
                found
            } else if i == 0 {
                place.push(first_name(&step.node));
                self.node(&step.node, &at.plain())
            } else {
                place.push("…");
                let is_sure = at.is_sure && !is_many && !current.missing;
                let found = self.node(&step.node, &At { is_sure, ..At::each(flattened(&current)) });
                sequence(&found).or(&found)
            };
            for stage in &step.stages {
                match stage {
                    Stage::Filter(predicate) => found = self.filtered(predicate, &found),
                    Stage::KeepArray => keeps = true,
                    Stage::Index(_) => return Shape::any(),
                }
            }
            let was_missing = i > 0 && current.missing;
            current = if is_many { sequence(&found).optional() } else { found };
            current.missing |= was_missing;
        }
        if keeps && !current.any {
            let is_missing = current.missing;
            current = Shape { missing: is_missing, ..Shape::list(flattened(&current)) };
        }
        current
    }

    fn named(&mut self, name: &str, current: &Shape, place: &[&str], step: usize, at: &At) -> Shape {
        let inside = if step == 0 { current.clone() } else { flattened(current) };
        let (shape, found) = inside.look_up(name);
        if !inside.is_empty() {
            let at = if step == 0 { at.clone() } else { At { is_root: false, ..at.clone() } };
            self.doubt_name(name, place, current, found, &at);
        }
        // In lists of lists a name finds several values at once.
        if inside.list.is_some() { sequence(&shape).optional() } else { shape }
    }

    /// What a predicate leaves: one item, or a sequence.
    fn filtered(&mut self, predicate: &AstNode, found: &Shape) -> Shape {
        if is_number(predicate) {
            return flattened(found).optional();
        }
        self.node(predicate, &At::each(flattened(found)));
        sequence(found).optional()
    }
}

fn is_number(node: &AstNode) -> bool {
    match node {
        AstNode::Number(_) => true,
        AstNode::Unary { op: UnaryOp::Negate, operand } => is_number(operand),
        _ => false,
    }
}

fn first_name(node: &AstNode) -> &str {
    match node {
        AstNode::Variable(name) => match name.as_str() {
            "" => "$",
            "input" => "$input",
            "base" => "$base",
            "item" => "$item",
            name => name,
        },
        AstNode::ParentVariable(_) => "$$",
        _ => "…",
    }
}

/// What is walked of a value: a list's items, or itself.
pub(super) fn flattened(shape: &Shape) -> Shape {
    match &shape.list {
        Some(list) if !shape.any => Shape { list: None, missing: false, ..shape.clone() }.or(&list.item),
        _ => shape.clone().present(),
    }
}

/// What a sequence of such values comes to: none of them is nothing, one is itself, and several are a list.
pub(super) fn sequence(shape: &Shape) -> Shape {
    if shape.any {
        return Shape::any();
    }
    let item = flattened(shape);
    let several = Shape::list(item.clone());
    Shape { missing: shape.missing || shape.list.is_some(), ..item.or(&several) }
}

/// How many items a value adds to a list that it is written in.
pub(super) fn spliced_bounds(shape: &Shape) -> (usize, Option<usize>) {
    let single = Shape { missing: false, list: None, ..shape.clone() };
    let mut bounds = Vec::new();
    bounds.extend((!single.is_empty()).then_some((1, Some(1))));
    bounds.extend(shape.missing.then_some((0, Some(0))));
    bounds.extend(shape.list.as_ref().map(|list| (list.least, list.most)));
    let least = bounds.iter().map(|(least, _)| *least).min().unwrap_or(0);
    (least, bounds.iter().map(|(_, most)| *most).try_fold(0, |all, most| Some(all.max(most?))))
}
