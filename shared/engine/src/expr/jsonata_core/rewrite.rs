//! Makes a parsed expression report what it builds, by wrapping the parts that build in calls of [`Host`] functions.
//!
//! A part is wrapped where its value can pile up (in a lambda's body, an element, a binding, an argument of the user's own
//! function); what an operator or a built-in consumes at once is left as it is, and so keeps the interpreter's fast
//! paths. Built-ins that could build or compute without bound in one step get their arguments checked first. The
//! meaning of an expression does not change: every wrapper hands its value on.

mod calls;

use std::collections::BTreeSet;

use jsonata_core::{
    ast::{AstNode, BinaryOp, PathStep, Stage},
    value::with_stack,
};

use self::calls::Call;
use super::{builtins, hosts::Host};
use crate::expr::ExprError;

/// Where a node stands, as far as that decides whether it is wrapped.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Consumed at once.
    Free,
    /// Its value is kept.
    Kept,
    /// An element of an array constructor, which treats nested constructors in a special way.
    Element,
    /// A step of a path.
    Step,
    /// The value of a step, as a block in it gives it: if it is an array, its items are copied into the path's result.
    Spliced,
}

impl Place {
    /// Whether an array that stands here may be copied item by item, again for each item of a path.
    const fn copies(self) -> bool {
        matches!(self, Self::Element | Self::Step | Self::Spliced)
    }

    /// Whether what stands here outlives the moment.
    const fn keeps(self) -> bool {
        matches!(self, Self::Kept | Self::Element | Self::Spliced)
    }
}

/// Rewrites an expression. `hosts` gathers the functions that the result calls.
pub(super) fn rewrite(ast: AstNode, hosts: &mut BTreeSet<Host>) -> Result<AstNode, ExprError> {
    let mut names = BTreeSet::new();
    builtins::visit(&ast, &mut |node| builtins::bound_names(node, &mut names));
    if let Some(name) = names.iter().find(|name| builtins::guard(name).is_some()) {
        return Err(builtins::reserved(name));
    }
    let mut descents = 0;
    let (mut lambdas, mut others) = (BTreeSet::new(), BTreeSet::new());
    builtins::visit(&ast, &mut |node| match node {
        AstNode::Descendant => descents += 1,
        AstNode::Binary { op: BinaryOp::ColonEqual, lhs, rhs } => {
            if let AstNode::Variable(name) = &**lhs {
                let is_lambda = matches!(**rhs, AstNode::Lambda { .. });
                if is_lambda { &mut lambdas } else { &mut others }.insert(name.clone());
            }
        }
        _ => {}
    });
    lambdas.retain(|name| !others.contains(name));
    let mut rewriter = Rewriter {
        hosts,
        names,
        lambdas,
        items: Vec::new(),
        relative: false,
        many_descents: descents > 1,
        problem: None,
    };
    let ast = rewriter.node(ast, Place::Free);
    match rewriter.problem {
        Some(problem) => Err(problem),
        None => Ok(ast),
    }
}

struct Rewriter<'a> {
    hosts: &'a mut BTreeSet<Host>,
    /// Variables that the expression binds itself.
    names: BTreeSet<String>,
    /// Those of them that are bound to nothing but functions written out.
    lambdas: BTreeSet<String>,
    /// Parameters in scope, and whether each stands for the items of a list that was weighed.
    items: Vec<(String, bool)>,
    /// Whether names are read from the items of a path rather than from one value again and again.
    relative: bool,
    many_descents: bool,
    problem: Option<ExprError>,
}

impl Rewriter<'_> {
    fn call(&mut self, host: Host, args: Vec<AstNode>) -> AstNode {
        self.hosts.insert(host);
        AstNode::Function { name: host.name().to_owned(), args, is_builtin: true }
    }

    fn wrap(&mut self, host: Host, node: AstNode) -> AstNode {
        self.call(host, vec![node])
    }

    fn boxed(&mut self, mut node: Box<AstNode>, place: Place) -> Box<AstNode> {
        *node = self.node(std::mem::replace(&mut *node, AstNode::Null), place);
        node
    }

    fn all(&mut self, nodes: Vec<AstNode>, place: Place) -> Vec<AstNode> {
        nodes.into_iter().map(|node| self.node(node, place)).collect()
    }

    fn within<T>(&mut self, relative: bool, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.relative, relative);
        let result = f(self);
        self.relative = outer;
        result
    }

    fn node(&mut self, node: AstNode, place: Place) -> AstNode {
        with_stack(|| self.node_here(node, place))
    }

    fn node_here(&mut self, node: AstNode, place: Place) -> AstNode {
        match node {
            AstNode::Binary { op, lhs, rhs } => self.binary(op, *lhs, *rhs, place),
            AstNode::Unary { op, operand } => {
                AstNode::Unary { op, operand: self.boxed(operand, Place::Free) }
            }
            AstNode::Path { steps } => self.path(steps, place),
            AstNode::Function { name, args, is_builtin } => {
                self.function(name, args, is_builtin, Call::At(place))
            }
            AstNode::Call { procedure, args } => self.applied(*procedure, args, place),
            AstNode::Variable(name) if name.is_empty() && self.relative => AstNode::Variable(name),
            AstNode::Variable(name) => {
                let node = self.variable(name);
                if place.copies() { self.wrap(Host::Gathered, node) } else { node }
            }
            AstNode::ParentVariable(name) if place.copies() => {
                self.wrap(Host::Gathered, AstNode::ParentVariable(name))
            }
            AstNode::Lambda { params, body, signature, thunk } => {
                let body = Box::new(self.lambda_body(&params, *body, false));
                let node = AstNode::Lambda { params, body, signature, thunk };
                if place.keeps() { self.closure(node) } else { node }
            }
            AstNode::Array(items) => self.array(items, place),
            AstNode::ArrayGroup(items) => AstNode::ArrayGroup(self.all(items, Place::Element)),
            AstNode::Object(pairs) => self.object(pairs, place),
            AstNode::ObjectTransform { input, pattern } => {
                let input = Box::new(self.ordered_input(*input));
                let pattern = self.within(true, |this| this.pairs(pattern));
                self.wrap(Host::Built, AstNode::ObjectTransform { input, pattern })
            }
            AstNode::Block(nodes) => AstNode::Block(self.block(nodes, place)),
            AstNode::FunctionApplication(inner) => {
                AstNode::FunctionApplication(self.boxed(inner, Place::Spliced))
            }
            AstNode::Conditional { condition, then_branch, else_branch } => AstNode::Conditional {
                condition: self.boxed(condition, Place::Free),
                then_branch: self.boxed(then_branch, place),
                else_branch: else_branch.map(|branch| self.boxed(branch, place)),
            },
            AstNode::Sort { input, terms } => self.sort(*input, terms, place),
            AstNode::Transform { location, update, delete } => {
                let node = self.within(true, |this| AstNode::Transform {
                    location: this.boxed(location, Place::Free),
                    update: this.boxed(update, Place::Free),
                    delete: delete.map(|delete| this.boxed(delete, Place::Free)),
                });
                if place.keeps() { self.closure(node) } else { node }
            }
            leaf @ (AstNode::String(_)
            | AstNode::Name(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::ParentVariable(_)
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_)) => leaf,
            AstNode::Regex { pattern, flags } => {
                if let Err(problem) = builtins::check_regex(&pattern) {
                    self.problem.get_or_insert(problem);
                }
                AstNode::Regex { pattern, flags }
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: AstNode, rhs: AstNode, place: Place) -> AstNode {
        match op {
            BinaryOp::ChainPipe => return self.chain(lhs, rhs),
            BinaryOp::Range => {
                let lhs = self.node(lhs, Place::Free);
                let rhs = self.node(rhs, Place::Free);
                let (lhs, rhs) = (self.wrap(Host::RangeFrom, lhs), self.wrap(Host::RangeTo, rhs));
                return AstNode::Binary { op, lhs: Box::new(lhs), rhs: Box::new(rhs) };
            }
            _ => {}
        }
        let (left, right) = match op {
            BinaryOp::ColonEqual => {
                let mut bind = self.bind(lhs, rhs);
                let node = if bind.len() == 1 { bind.remove(0) } else { AstNode::Block(bind) };
                return if place.copies() { self.wrap(Host::Gathered, node) } else { node };
            }
            // The left side is the variable's name.
            BinaryOp::FocusBind | BinaryOp::IndexBind => (lhs, self.node(rhs, Place::Kept)),
            BinaryOp::Coalesce | BinaryOp::Default => (self.node(lhs, place), self.node(rhs, place)),
            _ => (self.node(lhs, Place::Free), self.node(rhs, Place::Free)),
        };
        let node = AstNode::Binary { op, lhs: Box::new(left), rhs: Box::new(right) };
        if op == BinaryOp::Concatenate { self.wrap(Host::Built, node) } else { node }
    }

    fn array(&mut self, items: Vec<AstNode>, place: Place) -> AstNode {
        let few = items.len() <= 8;
        let items = self.within(self.relative && few, |this| this.all(items, Place::Element));
        let node = AstNode::Array(items);
        // Inside another constructor and as a step it must stay a constructor; what holds it counts it.
        if matches!(place, Place::Kept | Place::Spliced) || (!few && place == Place::Free) {
            self.wrap(Host::Built, node)
        } else {
            node
        }
    }

    fn object(&mut self, pairs: Vec<(AstNode, AstNode)>, place: Place) -> AstNode {
        let few = pairs.len() <= 8;
        let pairs = self.within(self.relative && few, |this| this.pairs(pairs));
        let node = AstNode::Object(pairs);
        match place {
            Place::Kept | Place::Element | Place::Spliced => self.wrap(Host::Built, node),
            Place::Free | Place::Step if !few => self.wrap(Host::Built, node),
            Place::Free | Place::Step => node,
        }
    }

    fn pairs(&mut self, pairs: Vec<(AstNode, AstNode)>) -> Vec<(AstNode, AstNode)> {
        pairs
            .into_iter()
            .map(|(key, value)| (self.node(key, Place::Free), self.node(value, Place::Kept)))
            .collect()
    }

    fn block(&mut self, nodes: Vec<AstNode>, place: Place) -> Vec<AstNode> {
        let last = nodes.len().saturating_sub(1);
        let kept = if place == Place::Step { Place::Spliced } else { place };
        let mut block = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.into_iter().enumerate() {
            match node {
                AstNode::Binary { op: BinaryOp::ColonEqual, lhs, rhs } if index < last || !kept.copies() => {
                    block.extend(self.bind(*lhs, *rhs));
                }
                node => block.push(self.node(node, if index == last { kept } else { Place::Free })),
            }
        }
        block
    }

    /// The input of a sort or group-by: a path there hands on its bindings, so it is not wrapped.
    fn ordered_input(&mut self, input: AstNode) -> AstNode {
        match input {
            AstNode::Path { steps } => AstNode::Path { steps: self.steps(steps) },
            AstNode::Sort { input, terms } => self.sort(*input, terms, Place::Step),
            other => self.node(other, Place::Step),
        }
    }

    fn sort(&mut self, input: AstNode, terms: Vec<(AstNode, bool)>, place: Place) -> AstNode {
        let input = Box::new(self.ordered_input(input));
        let terms = self.within(true, |this| {
            terms.into_iter().map(|(term, ascending)| (this.node(term, Place::Free), ascending)).collect()
        });
        let node = AstNode::Sort { input, terms };
        if matches!(place, Place::Kept | Place::Element | Place::Spliced) {
            self.wrap(Host::Gathered, node)
        } else {
            node
        }
    }

    fn path(&mut self, steps: Vec<PathStep>, place: Place) -> AstNode {
        let is_constructor = steps.len() == 1 && matches!(steps[0].node, AstNode::Array(_));
        let builds = steps.iter().any(|step| builds(&step.node));
        let bounded = !builds && self.is_bounded(&steps);
        let tuples = steps.iter().any(is_tuple);
        let node = AstNode::Path { steps: self.steps(steps) };
        let kept = place.keeps();
        if place == Place::Step || (is_constructor && place == Place::Element) {
            node
        } else if builds {
            self.wrap(if tuples { Host::Gathered } else { Host::Built }, node)
        } else if kept && !bounded {
            self.wrap(Host::Gathered, node)
        } else {
            node
        }
    }

    /// Whether all a path can give, over all the items it is asked for, is part of a value that was weighed.
    fn is_bounded(&self, steps: &[PathStep]) -> bool {
        let plain =
            |step: &PathStep| matches!(step.node, AstNode::Name(_) | AstNode::Wildcard) && !is_tuple(step);
        let first = match steps.first().map(|step| &step.node) {
            Some(AstNode::Variable(name)) if name.is_empty() => self.relative,
            Some(AstNode::Variable(name)) => self.is_item(name),
            Some(AstNode::Name(_) | AstNode::Wildcard) => self.relative,
            _ => false,
        };
        first && steps.iter().skip(1).all(plain)
    }

    fn steps(&mut self, steps: Vec<PathStep>) -> Vec<PathStep> {
        // From the first step that binds something on, each item carries its bindings.
        let first = steps.iter().position(is_tuple).unwrap_or(steps.len());
        steps.into_iter().enumerate().map(|(index, step)| self.step(index, step, index >= first)).collect()
    }

    fn step(&mut self, index: usize, mut step: PathStep, tuple: bool) -> PathStep {
        let relative = self.relative || index > 0;
        let node = std::mem::replace(&mut step.node, AstNode::Null);
        step.node = self.within(relative, |this| match node {
            // A block that `%` looks through keeps its last path bare.
            AstNode::Block(nodes) if step.inner_tuple => AstNode::Block(this.block(nodes, Place::Free)),
            AstNode::FunctionApplication(inner) if step.inner_tuple => {
                AstNode::FunctionApplication(this.boxed(inner, Place::Step))
            }
            node @ (AstNode::Variable(_) | AstNode::ParentVariable(_)) if index == 0 => {
                this.node(node, Place::Free)
            }
            AstNode::Descendant if this.many_descents && !tuple => {
                this.wrap(Host::Gathered, AstNode::Descendant)
            }
            node @ (AstNode::Name(_) | AstNode::Wildcard | AstNode::Descendant | AstNode::Variable(_))
                if tuple && index > 0 =>
            {
                let node = this.node(node, Place::Free);
                this.wrap(Host::Tuple, node)
            }
            AstNode::Block(nodes) if tuple && index > 0 => {
                let block = AstNode::Block(this.block(nodes, Place::Step));
                AstNode::Block(vec![this.wrap(Host::Tuple, block)])
            }
            AstNode::FunctionApplication(inner) if tuple && index > 0 => {
                let inner = this.node(*inner, Place::Spliced);
                AstNode::FunctionApplication(Box::new(this.wrap(Host::Tuple, inner)))
            }
            node @ (AstNode::Function { .. } | AstNode::Call { .. }) if tuple && index > 0 => {
                let node = this.node(node, Place::Step);
                this.wrap(Host::Tuple, node)
            }
            AstNode::Function { name, args, is_builtin } if index == 0 => {
                this.function(name, args, is_builtin, Call::First)
            }
            node => this.node(node, Place::Step),
        });
        self.stages(&mut step.stages);
        step.id = jsonata_core::ast::StepId::default();
        step
    }

    fn stages(&mut self, stages: &mut [Stage]) {
        for stage in stages {
            if let Stage::Filter(predicate) = stage {
                let node = std::mem::replace(&mut **predicate, AstNode::Null);
                **predicate = self.within(true, |this| this.node(node, Place::Free));
            }
        }
    }
}

fn is_tuple(step: &PathStep) -> bool {
    step.is_tuple || step.focus.is_some() || step.index_var.is_some() || step.ancestor_label.is_some()
}

/// Whether a step makes values rather than selecting them.
fn builds(node: &AstNode) -> bool {
    !matches!(
        node,
        AstNode::Name(_)
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_)
            | AstNode::Variable(_)
            | AstNode::ParentVariable(_)
            | AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Sort { .. }
    )
}
