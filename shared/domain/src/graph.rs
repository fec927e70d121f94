//! The graph of a workflow as people write it: JSON with nodes that are named by key and edges between keys.
//!
//! Reading is lenient about meaning (an unknown node type, a bad key, a cycle) and strict about form (unknown fields are refused),
//! so that `engine::validate` can report every problem of meaning at once.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::NodeId;

/// The most nodes a workflow may have (engine.md, save-time rules).
pub const MAX_NODES: usize = 500;

/// The most edges that a draft is given one at a time; a whole graph is bounded by what a request may carry.
pub const MAX_EDGES: usize = 5_000;

/// A directed acyclic graph of nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// In the order in which the author gave them; it has no meaning for execution.
    pub nodes: Vec<Node>,
    /// Arrows between node keys.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// The name of a node inside its workflow; what expressions say after `base.nodes.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeKey(String);

impl NodeKey {
    /// Takes any text; see [`NodeKey::is_valid`].
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the key is `snake_case`: a lower-case letter, then up to 62 of letters, digits and `_`.
    pub fn is_valid(&self) -> bool {
        let mut chars = self.0.chars();
        self.0.len() <= 63
            && chars.next().is_some_and(|first| first.is_ascii_lowercase())
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for NodeKey {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl Borrow<str> for NodeKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One node of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Stable over edits; given by the server where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<NodeId>,
    /// Unique in the workflow.
    pub key: NodeKey,
    /// For people; the key where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A type of the engine's registry, such as `get_api`.
    pub node_type: String,
    /// What the type needs; string fields may hold `{{ }}` templates.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// JSON Schema of the output, or an example of its shape. The output must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured_output: Option<Value>,
    /// Replaces the default retry policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Seconds one attempt may take; 30 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// What a failure of this node means for the run.
    #[serde(default, skip_serializing_if = "OnError::is_fail")]
    pub on_error: OnError,
    /// Where an editor draws it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// An arrow: `to` runs after `from`, and only if `from` chose `label` (where there is one).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Key of the parent.
    pub from: NodeKey,
    /// Key of the child.
    pub to: NodeKey,
    /// `true`, `false`, a case, a part, or `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What a failed node means for its run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The node counts as succeeded, with this output.
    Continue {
        /// Output in place of the one that failed.
        #[serde(default)]
        default: Value,
    },
    /// The edge labelled `error` becomes live; its child gets `{class, code, message}` as input.
    Branch,
}

impl OnError {
    /// Whether this is the default, which is not written out.
    pub fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

/// How often and after how long a transient failure is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Retries after the first attempt; at most 10.
    pub max_retries: u32,
    /// Seconds before each retry; the last one repeats. Full jitter is applied. 5, 30, 120 where absent (RUN-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays_s: Option<Vec<u32>>,
}

/// Place on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Pixels from the left.
    pub x: f64,
    /// Pixels from the top.
    pub y: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_snake_case() {
        for good in ["a", "fetch_orders", "step2"] {
            assert!(NodeKey::from(good).is_valid(), "{good}");
        }
        for bad in ["", "A", "2step", "fetch-orders", "é", "_a", &"a".repeat(64)] {
            assert!(!NodeKey::from(bad).is_valid(), "{bad}");
        }
    }

    #[test]
    fn a_graph_round_trips_and_refuses_unknown_fields() {
        let text = r#"{"nodes":[{"key":"a","node_type":"return","metadata":{"output":"{{ input }}"},"on_error":{"action":"continue","default":7}}],"edges":[]}"#;
        let graph: Graph = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&graph).unwrap(), text);
        assert!(serde_json::from_str::<Graph>(r#"{"nodes":[],"nodez":[]}"#).is_err());
    }
}
