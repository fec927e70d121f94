//! What is different between two editions of a workflow.

use app::{Compared, Told, Which};
use domain::{Timestamp, VersionId};
use engine::diff::Diff;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use utoipa::ToSchema;

use super::plan::BoundsDoc;

/// The number of a version, or `draft`, in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named(pub(crate) Which);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        if text == "draft" {
            return Ok(Self(Which::Draft));
        }
        text.parse().map(|number| Self(Which::Number(number))).map_err(D::Error::custom)
    }
}

/// Two editions and what is different in the later one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiffView {
    from: EditionView,
    to: EditionView,
    /// Whether nothing is different.
    is_same: bool,
    #[serde(flatten)]
    #[schema(value_type = DiffDoc)]
    diff: Diff,
}

impl From<Compared> for DiffView {
    fn from(compared: Compared) -> Self {
        let Compared { from, to, diff } = compared;
        Self { from: from.into(), to: to.into(), is_same: diff.is_empty(), diff }
    }
}

/// An edition of a workflow: a version, or the draft.
#[derive(Debug, Serialize, ToSchema)]
struct EditionView {
    /// The workflow's name in it.
    #[schema(example = "Orders over 50")]
    name: String,
    /// Null for the draft.
    number: Option<u32>,
    /// Null for the draft.
    #[schema(value_type = Option<Uuid>)]
    version_id: Option<VersionId>,
    /// When the version was published.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_on: Option<Timestamp>,
    /// The draft's revision.
    revision: Option<i64>,
}

impl From<Told> for EditionView {
    fn from(told: Told) -> Self {
        match told {
            Told::Version { id, number, name, created_on } => Self {
                name,
                number: Some(number),
                version_id: Some(id),
                created_on: Some(created_on),
                revision: None,
            },
            Told::Draft { revision, name } => {
                Self { name, number: None, version_id: None, created_on: None, revision: Some(revision) }
            }
        }
    }
}

/// What is different.
#[derive(Serialize, ToSchema)]
#[schema(as = Diff)]
struct DiffDoc {
    nodes: NodeChangesDoc,
    edges: EdgeChangesDoc,
    /// What stands around the graph: pointers begin with `/name`, `/is_api`, `/input_params` or `/settings`.
    metadata: Vec<FieldChangeDoc>,
    types: TypeChangesDoc,
    /// What a run takes, where that is different.
    bounds: Option<BoundsChangeDoc>,
}

/// Nodes that are different. A node is the same if it has the same id, else if it has the same key.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeChanges)]
struct NodeChangesDoc {
    /// Only in the later edition.
    #[schema(value_type = Vec<Object>)]
    added: Vec<Value>,
    /// Only in the earlier one.
    #[schema(value_type = Vec<Object>)]
    removed: Vec<Value>,
    changed: Vec<NodeChangeDoc>,
}

/// A node that is in both.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeChange)]
struct NodeChangeDoc {
    #[schema(value_type = Option<Uuid>)]
    id: Option<String>,
    /// Its key in the later edition.
    #[schema(example = "fetch_orders")]
    key: String,
    /// The key that it had, where that is another.
    renamed_from: Option<String>,
    /// Pointers lead into the node.
    fields: Vec<FieldChangeDoc>,
}

/// A place where the two differ.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldChange)]
struct FieldChangeDoc {
    /// JSON Pointer (RFC 6901).
    #[schema(example = "/metadata/url")]
    pointer: String,
    /// Absent where nothing stood there.
    #[schema(required = false)]
    before: Value,
    /// Absent where nothing stands there.
    #[schema(required = false)]
    after: Value,
}

/// Edges that are different. One whose ends were renamed is the same.
#[derive(Serialize, ToSchema)]
#[schema(as = EdgeChanges)]
struct EdgeChangesDoc {
    #[schema(value_type = Vec<Object>)]
    added: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    removed: Vec<Value>,
    relabelled: Vec<RelabelledDoc>,
}

/// An edge with another label.
#[derive(Serialize, ToSchema)]
#[schema(as = Relabelled)]
struct RelabelledDoc {
    #[schema(example = "goal_met")]
    from: String,
    #[schema(example = "celebrate")]
    to: String,
    before: Option<String>,
    after: Option<String>,
}

/// JSON Schemas of outputs that are different, as far as they are known before a run.
#[derive(Serialize, ToSchema)]
#[schema(as = TypeChanges)]
struct TypeChangesDoc {
    nodes: Vec<NodeTypeChangeDoc>,
    /// `{before, after}` of what a run comes to.
    #[schema(value_type = Option<Object>)]
    result: Value,
}

/// The JSON Schemas of a node's output.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeTypeChange)]
struct NodeTypeChangeDoc {
    #[schema(example = "fetch_orders")]
    key: String,
    #[schema(value_type = Option<Object>)]
    before: Value,
    #[schema(value_type = Option<Object>)]
    after: Value,
}

/// What a run takes; absent where it can't be told, as for a draft with errors.
#[derive(Serialize, ToSchema)]
#[schema(as = BoundsChange)]
struct BoundsChangeDoc {
    before: Option<BoundsDoc>,
    after: Option<BoundsDoc>,
}
