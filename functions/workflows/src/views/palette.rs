//! Node types as an editor needs them.

use engine::{
    nodes::Group,
    palette::{PaletteEntry, palette},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The node types in their groups.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaletteView {
    groups: Vec<GroupView>,
}

/// A group of the palette.
#[derive(Debug, Serialize, ToSchema)]
struct GroupView {
    /// `ai`, `resources`, `actions` or `control`.
    #[schema(value_type = String, example = "actions")]
    group: Group,
    /// Its name, for people.
    #[schema(example = "Actions")]
    label: &'static str,
    #[schema(value_type = Vec<NodeTypeDoc>)]
    types: Vec<PaletteEntry>,
}

/// A node type.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeType)]
struct NodeTypeDoc {
    /// The word in `node_type`.
    #[schema(example = "get_api")]
    node_type: String,
    #[schema(example = "actions")]
    group: String,
    /// Its name, for people.
    #[schema(example = "HTTP GET")]
    label: String,
    /// What it does, in a sentence.
    #[schema(example = "Fetches a page or a document.")]
    help: String,
    /// Whether a graph with it can be published yet.
    is_available: bool,
    /// JSON Schema of its metadata. `x-expression`, `x-template` and `x-secrets` mark where JSONata, `{{ }}` and secrets may stand.
    #[schema(value_type = Object)]
    metadata: Value,
    /// What fields are that are left out.
    #[schema(value_type = Object)]
    defaults: Value,
    /// Metadata of an ordinary node.
    #[schema(value_type = Object)]
    example: Value,
    /// JSON Schema of its output, as far as the type alone tells.
    output: Value,
    /// The labels that its edges carry in the example.
    #[schema(example = json!(["error"]))]
    labels: Vec<String>,
    /// Whether several edges may lead to it.
    joins: bool,
    /// Whether edges may lead away from it.
    continues: bool,
}

impl PaletteView {
    pub(crate) fn new() -> Self {
        let all = palette();
        let groups = [
            (Group::Ai, "AI"),
            (Group::Resources, "Resources"),
            (Group::Actions, "Actions"),
            (Group::Control, "Control"),
        ];
        let of = |group| all.iter().filter(|entry| entry.group == group).cloned().collect();
        Self { groups: groups.map(|(group, label)| GroupView { group, label, types: of(group) }).into() }
    }
}
