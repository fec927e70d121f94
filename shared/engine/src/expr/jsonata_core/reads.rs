//! Which nodes and secrets an expression names, read off its syntax tree.

use jsonata_core::{
    ast::{AstNode, BinaryOp, PathStep, Stage},
    parser,
    value::with_stack,
};

use super::builtins;
use crate::expr::Reads;

/// What an expression refers to; everything, where its text is no JSONata.
pub(in crate::expr) fn reads(source: &str) -> Reads {
    let mut reads = Reads::default();
    match parser::parse(source) {
        Ok(ast) => walk(&ast, true, &mut reads),
        Err(_) => reads.all = true,
    }
    // What reads everything reads the time too.
    reads.moment |= reads.all;
    reads
}

/// `at_root`: whether plain names here are the scope's (`input`, `base`) rather than fields of some item.
fn walk(node: &AstNode, at_root: bool, reads: &mut Reads) {
    with_stack(|| match node {
        AstNode::Path { steps } => path(steps, at_root, reads),
        AstNode::Name(name) if at_root => reads.all |= name == "base",
        AstNode::Variable(name) if matches!(name.as_str(), "now" | "millis" | "random" | "shuffle") => {
            reads.moment = true;
        }
        AstNode::Variable(name) => reads.all |= name == "base" || (name.is_empty() && at_root),
        // `$$` is the whole scope; so may be what `%`, `*` and `**` find.
        AstNode::ParentVariable(_) | AstNode::Parent(_) => reads.all = true,
        AstNode::Wildcard | AstNode::Descendant => reads.all |= at_root,
        AstNode::Function { name, args, .. } => call(name, args, 0, at_root, reads),
        AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } => {
            walk(lhs, at_root, reads);
            match &**rhs {
                AstNode::Function { name, args, .. } => call(name, args, 1, at_root, reads),
                other => walk(other, at_root, reads),
            }
        }
        AstNode::ObjectTransform { input, pattern } => {
            walk(input, at_root, reads);
            for part in pattern.iter().flat_map(|(key, value)| [key, value]) {
                walk(part, false, reads);
            }
        }
        AstNode::Sort { input, terms } => {
            walk(input, at_root, reads);
            for (term, _) in terms {
                walk(term, false, reads);
            }
        }
        AstNode::Transform { location, update, delete } => {
            let parts = [Some(location), Some(update), delete.as_ref()];
            for part in parts.into_iter().flatten() {
                walk(part, false, reads);
            }
        }
        other => builtins::children(other, &mut |child| walk(child, at_root, reads)),
    });
}

/// A call with `piped` arguments in front of those it is written with.
fn call(name: &str, args: &[AstNode], piped: usize, at_root: bool, reads: &mut Reads) {
    reads.moment |= matches!(name, "now" | "millis" | "random" | "shuffle");
    reads.all |= name == "eval" || (at_root && uses_context(name, args.len() + piped));
    for arg in args {
        walk(arg, at_root, reads);
    }
}

/// Built-ins that take the current value when an argument is left out.
fn uses_context(name: &str, args: usize) -> bool {
    match name {
        "now" | "millis" | "random" => false,
        "lookup" | "each" | "sift" => args < 2,
        _ => args == 0,
    }
}

fn path(steps: &[PathStep], at_root: bool, reads: &mut Reads) {
    let mut start = 0;
    let mut rooted = at_root;
    if let Some(first) = steps.first() {
        let whole = match &first.node {
            AstNode::ParentVariable(_) => true,
            AstNode::Variable(name) => name.is_empty() && at_root,
            _ => false,
        };
        if whole {
            (start, rooted) = (1, true);
            // Only a plain name after it says what part is meant.
            let goes_on =
                first.stages.is_empty() && matches!(steps.get(1).map(|s| &s.node), Some(AstNode::Name(_)));
            reads.all |= !goes_on;
        }
    }
    named(&steps[start..], rooted, reads);
    for (index, step) in steps.iter().enumerate() {
        if matches!(step.node, AstNode::Parent(_)) {
            let rest = &steps[index + 1..];
            reads.all |= !matches!(rest.first().map(|s| &s.node), Some(AstNode::Name(_)));
            named(rest, true, reads);
        } else if !(index < start || matches!(step.node, AstNode::Name(_)) || is_base(&step.node)) {
            walk(&step.node, index == 0 && at_root, reads);
        }
        for stage in &step.stages {
            if let Stage::Filter(predicate) = stage {
                walk(predicate, false, reads);
            }
        }
    }
}

fn is_base(node: &AstNode) -> bool {
    matches!(node, AstNode::Variable(name) if name == "base")
}

/// Reads `base.nodes.KEY` and `secret.NAME` off the start of a path.
fn named(steps: &[PathStep], rooted: bool, reads: &mut Reads) {
    let plain = |index: usize| match steps.get(index) {
        Some(PathStep { node: AstNode::Name(name), .. }) => Some(name.as_str()),
        _ => None,
    };
    let unfiltered = |index: usize| steps.get(index).is_some_and(|step| step.stages.is_empty());
    let first = match steps.first().map(|step| &step.node) {
        Some(AstNode::Name(name)) if rooted => name.as_str(),
        Some(node) if is_base(node) => "base",
        // `orders^(…)`, `orders{…}` and the like: their own walk finds what is in them.
        _ => return,
    };
    match (first, plain(1)) {
        ("base", Some("nodes")) => match plain(2) {
            Some(key) if unfiltered(0) && unfiltered(1) => drop(reads.nodes.insert(key.to_owned())),
            _ => reads.all = true,
        },
        ("base", Some(part)) if unfiltered(0) => reads.moment |= part != "params" && part != "nodes",
        ("base", _) => reads.all = true,
        ("secret", Some(name)) => drop(reads.secrets.insert(name.to_owned())),
        _ => {}
    }
}
