//! Nodes and edges one at a time (WF-15).

use app::{PlacedEdge, ports::Draft};
use domain::{Edge, EdgeId, FieldError, Node, NodeId, NodeKey, OnError, Position, RetryPolicy};
use engine::Violation;
use heddle_http::Nullable;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::graph::{NodeDoc, ViolationView};

/// A node to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateNode {
    /// Unique in the workflow, `snake_case`; what expressions say after `base.nodes.`.
    #[schema(value_type = String, min_length = 1, max_length = 63, example = "fetch_orders")]
    key: NodeKey,
    /// For people; at most 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// A type that there is, such as `get_api`, `filter` or `return`.
    #[schema(example = "get_api")]
    node_type: String,
    /// What the type needs; may be given later.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// JSON Schema of the output, or an example of its shape.
    structured_output: Option<Value>,
    /// `{max_retries, delays_s?}`.
    #[schema(value_type = Option<Object>)]
    retry: Option<RetryPolicy>,
    /// Seconds one attempt may take; 30 where absent.
    timeout_s: Option<u32>,
    /// `{action: fail | continue | branch, default?}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    on_error: OnError,
    /// `{x, y}` on a canvas.
    #[schema(value_type = Option<Object>)]
    position: Option<Position>,
}

impl CreateNode {
    /// The node that is meant, or every mistake that shows in it alone.
    pub(crate) fn check(self) -> Result<Node, Vec<FieldError>> {
        check_name(&self.name)?;
        Ok(Node {
            id: None,
            key: self.key,
            name: self.name,
            node_type: self.node_type,
            metadata: self.metadata,
            structured_output: self.structured_output,
            retry: self.retry,
            timeout_s: self.timeout_s,
            on_error: self.on_error,
            position: self.position,
        })
    }
}

/// What to change of a node; absent fields stay, and null takes away what may be absent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateNode {
    /// The node keeps its edges. Expressions that say the old key stay as they are, and are told.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 63)]
    key: Option<NodeKey>,
    /// For people; at most 200 characters.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// A type that there is.
    node_type: Option<String>,
    /// What the type needs; all of it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// JSON Schema of the output, or an example of its shape.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    structured_output: Nullable<Value>,
    /// `{max_retries, delays_s?}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    retry: Nullable<RetryPolicy>,
    /// Seconds one attempt may take.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    timeout_s: Nullable<u32>,
    /// `{action: fail | continue | branch, default?}`.
    #[schema(value_type = Option<Object>)]
    on_error: Option<OnError>,
    /// `{x, y}` on a canvas.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    position: Nullable<Position>,
}

impl UpdateNode {
    /// The change that is meant, or every mistake that shows in it alone.
    pub(crate) fn check(self) -> Result<impl FnOnce(&mut Node) + Send, Vec<FieldError>> {
        check_name(self.name.as_deref().unwrap_or_default())?;
        Ok(move |node: &mut Node| {
            fn set<T>(field: &mut T, value: Option<T>) {
                if let Some(value) = value {
                    *field = value;
                }
            }
            set(&mut node.key, self.key);
            set(&mut node.name, self.name);
            set(&mut node.node_type, self.node_type);
            set(&mut node.metadata, self.metadata);
            self.structured_output.apply(&mut node.structured_output);
            self.retry.apply(&mut node.retry);
            self.timeout_s.apply(&mut node.timeout_s);
            set(&mut node.on_error, self.on_error);
            self.position.apply(&mut node.position);
        })
    }
}

fn check_name(name: &str) -> Result<(), Vec<FieldError>> {
    if name.chars().count() > 200 {
        return Err(vec![FieldError::new("/name", "length", "A node's name has at most 200 characters.")]);
    }
    Ok(())
}

/// An edge to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEdge {
    /// Key of the parent.
    #[schema(value_type = String, example = "fetch_orders")]
    from: NodeKey,
    /// Key of the child.
    #[schema(value_type = String, example = "large_orders")]
    to: NodeKey,
    /// `true`, `false`, a case, a part, or `error`; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    label: Option<String>,
}

impl CreateEdge {
    /// The edge that is meant, or what is wrong with its label.
    pub(crate) fn check(self) -> Result<Edge, Vec<FieldError>> {
        check_label(self.label.as_deref())?;
        Ok(Edge { from: self.from, to: self.to, label: self.label })
    }
}

/// What to change of an edge. Its ends are what it is: for others there is another edge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateEdge {
    /// 1 to 200 characters; null for none.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    label: Nullable<String>,
}

impl UpdateEdge {
    /// The label that is meant, or what is wrong with it.
    pub(crate) fn check(self) -> Result<Nullable<String>, Vec<FieldError>> {
        check_label(self.label.value().map(String::as_str))?;
        Ok(self.label)
    }
}

fn check_label(label: Option<&str>) -> Result<(), Vec<FieldError>> {
    if label.is_some_and(|label| label.is_empty() || label.chars().count() > 200) {
        return Err(vec![FieldError::new("/label", "length", "A label has 1 to 200 characters.")]);
    }
    Ok(())
}

/// An edge that can be named.
#[derive(Serialize, ToSchema)]
#[schema(as = PlacedEdge)]
pub(crate) struct PlacedEdgeDoc {
    /// Stable over edits of all else.
    #[schema(value_type = Uuid)]
    id: EdgeId,
    /// Key of the parent.
    #[schema(example = "fetch_orders")]
    from: String,
    /// Key of the child.
    #[schema(example = "big_ones")]
    to: String,
    /// `true`, `false`, a case, a part, or `error`; absent where it has none.
    #[schema(required = false)]
    label: Option<String>,
}

/// What an edit came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditedDraft {
    /// Counts the edits; the `ETag` of the workflow.
    #[schema(example = 12)]
    pub(crate) revision: i64,
    /// What is wrong with the whole draft as it is now. Errors stand in the way of publishing.
    violations: Vec<ViolationView>,
}

impl EditedDraft {
    pub(crate) fn new(revision: i64, violations: Vec<Violation>) -> Self {
        Self { revision, violations: violations.into_iter().map(ViolationView::from).collect() }
    }
}

/// A node that was edited.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditedNode {
    #[schema(value_type = NodeDoc)]
    node: Option<Node>,
    #[serde(flatten)]
    draft: EditedDraft,
}

impl EditedNode {
    pub(crate) fn new(id: NodeId, draft: Draft, violations: Vec<Violation>) -> Self {
        let node = draft.graph.nodes.into_iter().find(|node| node.id == Some(id));
        Self { node, draft: EditedDraft::new(draft.revision, violations) }
    }
}

/// An edge that was edited.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditedEdge {
    #[schema(value_type = PlacedEdgeDoc)]
    edge: PlacedEdge,
    #[serde(flatten)]
    draft: EditedDraft,
}

impl EditedEdge {
    pub(crate) fn new(edge: PlacedEdge, draft: &Draft, violations: Vec<Violation>) -> Self {
        Self { edge, draft: EditedDraft::new(draft.revision, violations) }
    }
}
