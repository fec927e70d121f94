//! Edits of the draft graph (WF-02, WF-15): whole or piece by piece, in one transaction each, which counts a revision and tells of it.
//! How it stands in rows is in `graph_rows`.

use std::collections::{HashMap, HashSet};

use app::{
    EditError, Pieces, PlacedEdge,
    ports::{Act, Draft, Ids, StoreError},
};
use domain::{Edge, EdgeId, Graph, Node, NodeId, NodeKey, TeamId, WorkflowId};
use sqlx::PgConnection;

use crate::{
    Catalog,
    actor::columns,
    deeds::Deed,
    error::store_error,
    graph_changes::Changes,
    graph_rows::{placed_edges, read_draft, write_pieces},
    workflow_drafts::{keep_replaced, last_editor},
};

/// The rule that a graph breaks when it names a node id which is not one of its workflow, or names one twice. An id of another
/// workflow or team is not told apart from one that never was.
pub const UNKNOWN_NODE: &str = "fk_nodes_id";

/// What a failure is said to be of.
const SAVING: &str = "save a graph";

impl Catalog {
    /// Replaces the whole draft and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict). All of it or nothing; a handful of statements whatever the graph's size.
    ///
    /// A node that gives an id keeps it, under a new key too; a node that gives none keeps the id of the node that had its key;
    /// the others get ids from `ids`. An edge that was there keeps its id. A graph that rows can't hold breaks a rule by name:
    /// `uq_nodes_workflow_id_key`, `ck_node_node_self`, `uq_node_node_parent_id_child_id_label`, `fk_node_node_parent_id`,
    /// `fk_node_node_child_id`, [`UNKNOWN_NODE`]. Every other mistake may be saved and is for `engine::validate` to find.
    ///
    /// Where no revision is given, and the draft that it replaces is another one and was last edited by somebody else, that is set aside.
    pub async fn graph_replace(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        graph: &Graph,
        revision: Option<i64>,
        ids: &dyn Ids,
        act: &Act,
    ) -> Result<Draft, StoreError> {
        let replace = |pieces: &mut Pieces| {
            *pieces = with_ids(graph, pieces, ids)?;
            Ok(())
        };
        let edited: Result<((), Draft), StoreError> =
            self.edit(team, workflow, revision, act, revision.is_none(), replace).await;
        edited.map(|((), draft)| draft)
    }

    /// Changes pieces of the draft and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict). Answers what `change` does, and the draft that came of it; what `change` refuses is not
    /// done. One edit of a workflow after the other: each sees what the one before it left.
    pub async fn graph_edit<T: Send>(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        revision: Option<i64>,
        act: &Act,
        change: impl FnOnce(&mut Pieces) -> Result<T, EditError> + Send,
    ) -> Result<(T, Draft), EditError> {
        self.edit(team, workflow, revision, act, false, change).await
    }

    async fn edit<T, E>(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        revision: Option<i64>,
        act: &Act,
        keeps_others: bool,
        change: impl FnOnce(&mut Pieces) -> Result<T, E> + Send,
    ) -> Result<(T, Draft), E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let mut tx = self.team(team, SAVING).await?;
        let edited: Result<(T, Draft, Deed), E> = async {
            let (present, editor) = last_editor(&mut tx, team, workflow).await?;
            if revision.is_some_and(|revision| revision != present) {
                return Err(StoreError::Conflict.into());
            }
            let before = read_pieces(&mut tx, team, workflow).await?;
            let mut after = before.clone();
            let changed = change(&mut after)?;
            let kept = if keeps_others && editor != act.actor && before.graph() != after.graph() {
                keep_replaced(&mut tx, team, workflow, act).await?
            } else {
                None
            };
            let draft = write_draft(&mut tx, team, workflow, &after, act).await?;
            let counts = Changes::between(&before, &after);
            let deed = Deed::new("workflow.edit", workflow)
                .with("revision", draft.revision)
                .with("nodes", counts.nodes)
                .with("edges", counts.edges)
                .with("kept_draft_id", kept);
            Ok((changed, draft, deed))
        }
        .await;
        match edited {
            Ok((changed, draft, deed)) => Ok((changed, tx.done(Ok(draft), act, deed).await?)),
            Err(error) => {
                tx.undo().await;
                Err(error)
            }
        }
    }

    /// The edges of a workflow of the team in the author's order, with their ids, and a revision that they are of, or newer than: a change
    /// based on an older one is refused.
    pub async fn edge_list(
        &self,
        team: TeamId,
        workflow: WorkflowId,
    ) -> Result<(Vec<PlacedEdge>, i64), StoreError> {
        let mut tx = self.team(team, "list edges").await?;
        let listed = async {
            let revision = sqlx::query_scalar!(
                "select revision from workflows where team_id = $1 and id = $2",
                team.uuid(),
                workflow.uuid()
            )
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error("list edges"))?;
            Ok((placed_edges(&mut tx, team, workflow).await?, revision))
        };
        let listed = listed.await;
        tx.close(listed).await
    }
}

/// The draft with the ids of its pieces.
pub(crate) async fn read_pieces(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
) -> Result<Pieces, StoreError> {
    let nodes = read_draft(&mut *tx, team, workflow).await?.graph.nodes;
    Ok(Pieces { nodes, edges: placed_edges(tx, team, workflow).await? })
}

/// Makes these pieces the draft, in a transaction that holds the workflow's row, and counts a revision.
pub(crate) async fn write_draft(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    pieces: &Pieces,
    act: &Act,
) -> Result<Draft, StoreError> {
    write_pieces(tx, team, workflow, pieces).await?;
    count_revision(tx, team, workflow, act).await?;
    read_draft(tx, team, workflow).await
}

async fn count_revision(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    act: &Act,
) -> Result<(), StoreError> {
    let (kind, id) = columns(act.actor);
    sqlx::query!(
        "update workflows set revision = revision + 1, edited_by_kind = $3, edited_by_id = $4
        where team_id = $1 and id = $2",
        team.uuid(),
        workflow.uuid(),
        kind,
        id
    )
    .execute(tx)
    .await
    .map_err(store_error("count a revision"))?;
    Ok(())
}

/// Decides the id of every piece of a graph that takes the place of `stored` (see [`Catalog::graph_replace`]).
pub(crate) fn with_ids(graph: &Graph, stored: &Pieces, ids: &dyn Ids) -> Result<Pieces, StoreError> {
    let nodes = node_ids(&graph.nodes, &stored.nodes, ids)?;
    let new_ids = ids_by_key(&nodes);
    let old_ids = ids_by_key(&stored.nodes);
    let ends = |edge: &Edge, ids: &HashMap<&NodeKey, NodeId>| {
        Some((*ids.get(&edge.from)?, *ids.get(&edge.to)?, edge.label.clone()))
    };
    let mut kept: HashMap<_, EdgeId> =
        stored.edges.iter().filter_map(|placed| Some((ends(&placed.edge, &old_ids)?, placed.id))).collect();
    let place = |edge: &Edge| {
        let same = ends(edge, &new_ids).and_then(|ends| kept.remove(&ends));
        PlacedEdge { id: same.unwrap_or_else(|| EdgeId::new(ids.next())), edge: edge.clone() }
    };
    let edges = graph.edges.iter().map(place).collect();
    drop(new_ids);
    Ok(Pieces { nodes, edges })
}

fn node_ids(nodes: &[Node], stored: &[Node], ids: &dyn Ids) -> Result<Vec<Node>, StoreError> {
    let stored = ids_by_key(stored);
    let known: HashSet<NodeId> = stored.values().copied().collect();
    let mut taken = HashSet::new();
    for id in nodes.iter().filter_map(|node| node.id) {
        if !known.contains(&id) || !taken.insert(id) {
            return Err(StoreError::Violates(UNKNOWN_NODE.to_owned()));
        }
    }
    let with_id = |node: &Node| {
        // An id that another node gave went to that node, together with its new key.
        let same_key = stored.get(&node.key).copied().filter(|id| taken.insert(*id));
        let id = node.id.or(same_key).unwrap_or_else(|| NodeId::new(ids.next()));
        Node { id: Some(id), ..node.clone() }
    };
    Ok(nodes.iter().map(with_id).collect())
}

fn ids_by_key(nodes: &[Node]) -> HashMap<&NodeKey, NodeId> {
    nodes.iter().filter_map(|node| Some((&node.key, node.id?))).collect()
}
