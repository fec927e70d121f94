//! Operators: what they take, and what they give.

use jsonata_core::ast::{AstNode, BinaryOp, UnaryOp};

use super::{At, Inference};
use crate::shape::Shape;

impl Inference<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, lhs: &AstNode, rhs: &AstNode, at: &At) -> Shape {
        let plain = at.plain();
        match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => {
                let is_there = self.number_sides(sign(op), &[lhs, rhs], &plain);
                Shape { missing: !is_there, ..Shape::number() }
            }
            BinaryOp::Range => {
                // The interpreter takes a null for an end that is missing.
                self.number_sides(sign(op), &[lhs, rhs], &plain.perhaps());
                Shape::list(Shape::number()).optional()
            }
            BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual => self.order(sign(op), lhs, rhs, &plain),
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let (left, right) = (self.node(lhs, &plain), self.node(rhs, &plain));
                if !left.is_empty() && !right.is_empty() && !left.overlaps(&right) {
                    self.doubt_equality(sign(op), &left, &right);
                }
                Shape::boolean()
            }
            BinaryOp::In => {
                let (left, right) = (self.node(lhs, &plain), self.node(rhs, &plain));
                let among = right.items();
                if !left.is_empty() && !among.is_empty() && !left.overlaps(&among) {
                    self.doubt_equality("in", &left, &among);
                }
                Shape::boolean()
            }
            BinaryOp::And | BinaryOp::Or => {
                self.node(lhs, &at.tested());
                self.perhaps(rhs, &at.tested());
                Shape::boolean()
            }
            BinaryOp::Concatenate => {
                self.node(lhs, &plain);
                self.node(rhs, &plain);
                Shape::text()
            }
            BinaryOp::Coalesce | BinaryOp::Default => {
                let first = self.node(lhs, &at.expected());
                let second = self.perhaps(rhs, at);
                if first.any { first } else { first.present().or(&second) }
            }
            BinaryOp::ColonEqual => {
                let value = self.node(rhs, &plain);
                if let AstNode::Variable(name) = lhs {
                    self.variables.push((name.clone(), value.clone()));
                }
                value
            }
            BinaryOp::ChainPipe => self.pipe(lhs, rhs, at),
            BinaryOp::FocusBind | BinaryOp::IndexBind => Shape::any(),
        }
    }

    pub(super) fn unary(&mut self, op: UnaryOp, operand: &AstNode, at: &At) -> Shape {
        match op {
            UnaryOp::Negate => {
                let is_there = self.number_sides("-", &[operand], &at.plain());
                Shape { missing: !is_there, ..Shape::number() }
            }
            UnaryOp::Not => {
                self.node(operand, &at.tested());
                Shape::boolean().optional()
            }
        }
    }

    fn pipe(&mut self, lhs: &AstNode, rhs: &AstNode, at: &At) -> Shape {
        match rhs {
            AstNode::Function { name, args, is_builtin: true } => {
                let args: Vec<_> = std::iter::once(lhs).chain(args).cloned().collect();
                self.call(name, &args, true, at)
            }
            other => {
                self.node(lhs, &at.plain());
                self.node(other, &at.plain());
                Shape::any()
            }
        }
    }

    /// Checks that numbers can stand on each side; answers whether all are surely there. If not, a wrong one may do no harm.
    fn number_sides(&mut self, operator: &str, sides: &[&AstNode], at: &At) -> bool {
        let shapes: Vec<_> = sides.iter().map(|side| self.node(side, at)).collect();
        let is_there = shapes.iter().all(|shape| !shape.any && !shape.missing);
        let at = At { is_sure: at.is_sure && is_there, ..at.clone() };
        for (shape, side) in shapes.iter().zip(sides) {
            if !shape.any && !shape.number && !shape.is_empty() {
                self.doubt_kind(&format!("`{operator}`"), "numbers", shape, name_of(side).as_deref(), &at);
            }
        }
        is_there
    }

    /// Numbers are compared with numbers and texts with texts.
    fn order(&mut self, operator: &str, lhs: &AstNode, rhs: &AstNode, at: &At) -> Shape {
        let sides = [(self.node(lhs, at), lhs), (self.node(rhs, at), rhs)];
        let may_miss = sides.iter().any(|(side, _)| side.any || side.missing);
        let at = &At { is_sure: at.is_sure && !may_miss, ..at.clone() };
        let mut is_doubted = false;
        for (shape, side) in &sides {
            if !shape.any && !shape.number && shape.text.is_none() && !shape.is_empty() {
                let wants = "two numbers or two texts";
                self.doubt_kind(&format!("`{operator}`"), wants, shape, name_of(side).as_deref(), at);
                is_doubted = true;
            }
        }
        let [(left, left_node), (right, right_node)] = &sides;
        let only_number = |shape: &Shape| !shape.any && shape.number && shape.text.is_none();
        let only_text = |shape: &Shape| !shape.any && !shape.number && shape.text.is_some();
        if !is_doubted && (only_number(left) && only_text(right) || only_text(left) && only_number(right)) {
            let (wrong, node, other) = match name_of(left_node) {
                Some(_) => (left, left_node, right),
                None => (right, right_node, left),
            };
            let wants = if only_number(other) {
                "a number to compare with a number"
            } else {
                "a text to compare with a text"
            };
            self.doubt_kind(&format!("`{operator}`"), wants, wrong, name_of(node).as_deref(), at);
        }
        Shape { missing: may_miss, ..Shape::boolean() }
    }
}

/// How a plain path is written.
pub(super) fn name_of(node: &AstNode) -> Option<String> {
    match node {
        AstNode::Name(name) => Some(name.clone()),
        AstNode::Variable(name) => Some(format!("${name}")),
        AstNode::Path { steps } => {
            let names: Option<Vec<_>> = steps.iter().map(|step| name_of(&step.node)).collect();
            names.map(|names| names.join("."))
        }
        _ => None,
    }
}

const fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Modulo => "%",
        BinaryOp::LessThan => "<",
        BinaryOp::LessThanOrEqual => "<=",
        BinaryOp::GreaterThan => ">",
        BinaryOp::GreaterThanOrEqual => ">=",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Range => "..",
        _ => "=",
    }
}
