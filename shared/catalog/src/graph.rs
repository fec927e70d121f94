//! The draft graph in rows: `nodes` and `node_node` (product.md, decision 6). Both directions of the mapping stand here.

use std::collections::{HashMap, HashSet};

use app::ports::{Draft, Ids, StoreError};
use domain::{Edge, Graph, Node, NodeId, NodeKey, TeamId, WorkflowId};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{Catalog, error::store_error};

/// The rule that a graph breaks when it names a node id which is not one of its workflow, or names one twice. An id of another
/// workflow or team is not told apart from one that never was.
pub const UNKNOWN_NODE: &str = "fk_nodes_id";

/// The rules that an edge breaks when one of its ends is no node of the graph; those of its foreign keys.
const UNKNOWN_PARENT: &str = "fk_node_node_parent_id";
const UNKNOWN_CHILD: &str = "fk_node_node_child_id";

/// What a failure is said to be of.
const SAVING: &str = "save a graph";

impl Catalog {
    /// Replaces the whole draft and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict). All of it or nothing; a handful of statements whatever the graph's size.
    ///
    /// A node that gives an id keeps it, under a new key too; a node that gives none keeps the id of the node that had its key;
    /// the others get ids from `ids`. A graph that rows can't hold breaks a rule by name: `uq_nodes_workflow_id_key`,
    /// `ck_node_node_self`, `uq_node_node_parent_id_child_id_label`, `fk_node_node_parent_id`, `fk_node_node_child_id`,
    /// [`UNKNOWN_NODE`]. Every other mistake may be saved and is for `engine::validate` to find.
    pub async fn graph_replace(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        graph: &Graph,
        revision: Option<i64>,
        ids: &dyn Ids,
    ) -> Result<Draft, StoreError> {
        let mut tx = self.team(team, SAVING).await?;
        let saved = save_graph(&mut tx, team, workflow, graph, revision, ids).await;
        tx.close(saved).await
    }
}

pub(crate) async fn save_graph(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    graph: &Graph,
    revision: Option<i64>,
    ids: &dyn Ids,
) -> Result<Draft, StoreError> {
    // Takes the workflow's row lock: a second writer waits here, and then finds another revision.
    count_revision(&mut *tx, team, workflow, revision).await?;
    let nodes = with_ids(&graph.nodes, &stored_ids(&mut *tx, team, workflow).await?, ids)?;
    let edges = edge_rows(&graph.edges, &nodes, ids)?;
    replace_rows(&mut *tx, team, workflow, &nodes, &edges).await.map_err(store_error(SAVING))?;
    read_draft(tx, team, workflow).await
}

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

/// A node as a row: its JSON form, an id, and its place in the list.
#[derive(Debug, Serialize)]
struct NodeRow<'a> {
    id: NodeId,
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

/// An edge as a row.
#[derive(Debug, Serialize)]
struct EdgeRow<'a> {
    id: Uuid,
    parent_id: NodeId,
    child_id: NodeId,
    label: Option<&'a str>,
    ordinal: usize,
}

/// Decides the id of every node (see [`Catalog::graph_replace`]).
fn with_ids<'a>(
    nodes: &'a [Node],
    stored: &HashMap<NodeKey, NodeId>,
    ids: &dyn Ids,
) -> Result<Vec<NodeRow<'a>>, StoreError> {
    let known: HashSet<NodeId> = stored.values().copied().collect();
    let mut taken = HashSet::new();
    for id in nodes.iter().filter_map(|node| node.id) {
        if !known.contains(&id) || !taken.insert(id) {
            return Err(StoreError::Violates(UNKNOWN_NODE.to_owned()));
        }
    }
    let mut id_of = |node: &Node| {
        // An id that another node gave went to that node, together with its new key.
        let same_key = stored.get(&node.key).copied().filter(|id| taken.insert(*id));
        node.id.or(same_key).unwrap_or_else(|| NodeId::new(ids.next()))
    };
    Ok(nodes
        .iter()
        .enumerate()
        .map(|(ordinal, node)| NodeRow {
            id: id_of(node),
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
        })
        .collect())
}

fn edge_rows<'a>(
    edges: &'a [Edge],
    nodes: &[NodeRow<'_>],
    ids: &dyn Ids,
) -> Result<Vec<EdgeRow<'a>>, StoreError> {
    let by_key: HashMap<&NodeKey, NodeId> = nodes.iter().map(|node| (node.key, node.id)).collect();
    let end = |key: &NodeKey, rule: &str| {
        by_key.get(key).copied().ok_or_else(|| StoreError::Violates(rule.to_owned()))
    };
    let row = |(ordinal, edge): (usize, &'a Edge)| {
        Ok(EdgeRow {
            id: ids.next(),
            parent_id: end(&edge.from, UNKNOWN_PARENT)?,
            child_id: end(&edge.to, UNKNOWN_CHILD)?,
            label: edge.label.as_deref(),
            ordinal,
        })
    };
    edges.iter().enumerate().map(row).collect()
}

async fn count_revision(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    revision: Option<i64>,
) -> Result<(), StoreError> {
    let found = sqlx::query_scalar!(
        "update workflows set revision = revision + 1 where team_id = $1 and id = $2 returning revision",
        team.uuid(),
        workflow.uuid()
    )
    .fetch_one(tx)
    .await
    .map_err(store_error("count a revision"))?;
    match revision {
        Some(expected) if found != expected + 1 => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

pub(crate) async fn stored_ids(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
) -> Result<HashMap<NodeKey, NodeId>, StoreError> {
    let rows = sqlx::query!(
        "select id, key from nodes where team_id = $1 and workflow_id = $2",
        team.uuid(),
        workflow.uuid()
    )
    .fetch_all(tx)
    .await
    .map_err(store_error("read the ids of a graph"))?;
    Ok(rows.into_iter().map(|row| (NodeKey::new(row.key), row.id.into())).collect())
}

/// Makes the rows of a workflow those given. Nodes that stay as they are keep their `updated_on`; edges are written anew.
async fn replace_rows(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    nodes: &[NodeRow<'_>],
    edges: &[EdgeRow<'_>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from node_node where team_id = $1 and workflow_id = $2",
        team.uuid(),
        workflow.uuid()
    )
    .execute(&mut *tx)
    .await?;
    let kept: Vec<Uuid> = nodes.iter().map(|node| node.id.uuid()).collect();
    sqlx::query!(
        "delete from nodes where team_id = $1 and workflow_id = $2 and id <> all ($3)",
        team.uuid(),
        workflow.uuid(),
        &kept
    )
    .execute(&mut *tx)
    .await?;
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
            id uuid, parent_id uuid, child_id uuid, label text, ordinal integer)",
        team.uuid(),
        workflow.uuid(),
        Json(edges) as _
    )
    .execute(tx)
    .await?;
    Ok(())
}
