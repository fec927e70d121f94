//! The draft graph in rows: `nodes` and `node_node` (WF-02; product.md, decision 6). Both directions of the mapping stand here.

use std::collections::HashMap;

use app::{
    Pieces, PlacedEdge,
    ports::{Draft, StoreError},
};
use domain::{Edge, EdgeId, Graph, Node, NodeId, NodeKey, TeamId, WorkflowId};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::error::store_error;

/// The rules that an edge breaks when one of its ends is no node of the graph; those of its foreign keys.
const UNKNOWN_PARENT: &str = "fk_node_node_parent_id";
const UNKNOWN_CHILD: &str = "fk_node_node_child_id";

/// The draft as it stands, read in one statement and so at one moment.
pub(crate) async fn read_draft(
    db: impl PgExecutor<'_>,
    team: TeamId,
    workflow: WorkflowId,
) -> Result<Draft, StoreError> {
    let row = sqlx::query!(
        r#"select name, is_api, cron_schedule, revision, input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>",
            (select coalesce(json_agg(json_build_object(
                    'id', n.id, 'key', n.key, 'name', n.name, 'node_type', n.node_type, 'metadata', n.metadata,
                    'structured_output', n.structured_output, 'retry', n.retry, 'timeout_s', n.timeout_s,
                    'on_error', n.on_error, 'position', n.position) order by n.ordinal), '[]')
                from nodes n where n.team_id = w.team_id and n.workflow_id = w.id) as "nodes!: Json<Vec<Node>>",
            (select coalesce(json_agg(json_build_object(
                    'from', parent.key, 'to', child.key, 'label', e.label) order by e.ordinal), '[]')
                from node_node e join nodes parent on parent.id = e.parent_id join nodes child on child.id = e.child_id
                where e.team_id = w.team_id and e.workflow_id = w.id) as "edges!: Json<Vec<Edge>>"
        from workflows w where w.team_id = $1 and w.id = $2"#,
        team.uuid(),
        workflow.uuid()
    )
    .fetch_one(db)
    .await
    .map_err(store_error("read a draft"))?;
    Ok(Draft {
        name: row.name,
        graph: Graph { nodes: row.nodes.0, edges: row.edges.0 },
        input_params: row.input_params.0,
        is_api: row.is_api,
        cron_schedule: row.cron_schedule,
        settings: row.settings.0,
        revision: row.revision,
    })
}

/// The edges in the author's order, with their ids.
pub(crate) async fn placed_edges(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
) -> Result<Vec<PlacedEdge>, StoreError> {
    let rows = sqlx::query!(
        r#"select e.id, parent.key as "from", child.key as "to", e.label
        from node_node e join nodes parent on parent.id = e.parent_id join nodes child on child.id = e.child_id
        where e.team_id = $1 and e.workflow_id = $2 order by e.ordinal"#,
        team.uuid(),
        workflow.uuid()
    )
    .fetch_all(tx)
    .await
    .map_err(store_error("read the edges of a graph"))?;
    let placed = rows.into_iter().map(|row| PlacedEdge {
        id: row.id.into(),
        edge: Edge { from: NodeKey::new(row.from), to: NodeKey::new(row.to), label: row.label },
    });
    Ok(placed.collect())
}

/// A node as a row: its JSON form, and its place in the list.
#[derive(Debug, Serialize)]
struct NodeRow<'a> {
    id: Option<NodeId>,
    key: &'a NodeKey,
    name: &'a str,
    node_type: &'a str,
    metadata: &'a Map<String, Value>,
    structured_output: Option<&'a Value>,
    retry: Option<&'a domain::RetryPolicy>,
    timeout_s: Option<u32>,
    on_error: &'a domain::OnError,
    position: Option<domain::Position>,
    ordinal: usize,
}

impl<'a> NodeRow<'a> {
    fn new((ordinal, node): (usize, &'a Node)) -> Self {
        Self {
            id: node.id,
            key: &node.key,
            name: &node.name,
            node_type: &node.node_type,
            metadata: &node.metadata,
            structured_output: node.structured_output.as_ref(),
            retry: node.retry.as_ref(),
            timeout_s: node.timeout_s,
            on_error: &node.on_error,
            position: node.position,
            ordinal,
        }
    }
}

#[derive(Debug, Serialize)]
struct EdgeRow<'a> {
    id: EdgeId,
    parent_id: NodeId,
    child_id: NodeId,
    label: Option<&'a str>,
    ordinal: usize,
}

fn edge_rows(pieces: &Pieces) -> Result<Vec<EdgeRow<'_>>, StoreError> {
    let by_key: HashMap<&NodeKey, NodeId> =
        pieces.nodes.iter().filter_map(|node| Some((&node.key, node.id?))).collect();
    let end = |key: &NodeKey, rule: &str| {
        by_key.get(key).copied().ok_or_else(|| StoreError::Violates(rule.to_owned()))
    };
    let mut rows = Vec::with_capacity(pieces.edges.len());
    for (ordinal, PlacedEdge { id, edge }) in pieces.edges.iter().enumerate() {
        let (parent_id, child_id) = (end(&edge.from, UNKNOWN_PARENT)?, end(&edge.to, UNKNOWN_CHILD)?);
        rows.push(EdgeRow { id: *id, parent_id, child_id, label: edge.label.as_deref(), ordinal });
    }
    Ok(rows)
}

/// Makes the rows of a workflow those given. Pieces that stay as they are keep their `updated_on`.
pub(crate) async fn write_pieces(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    pieces: &Pieces,
) -> Result<(), StoreError> {
    let nodes: Vec<_> = pieces.nodes.iter().enumerate().map(NodeRow::new).collect();
    let edges = edge_rows(pieces)?;
    delete_others(tx, team, workflow, &nodes, &edges).await.map_err(store_error("save a graph"))?;
    upsert(tx, team, workflow, &nodes, &edges).await.map_err(store_error("save a graph"))
}

async fn delete_others(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    nodes: &[NodeRow<'_>],
    edges: &[EdgeRow<'_>],
) -> Result<(), sqlx::Error> {
    let kept: Vec<Uuid> = edges.iter().map(|edge| edge.id.uuid()).collect();
    sqlx::query!(
        "delete from node_node where team_id = $1 and workflow_id = $2 and id not in (select unnest($3::uuid[]))",
        team.uuid(),
        workflow.uuid(),
        &kept
    )
    .execute(&mut *tx)
    .await?;
    let kept: Vec<Uuid> = nodes.iter().filter_map(|node| node.id.map(NodeId::uuid)).collect();
    sqlx::query!(
        "delete from nodes where team_id = $1 and workflow_id = $2 and id <> all ($3)",
        team.uuid(),
        workflow.uuid(),
        &kept
    )
    .execute(&mut *tx)
    .await
    .map(drop)
}

async fn upsert(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    nodes: &[NodeRow<'_>],
    edges: &[EdgeRow<'_>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"insert into nodes (team_id, workflow_id, id, key, name, node_type, metadata, structured_output, retry,
            timeout_s, on_error, position, ordinal)
        select $1, $2, n.* from jsonb_to_recordset($3) as n (
            id uuid, key text, name text, node_type text, metadata jsonb, structured_output jsonb, retry jsonb,
            timeout_s bigint, on_error jsonb, position jsonb, ordinal integer)
        on conflict (id) do update set
            key = excluded.key, name = excluded.name, node_type = excluded.node_type, metadata = excluded.metadata,
            structured_output = excluded.structured_output, retry = excluded.retry, timeout_s = excluded.timeout_s,
            on_error = excluded.on_error, position = excluded.position, ordinal = excluded.ordinal
        where (nodes.key, nodes.name, nodes.node_type, nodes.metadata, nodes.structured_output, nodes.retry,
            nodes.timeout_s, nodes.on_error, nodes.position, nodes.ordinal)
            is distinct from (excluded.key, excluded.name, excluded.node_type, excluded.metadata,
            excluded.structured_output, excluded.retry, excluded.timeout_s, excluded.on_error, excluded.position,
            excluded.ordinal)"#,
        team.uuid(),
        workflow.uuid(),
        Json(nodes) as _
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into node_node (team_id, workflow_id, id, parent_id, child_id, label, ordinal)
        select $1, $2, e.* from jsonb_to_recordset($3) as e (
            id uuid, parent_id uuid, child_id uuid, label text, ordinal integer)
        on conflict (id) do update set label = excluded.label, ordinal = excluded.ordinal
        where (node_node.label, node_node.ordinal) is distinct from (excluded.label, excluded.ordinal)",
        team.uuid(),
        workflow.uuid(),
        Json(edges) as _
    )
    .execute(tx)
    .await
    .map(drop)
}
