//! The node types: one module each, and the registry that knows them (NOD-02).
//!
//! A type is a table of metadata [`Field`]s, the [`Labels`] of its out-edges, and, if it is pure, how it is
//! evaluated. What an effectful type does stands in `connectors`. Adding a type touches one module and
//! [`TYPES`].

mod advanced;
pub mod approval;
mod context;
mod field;
mod filter;
pub(crate) mod for_each;
mod http;
mod if_else;
mod label;
mod limits;
mod list;
mod map;
mod merge;
mod metadata;
mod planned;
mod returns;
mod split;
pub(crate) mod wait;
pub(crate) mod workflow;

use std::{fmt, sync::Arc};

use domain::{ErrorClass, Failure};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::pointer::join;
pub use crate::{shape::Shape, typed::Typing};

pub use context::Context;
pub use field::{Field, Kind, Problem};
pub use label::{ERROR, Labels};
pub use limits::{MAX_ITEMS, MAX_OUTPUT_BYTES};
pub use metadata::Metadata;

pub(crate) use for_each::ItemError;
pub(crate) use limits::{Budget, check_size};
pub(crate) use merge::Mode;

/// Where the palette of an editor shows a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Models.
    Ai,
    /// Knowledge and tools of the team.
    Resources,
    /// Calls to the outside.
    Actions,
    /// Flow and data.
    Control,
}

/// The contract of every node type.
pub trait NodeType: fmt::Debug + Sync {
    /// The word in `node_type`.
    fn name(&self) -> &'static str;

    /// Where the palette shows it.
    fn group(&self) -> Group;

    /// What people read of it.
    fn about(&self) -> About;

    /// The fields of its metadata.
    fn fields(&self) -> &'static [Field];

    /// What it gives for what it gets, as far as that is known before it runs; what in its metadata can't be meant is told on the way
    /// (NOD-01, plan).
    fn plan(&self, _typing: &mut Typing<'_>) -> Shape {
        Shape::any()
    }

    /// Rules between fields, for metadata whose fields are each in order or missing.
    fn check(&self, _metadata: &Map<String, Value>) -> Vec<Problem> {
        Vec::new()
    }

    /// The same rules as keywords of JSON Schema, as far as a schema can say them.
    fn rules(&self) -> Value {
        json!({})
    }

    /// The labels that its out-edges may carry. Reads metadata that may be wrong; answers as well as it can.
    fn labels(&self, _metadata: &Map<String, Value>) -> Labels {
        Labels::None
    }

    /// How many edges may lead to it and away from it.
    fn arity(&self) -> Arity {
        Arity::default()
    }

    /// How it is evaluated, if that takes nothing but data.
    fn as_pure(&self) -> Option<&dyn Pure> {
        None
    }

    /// What it waits for, if nobody works on it while it runs.
    fn control(&self) -> Option<Control> {
        None
    }

    /// Whether a graph with it can be published. A type that can't is known so that drafts may hold it.
    fn is_available(&self) -> bool {
        true
    }
}

/// What people read of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Its name on a button.
    pub label: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// Metadata of an ordinary node, as JSON.
    pub example: &'static str,
}

/// How many edges may lead to a node and away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    /// Whether several may lead to it.
    pub joins: bool,
    /// Whether any may lead away from it.
    pub continues: bool,
}

impl Default for Arity {
    fn default() -> Self {
        Self { joins: false, continues: true }
    }
}

/// A type that waits and is moved on by the engine: neither evaluated at once nor executed by a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// For a time.
    Wait,
    /// For people.
    Approval,
    /// For a run of another workflow.
    Workflow,
    /// For runs that work on its items.
    ForEach,
}

/// A type whose output follows from data alone.
pub trait Pure {
    /// The output, and the label it chooses. Failures have the class `validation`: the same data would fail
    /// again.
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure>;
}

/// What a node gives when it succeeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its output.
    pub value: Arc<Value>,
    /// The label it chose, if its type chooses.
    pub label: Option<String>,
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Arc::new(value).into()
    }
}

impl From<Arc<Value>> for Output {
    fn from(value: Arc<Value>) -> Self {
        Self { value, label: None }
    }
}

/// Every type, in the order of the palette.
pub static TYPES: &[&dyn NodeType] = &[
    &planned::JOB,
    &planned::EMBED,
    &planned::GURU,
    &planned::VECTOR_QUERY,
    &planned::MCP_TOOL,
    &http::Http::Get,
    &http::Http::Post,
    &approval::Approval,
    &wait::Wait,
    &workflow::Workflow,
    &for_each::ForEach,
    &filter::Filter,
    &map::MapItems,
    &if_else::IfElse,
    &merge::Merge,
    &split::Split,
    &advanced::Advanced,
    &returns::Return,
];

/// The type of that name.
pub fn find(name: &str) -> Option<&'static dyn NodeType> {
    TYPES.iter().copied().find(|node_type| node_type.name() == name)
}

/// Reads a node's metadata: every problem, and what could be read.
pub fn read(node_type: &dyn NodeType, raw: &Map<String, Value>) -> (Metadata, Vec<Problem>) {
    let (metadata, mut problems) = Metadata::read(node_type.fields(), raw);
    problems.extend(node_type.check(raw));
    (metadata, problems)
}

/// The problem of metadata in which none of these alternatives is complete.
fn one_of(metadata: &Map<String, Value>, alternatives: &[&[&str]]) -> Vec<Problem> {
    let complete = |fields: &[&str]| fields.iter().all(|name| metadata.contains_key(*name));
    if alternatives.is_empty() || alternatives.iter().any(|fields| complete(fields)) {
        return Vec::new();
    }
    let choices: Vec<_> = alternatives.iter().map(|fields| format!("`{}`", fields.join("` and `"))).collect();
    let message = format!("give {}", choices.join(", or "));
    vec![Problem::new(join("", alternatives[0][0]), "missing_field", message)]
}

/// [`one_of`] as a keyword of JSON Schema.
fn one_of_rule(alternatives: &[&[&str]]) -> Value {
    let complete: Vec<_> = alternatives.iter().map(|fields| json!({ "required": fields })).collect();
    if complete.is_empty() { json!({}) } else { json!({ "anyOf": complete }) }
}

/// A failure that the same data would meet again.
pub(crate) fn invalid(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(ErrorClass::Validation, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for node_type in TYPES {
            assert_eq!(find(node_type.name()).unwrap().name(), node_type.name());
        }
        assert!(find("loop").is_none());
    }

    #[test]
    fn a_pure_type_is_available() {
        for node_type in TYPES.iter().filter(|node_type| node_type.as_pure().is_some()) {
            assert!(node_type.is_available(), "{}", node_type.name());
        }
    }
}
