//! Shapes of expressions, read off the syntax tree. Each rule gives at least the values that the interpreter can come to; a part that
//! no rule knows gives [`Shape::any`].

mod calls;
mod doubts;
mod operators;
mod path;

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::{
    ast::{AstNode, PathStep},
    parser,
    value::with_stack,
};

use super::builtins;
use crate::{
    expr::infer::{Doubt, ShapeScope},
    shape::{Rest, Shape},
};

/// The shape of an expression's value, and what in it can't be meant. Nothing is known of a text that is no JSONata.
pub(in crate::expr) fn infer(source: &str, scope: &ShapeScope) -> (Shape, Vec<Doubt>) {
    let Ok(ast) = parser::parse(source) else { return (Shape::any(), Vec::new()) };
    let mut names: BTreeSet<String> = ["input", "base", "item", "index"].map(str::to_owned).into();
    builtins::visit(&ast, &mut |node| {
        builtins::bound_names(node, &mut names);
        if let AstNode::Lambda { params, .. } = node {
            names.extend(params.iter().cloned());
        }
    });
    let root = scope.root();
    let variables = root.object.iter().flat_map(|object| &object.fields);
    let variables = variables.filter(|(name, _)| *name != "secret");
    let mut inference = Inference {
        source,
        variables: variables.map(|(name, shape)| (name.clone(), shape.clone())).collect(),
        names,
        rebound: rebound(&ast),
        root: root.clone(),
        doubts: Vec::new(),
    };
    let at = At { focus: root, is_root: true, is_sure: true, absence: Absence::Unexpected };
    let shape = inference.node(&ast, &at);
    (shape, inference.doubts)
}

fn rebound(ast: &AstNode) -> BTreeSet<String> {
    let (mut once, mut again): (BTreeSet<String>, BTreeSet<String>) = Default::default();
    builtins::visit(ast, &mut |node| {
        let mut here = BTreeSet::new();
        builtins::bound_names(node, &mut here);
        again.extend(here.intersection(&once).cloned());
        once.extend(here);
    });
    again.extend(
        ["input", "base", "item", "index"].map(str::to_owned).into_iter().filter(|name| once.contains(name)),
    );
    again
}

struct Inference<'s> {
    source: &'s str,
    /// Those that are bound here, the last of a name being the one that counts.
    variables: Vec<(String, Shape)>,
    /// Every name that is bound anywhere in the expression.
    names: BTreeSet<String>,
    /// Those that are bound more than once, so that a function sees one or the other.
    rebound: BTreeSet<String>,
    root: Shape,
    doubts: Vec<Doubt>,
}

/// Where a part of an expression stands.
#[derive(Clone)]
struct At {
    /// What a plain name is looked up in.
    focus: Shape,
    /// Whether that is the scope (`input`, `base`).
    is_root: bool,
    /// Whether the part is evaluated whenever the expression is.
    is_sure: bool,
    absence: Absence,
}

/// What the author thinks of a value that is not there.
#[derive(Clone, Copy, PartialEq)]
enum Absence {
    /// It should be there.
    Unexpected,
    /// It is asked whether it is true, which what is missing is not.
    Tested,
    /// It is asked whether it is there.
    Expected,
}

impl At {
    /// A part of which it is open whether it is evaluated.
    fn perhaps(&self) -> Self {
        Self { is_sure: false, ..self.plain() }
    }

    /// A part whose value is used.
    fn plain(&self) -> Self {
        Self { absence: Absence::Unexpected, ..self.clone() }
    }

    fn tested(&self) -> Self {
        Self { absence: Absence::Tested, ..self.clone() }
    }

    fn expected(&self) -> Self {
        Self { absence: Absence::Expected, ..self.clone() }
    }

    /// A part that is evaluated for each of some items.
    fn each(item: Shape) -> Self {
        Self { focus: item.present(), is_root: false, is_sure: false, absence: Absence::Unexpected }
    }
}

impl Inference<'_> {
    fn node(&mut self, node: &AstNode, at: &At) -> Shape {
        with_stack(|| self.node_here(node, at))
    }

    fn node_here(&mut self, node: &AstNode, at: &At) -> Shape {
        match node {
            AstNode::String(text) => Shape::words([text.as_str()]),
            AstNode::Number(_) => Shape::number(),
            AstNode::Boolean(_) => Shape::boolean(),
            AstNode::Null => Shape::null(),
            AstNode::Undefined => Shape::missing(),
            AstNode::Regex { .. } | AstNode::Transform { .. } => Shape::function(),
            AstNode::Name(_) => self.path(&[PathStep::new(node.clone())], at),
            AstNode::Variable(name) => self.variable(name, at),
            AstNode::ParentVariable(_) => self.root.clone(),
            AstNode::Path { steps } => self.path(steps, at),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs, at),
            AstNode::Unary { op, operand } => self.unary(*op, operand, at),
            AstNode::Function { name, args, is_builtin } => self.call(name, args, *is_builtin, at),
            AstNode::Lambda { params, body, .. } => {
                self.lambda(params, body, &[], at);
                Shape::function()
            }
            AstNode::Array(items) => self.array(items, at),
            AstNode::Object(pairs) => self.object(pairs, at),
            AstNode::Block(parts) => self.block(parts, at),
            AstNode::Conditional { condition, then_branch, else_branch } => {
                self.node(condition, &at.tested());
                let then = self.perhaps(then_branch, at);
                let otherwise =
                    else_branch.as_deref().map_or_else(Shape::missing, |part| self.perhaps(part, at));
                then.or(&otherwise)
            }
            AstNode::Sort { input, terms } => {
                let sorted = self.node(input, at);
                let item = At::each(path::flattened(&sorted));
                for (term, _) in terms {
                    self.node(term, &item);
                }
                path::sequence(&sorted)
            }
            AstNode::ObjectTransform { input, pattern } => {
                let grouped = self.node(input, &at.plain());
                let item = At::each(path::flattened(&grouped));
                for (key, value) in pattern {
                    self.node(key, &item);
                    // A value sees one item or all that have its key.
                    self.node(value, &At { focus: path::sequence(&item.focus), ..item.clone() });
                }
                Shape::object_of(Shape::any()).optional()
            }
            AstNode::Call { procedure, args } => {
                self.node(procedure, &at.plain());
                self.all(args, &at.plain());
                Shape::any()
            }
            AstNode::FunctionApplication(inner) => self.node(inner, at),
            AstNode::ArrayGroup(items) => {
                self.all(items, &at.plain());
                Shape::any()
            }
            AstNode::Wildcard | AstNode::Descendant | AstNode::Parent(_) | AstNode::Placeholder => {
                Shape::any()
            }
        }
    }

    /// A part that may not be evaluated. What it binds may not be bound either, so that nothing is known of it.
    fn perhaps(&mut self, node: &AstNode, at: &At) -> Shape {
        let outer = self.variables.len();
        let shape = self.node(node, &At { is_sure: false, ..at.clone() });
        self.variables.truncate(outer);
        shape
    }

    fn all(&mut self, nodes: &[AstNode], at: &At) {
        for node in nodes {
            self.node(node, at);
        }
    }

    fn variable(&mut self, name: &str, at: &At) -> Shape {
        if name.is_empty() {
            return at.focus.clone();
        }
        if self.rebound.contains(name) {
            return Shape::any();
        }
        if let Some((_, shape)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return shape.clone();
        }
        if builtins::exists(name) {
            return Shape::function();
        }
        if !self.names.contains(name) {
            self.doubt_variable(name);
        }
        Shape::any()
    }

    /// The value of a body whose first parameters have these shapes; of the others nothing is known.
    fn lambda(&mut self, params: &[String], body: &AstNode, known: &[Shape], at: &At) -> Shape {
        let outer = self.variables.len();
        for (i, param) in params.iter().enumerate() {
            self.variables.push((param.clone(), known.get(i).cloned().unwrap_or_else(Shape::any)));
        }
        let shape = self.node(body, &at.perhaps());
        self.variables.truncate(outer);
        shape
    }

    fn block(&mut self, parts: &[AstNode], at: &At) -> Shape {
        let outer = self.variables.len();
        let mut shape = Shape::missing();
        for (i, part) in parts.iter().enumerate() {
            shape = if i + 1 == parts.len() { self.node(part, at) } else { self.node(part, &at.plain()) };
        }
        self.variables.truncate(outer);
        shape
    }

    /// Lists among the items are joined, unless they are written as lists; what is missing is left out.
    fn array(&mut self, items: &[AstNode], at: &At) -> Shape {
        let mut item = Shape::never();
        let (mut least, mut most) = (0, Some(0));
        for node in items {
            let shape = self.node(node, &at.plain());
            let is_written = matches!(node, AstNode::Array(_));
            let (few, many) = match &shape {
                shape if shape.any => (0, None),
                shape if is_written => (1, Some(usize::from(!shape.is_empty()))),
                shape => path::spliced_bounds(shape),
            };
            (least, most) = (least + few, most.zip(many).map(|(all, many)| all + many));
            item = item.or(&if is_written { shape } else { path::flattened(&shape) });
        }
        Shape::list_of(item, least, most)
    }

    /// Fields whose value is missing are left out.
    fn object(&mut self, pairs: &[(AstNode, AstNode)], at: &At) -> Shape {
        let mut fields = BTreeMap::new();
        let mut rest = Rest::None;
        for (key, value) in pairs {
            let shape = self.node(value, &at.plain());
            match key {
                AstNode::String(name) => drop(fields.insert(name.clone(), shape)),
                computed => {
                    self.node(computed, &at.plain());
                    rest = Rest::Like(Shape::any());
                }
            }
        }
        // Over a list it groups, which is another thing.
        if at.focus.any || at.focus.list.is_some() || at.focus.missing {
            return Shape::object_of(Shape::any()).optional();
        }
        Shape::object_and(fields, rest)
    }
}
