//! A workflow as a document that goes from one team, or one Heddle, to another (WF-13).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use catalog::Workflow;
use domain::{FieldError, Graph};
use engine::{Reference, ReferenceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    changes::CreateWorkflow,
    graph::{GraphDoc, ViolationView},
    workflow::WorkflowDetail,
};

/// What a document says it is.
const FORMAT: &str = "heddle.workflow";

/// The only version of the format there is.
const VERSION: u32 = 1;

/// A workflow with its draft graph, for files. What differs between two copies of a workflow (ids of its own, times, revisions) is not in it,
/// and neither is what has its default: exported, imported and exported again it is the same, to the byte.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkflowDocument {
    /// `heddle.workflow`.
    #[schema(example = "heddle.workflow")]
    format: String,
    /// 1.
    #[schema(minimum = 1, maximum = 1, example = 1)]
    version: u32,
    pub(crate) workflow: CreateWorkflow,
    /// Nodes and edges in their author's order, nodes without ids.
    #[schema(value_type = GraphDoc)]
    pub(crate) graph: Graph,
    /// What it names by id and secret, to find the same in another team. An import does not read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10_000)]
    requires: Vec<Requirement>,
    /// Of an import: ids that the document names, and those of this team to take instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Option<HashMap<String, Uuid>>)]
    mapping: BTreeMap<Uuid, Uuid>,
}

/// Something that a workflow names and does not contain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Requirement {
    /// `expert`, `workflow`, `collection`, `mcp_server` or `secret`.
    #[schema(example = "expert")]
    kind: String,
    /// Its id; the name of a secret.
    #[schema(example = "01a20155-2112-714f-9307-c241d182a1ef")]
    id: String,
    /// What it was called; absent for secrets, and for what is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order clerk")]
    name: Option<String>,
}

impl WorkflowDocument {
    /// The document of a workflow; `names` are those of what it refers to.
    pub(crate) fn of(
        workflow: Workflow,
        mut graph: Graph,
        names: &HashMap<(ReferenceKind, Uuid), String>,
    ) -> Self {
        let references = references(&graph, &workflow.settings);
        let requires: BTreeSet<_> = references.iter().map(|found| Requirement::of(found, names)).collect();
        for node in &mut graph.nodes {
            node.id = None;
        }
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            workflow: CreateWorkflow::from(workflow),
            graph,
            requires: requires.into_iter().collect(),
            mapping: BTreeMap::new(),
        }
    }

    /// Puts this team's ids in the place of the document's, and answers what of the document's form and of the mapping is wrong.
    pub(crate) fn map(&mut self) -> Vec<FieldError> {
        let mut mistakes = Vec::new();
        if self.format != FORMAT {
            mistakes.push(FieldError::new(
                "/format",
                "unknown_format",
                "The format has to be `heddle.workflow`.",
            ));
        }
        if self.version != VERSION {
            let detail = format!("This Heddle reads version {VERSION} of the format.");
            mistakes.push(FieldError::new("/version", "unknown_version", &detail));
        }
        for (place, node) in
            self.graph.nodes.iter().enumerate().filter(|(_, node)| node.id.is_some()).take(50)
        {
            let detail = format!("The node {} has an id; nodes of documents have none.", node.key);
            mistakes.push(FieldError::new(format!("/graph/nodes/{place}/id"), "unknown_node_id", &detail));
        }
        let mut mapping = std::mem::take(&mut self.mapping);
        let mut used = BTreeSet::new();
        let mut take = |old: &str| {
            let old = old.parse().ok()?;
            used.insert(old);
            mapping.get(&old).map(Uuid::to_string)
        };
        if let Some(Value::String(id)) = self.workflow.settings_mut().get_mut(ERROR_WORKFLOW) {
            *id = take(id).unwrap_or_else(|| id.clone());
        }
        let found = engine::references(&self.graph);
        let mut json = serde_json::to_value(&self.graph).unwrap_or_default();
        for reference in found.iter().filter(|found| found.kind != ReferenceKind::Secret) {
            if let (Some(new), Some(place)) = (take(&reference.id), json.pointer_mut(&reference.pointer)) {
                *place = Value::String(new);
            }
        }
        self.graph = serde_json::from_value(json).unwrap_or_else(|_| std::mem::take(&mut self.graph));
        mapping.retain(|old, _| !used.contains(old));
        let unused = mapping.keys().map(|old| {
            FieldError::new(format!("/mapping/{old}"), "not_referenced", "The document names no such id.")
        });
        mistakes.extend(unused);
        mistakes
    }
}

impl Requirement {
    fn of(reference: &Reference, names: &HashMap<(ReferenceKind, Uuid), String>) -> Self {
        let kind = match reference.kind {
            ReferenceKind::Expert => "expert",
            ReferenceKind::Workflow => "workflow",
            ReferenceKind::Collection => "collection",
            ReferenceKind::McpServer => "mcp_server",
            ReferenceKind::Secret => "secret",
        };
        let id: Option<Uuid> = reference.id.parse().ok();
        let name = id.and_then(|id| names.get(&(reference.kind, id)).cloned());
        Self { kind: kind.to_owned(), id: reference.id.clone(), name }
    }
}

/// The setting that names the workflow for failures.
const ERROR_WORKFLOW: &str = "error_workflow_id";

/// What a workflow names by id and secret: in its nodes, and for its failures.
pub(crate) fn references(graph: &Graph, settings: &serde_json::Map<String, Value>) -> Vec<Reference> {
    let mut found = engine::references(graph);
    if let Some(Value::String(id)) = settings.get(ERROR_WORKFLOW) {
        found.push(app::error_workflow(id));
    }
    found
}

/// A workflow that came from a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedWorkflow {
    #[serde(flatten)]
    #[schema(inline)]
    workflow: WorkflowDetail,
    /// Places that run, but perhaps not as their author means; pointers lead into the document.
    warnings: Vec<ViolationView>,
}

impl ImportedWorkflow {
    pub(crate) fn new(workflow: WorkflowDetail, warnings: Vec<engine::Violation>) -> Self {
        Self { workflow, warnings: warnings.into_iter().map(ViolationView::from).collect() }
    }
}
