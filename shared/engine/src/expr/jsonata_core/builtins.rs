//! What the guard knows of JSONata's built-in functions and of its syntax tree.

use std::collections::BTreeSet;

use jsonata_core::{
    ast::{AstNode, BinaryOp, PathStep, Stage},
    value::with_stack,
};

use super::hosts::Host;
use crate::expr::{ExprError, limits};

/// How a built-in that could run away is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// A function of ours runs instead.
    Instead(Host),
    /// Each argument is checked on its own.
    Each,
    /// The arguments are checked together before the call. With one argument fewer, the context comes first.
    Together { at_least: usize },
    /// With a picture it is `$fromMillis($millis(), …)`.
    Now,
}

pub(super) fn guard(name: &str) -> Option<Guard> {
    Some(match name {
        "distinct" => Guard::Instead(Host::Distinct),
        "eval" => Guard::Instead(Host::Eval),
        "pad" | "formatNumber" | "fromMillis" | "toMillis" | "parseInteger" | "keys" => Guard::Each,
        "join" | "split" | "match" | "contains" | "formatInteger" => Guard::Together { at_least: 2 },
        "replace" => Guard::Together { at_least: 3 },
        "now" => Guard::Now,
        _ => return None,
    })
}

/// How the result of a built-in is counted, where it is more than a number or a truth.
pub(super) fn weighed(name: &str) -> Option<Host> {
    Some(match name {
        "filter" | "append" | "reverse" | "sort" | "shuffle" | "lookup" => Host::Gathered,
        "map" | "each" | "spread" | "zip" | "match" | "split" | "merge" | "sift" | "keys" | "string"
        | "replace" | "join" | "pad" | "base64encode" | "base64decode" | "encodeUrl"
        | "encodeUrlComponent" | "decodeUrl" | "decodeUrlComponent" | "uppercase" | "lowercase" | "trim"
        | "substring" | "substringBefore" | "substringAfter" | "formatNumber" | "formatInteger" | "clone" => {
            Host::Built
        }
        _ => return None,
    })
}

/// Whether `$name` is a built-in, ours included.
pub(super) fn exists(name: &str) -> bool {
    const OTHERS: [&str; 36] = [
        "length",
        "number",
        "abs",
        "floor",
        "ceil",
        "round",
        "power",
        "sqrt",
        "random",
        "formatBase",
        "sum",
        "max",
        "min",
        "average",
        "boolean",
        "not",
        "exists",
        "count",
        "error",
        "assert",
        "type",
        "reduce",
        "single",
        "millis",
        "map",
        "filter",
        "each",
        "sift",
        "sort",
        "append",
        "reverse",
        "shuffle",
        "lookup",
        "spread",
        "zip",
        "merge",
    ];
    guard(name).is_some() || weighed(name).is_some() || OTHERS.contains(&name)
}

pub(super) fn reserved(name: &str) -> ExprError {
    ExprError::new(
        "unsupported",
        format!("${name} is a built-in function and can't be bound to something else"),
    )
}

/// Refuses a regex whose automaton would be large, by a rough count: each character a state, repetitions multiplied.
pub(super) fn check_regex(pattern: &str) -> Result<(), ExprError> {
    if regex_states(pattern) <= limits::REGEX_STATES {
        return Ok(());
    }
    Err(ExprError::new("too_large", "the regular expression is too large"))
}

/// An estimate: each character or class one state, what is repeated as often as it may be (`{2,30}` counts 30).
pub(super) fn regex_states(pattern: &str) -> usize {
    // For each open group: states so far, and those of the part that a repetition would repeat.
    let mut groups = vec![(0_usize, 0_usize)];
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        let atom = match c {
            '(' => {
                groups.push((0, 0));
                continue;
            }
            ')' if groups.len() > 1 => groups.pop().map_or(1, |(sum, _)| sum.max(1)),
            '{' => {
                let most = pattern[at + 1..].split_once('}').map_or("", |(counts, _)| counts);
                let most = most.rsplit(',').find(|part| !part.trim().is_empty()).unwrap_or("");
                let more = most.trim().parse::<usize>().unwrap_or(1).saturating_sub(1);
                if let Some((sum, last)) = groups.last_mut() {
                    *sum = sum.saturating_add(last.saturating_mul(more));
                    *last = last.saturating_mul(more.saturating_add(1));
                }
                chars.by_ref().find(|(_, c)| *c == '}');
                continue;
            }
            '*' | '+' | '?' | '|' => continue,
            '\\' => chars.next().map_or(1, |(_, escaped)| class_states(escaped)),
            '[' => {
                let (mut escaped, mut states) = (false, 4);
                chars.by_ref().find(|(_, c)| {
                    let ends = *c == ']' && !escaped;
                    states += if escaped { class_states(*c) } else { 0 };
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                states
            }
            '.' => 4,
            _ => 1,
        };
        if let Some((sum, last)) = groups.last_mut() {
            *sum = sum.saturating_add(atom);
            *last = atom;
        }
    }
    groups.iter().fold(1_usize, |all, (sum, _)| all.saturating_add(*sum))
}

/// Classes of Unicode are automata of their own.
fn class_states(escaped: char) -> usize {
    match escaped {
        'w' | 'W' | 'p' | 'P' | 'b' | 'B' => 60,
        'd' | 'D' | 's' | 'S' => 10,
        _ => 1,
    }
}

/// A small number as a literal.
pub(super) fn number(count: usize) -> AstNode {
    AstNode::number(f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Names that a node binds for what follows it, so all but the parameters of a lambda.
pub(super) fn bound_names(node: &AstNode, names: &mut BTreeSet<String>) {
    match node {
        AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
            if let AstNode::Variable(name) = &**lhs {
                names.insert(name.clone());
            }
        }
        AstNode::Path { steps } => {
            for step in steps {
                names.extend(step.focus.iter().chain(&step.index_var).cloned());
                names.extend(step.stages.iter().filter_map(|stage| match stage {
                    Stage::Index(name) => Some(name.clone()),
                    Stage::Filter(_) | Stage::KeepArray => None,
                }));
            }
        }
        _ => {}
    }
}

/// Calls `f` with every node of a tree, parents first.
pub(super) fn visit(node: &AstNode, f: &mut impl FnMut(&AstNode)) {
    f(node);
    with_stack(|| children(node, &mut |child| visit(child, f)));
}

/// Calls `f` with each child of a node.
pub(super) fn children<'a>(node: &'a AstNode, f: &mut dyn FnMut(&'a AstNode)) {
    match node {
        AstNode::Path { steps } => steps.iter().for_each(|step| step_children(step, f)),
        AstNode::Binary { lhs, rhs, .. } => [lhs, rhs].into_iter().for_each(|side| f(side)),
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => {
            f(inner);
        }
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::ArrayGroup(nodes)
        | AstNode::Block(nodes) => {
            nodes.iter().for_each(f);
        }
        AstNode::Call { procedure, args } => {
            f(procedure);
            args.iter().for_each(f);
        }
        AstNode::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).for_each(f),
        AstNode::ObjectTransform { input, pattern } => {
            f(input);
            pattern.iter().flat_map(|(key, value)| [key, value]).for_each(f);
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            f(condition);
            f(then_branch);
            else_branch.as_deref().map(f);
        }
        AstNode::Sort { input, terms } => {
            f(input);
            terms.iter().map(|(term, _)| term).for_each(f);
        }
        AstNode::Transform { location, update, delete } => {
            f(location);
            f(update);
            delete.as_deref().map(f);
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

fn step_children<'a>(step: &'a PathStep, f: &mut dyn FnMut(&'a AstNode)) {
    f(&step.node);
    for stage in &step.stages {
        if let Stage::Filter(predicate) = stage {
            f(predicate);
        }
    }
}
