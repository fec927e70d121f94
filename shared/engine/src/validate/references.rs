//! What a graph names outside itself.

use domain::{Graph, NodeKey, WorkflowId};
use serde::Serialize;
use serde_json::Value;

use super::node::pointer_into_body;
use crate::{
    nodes::{self, Kind, for_each, workflow},
    pointer::join,
};

/// What a graph names outside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// `job.expert_id`.
    Expert,
    /// `workflow.workflow_id`, `for_each.workflow_id`.
    Workflow,
    /// `vector_query.collection_id`, `embed.collection_id`.
    Collection,
    /// `mcp_tool.server_id`.
    McpServer,
    /// `secret.NAME` in an expression.
    Secret,
}

/// Something of the team's that a graph names; the catalog must confirm that it exists there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// What is named.
    pub kind: ReferenceKind,
    /// Its id; the name of a secret.
    pub id: String,
    /// The node that names it.
    pub node: NodeKey,
    /// JSON Pointer of the field into the graph.
    pub pointer: String,
}

/// What the catalog must confirm belongs to the team: ids in metadata, secrets in expressions. Malformed ids
/// and misplaced secrets are left to [`validate`](fn@crate::validate).
pub fn references(graph: &Graph) -> Vec<Reference> {
    let mut found = Vec::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let Some(node_type) = nodes::find(&node.node_type) else { continue };
        let (metadata, _) = nodes::read(node_type, &node.metadata);
        let place = format!("/nodes/{i}/metadata");
        let mut name = |kind, id: &str, field: &str| {
            found.push(Reference {
                kind,
                id: id.to_owned(),
                node: node.key.clone(),
                pointer: join(&place, field),
            });
        };
        for field in node_type.fields() {
            if let (Kind::Id(kind), Some(Value::String(id))) = (field.kind, metadata.plain(field.name)) {
                name(kind, id, field.name);
            }
        }
        for (field, reads) in metadata.reads().filter(|(field, _)| field.secret) {
            for secret in &reads.secrets {
                name(ReferenceKind::Secret, secret, field.name);
            }
        }
        if node.metadata.contains_key("body")
            && let Some(Ok(body)) = for_each::body(&node.metadata)
        {
            found.extend(references(&body).into_iter().map(|inner| Reference {
                pointer: pointer_into_body(node, &format!("/nodes/{i}"), &inner.pointer),
                ..inner
            }));
        }
    }
    found
}

/// The workflows, and numbers of versions where they are given, that the nodes of a graph run, each with a node that names it.
pub fn used_workflows(graph: &Graph) -> Vec<(NodeKey, WorkflowId, Option<u32>)> {
    let mut used = Vec::new();
    for node in &graph.nodes {
        if node.node_type == "workflow" || node.node_type == "for_each" {
            used.extend(workflow::named(&node.metadata).map(|(id, number)| (node.key.clone(), id, number)));
        }
        if let (true, Some(Ok(body))) = (node.metadata.contains_key("body"), for_each::body(&node.metadata)) {
            used.extend(used_workflows(&body));
        }
    }
    used
}
