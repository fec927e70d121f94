//! What workflows are tied to each other by: one runs another, or has it for its errors (WF-05), or is a copy of it (WF-06).

use app::ports::{Act, Ids};
use domain::{Graph, Node, TeamId, WorkflowId, WorkflowStatus};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};

use crate::{
    Catalog, StoreError, Workflow,
    deeds::Deed,
    error::{found, store_error},
    graph::with_ids,
    graph_rows::{read_draft, write_pieces},
    word::Word,
    workflows::Row,
};

/// A workflow that needs another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowUser {
    /// Its id.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
}

impl Catalog {
    /// Deletes a workflow with its draft and versions, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict). Where the published versions of others that are not archived use it, answers which, and
    /// nothing is deleted. Runs keep the versions that the run store has.
    pub async fn workflow_delete(
        &self,
        team: TeamId,
        id: WorkflowId,
        revision: Option<i64>,
        act: &Act,
    ) -> Result<Vec<WorkflowUser>, StoreError> {
        let mut tx = self.team(team, "delete a workflow").await?;
        let deleted: Result<Vec<WorkflowUser>, StoreError> = async {
            lock(&mut tx, team, id, revision).await?;
            let users = users(&mut tx, team, id).await?;
            if users.is_empty() {
                delete(&mut tx, team, id).await?;
            }
            Ok(users)
        }
        .await;
        if deleted.as_ref().is_ok_and(|users| !users.is_empty()) {
            return tx.close(deleted).await;
        }
        tx.done(deleted, act, Deed::new("workflow.delete", id)).await
    }

    /// Records a copy of a workflow's draft as the draft of a new one: with its graph under new ids, its inputs, settings, tags and
    /// description. What starts it and who sees it (schedule, services, `is_api`, `is_public`) is not copied. Without a name it has that of
    /// the other, and says that it is a copy.
    pub async fn workflow_duplicate(
        &self,
        team: TeamId,
        id: WorkflowId,
        copy: WorkflowId,
        name: Option<&str>,
        ids: &dyn Ids,
        act: &Act,
    ) -> Result<Workflow, StoreError> {
        let mut tx = self.team(team, "duplicate a workflow").await?;
        let made: Result<Workflow, StoreError> = async {
            let made = insert_copy(&mut tx, team, id, copy, name).await?;
            let graph = read_draft(&mut *tx, team, id).await?.graph;
            let nodes = graph.nodes.into_iter().map(|node| Node { id: None, ..node }).collect();
            let pieces = with_ids(&Graph { nodes, edges: graph.edges }, &app::Pieces::default(), ids)?;
            write_pieces(&mut tx, team, copy, &pieces).await?;
            Ok(made)
        }
        .await;
        let name = made.as_ref().ok().map(|made| made.name.clone());
        let deed = Deed::new("workflow.duplicate", copy).with("parent_workflow_id", id).with("name", name);
        tx.done(made, act, deed).await
    }
}

async fn lock(
    tx: &mut PgConnection,
    team: TeamId,
    id: WorkflowId,
    revision: Option<i64>,
) -> Result<(), StoreError> {
    let found = sqlx::query_scalar!(
        "select revision from workflows where team_id = $1 and id = $2 for update",
        team.uuid(),
        id.uuid()
    )
    .fetch_one(tx)
    .await
    .map_err(store_error("lock a workflow"))?;
    if revision.is_some_and(|revision| revision != found) { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Versions name what they use, inside of bodies too, and whom their failed runs are told to.
async fn users(tx: &mut PgConnection, team: TeamId, id: WorkflowId) -> Result<Vec<WorkflowUser>, StoreError> {
    let rows = sqlx::query!(
        "select w.id, w.name
        from workflows w join workflow_versions v on v.team_id = w.team_id and v.id = w.published_version_id
        where w.team_id = $1 and w.id <> $2 and w.status <> 'archived'
            and v.uses @> jsonb_build_array(jsonb_build_object('workflow_id', $2::uuid))
        order by w.name, w.id",
        team.uuid(),
        id.uuid()
    )
    .fetch_all(tx)
    .await
    .map_err(store_error("find workflows that use a workflow"))?;
    Ok(rows.into_iter().map(|row| WorkflowUser { id: row.id.into(), name: row.name }).collect())
}

async fn delete(tx: &mut PgConnection, team: TeamId, id: WorkflowId) -> Result<(), StoreError> {
    let deleted =
        sqlx::query!("delete from workflows where team_id = $1 and id = $2", team.uuid(), id.uuid())
            .execute(tx)
            .await;
    found(deleted, "delete a workflow")
}

/// The lock keeps the draft as it is until the copy is whole.
async fn insert_copy(
    tx: &mut PgConnection,
    team: TeamId,
    id: WorkflowId,
    copy: WorkflowId,
    name: Option<&str>,
) -> Result<Workflow, StoreError> {
    let row = query_as!(
        Row,
        r#"insert into workflows (id, team_id, name, description, input_params, settings, tags, parent_workflow_id)
        select $3, team_id, coalesce($4, left(name, 193) || ' (copy)'), description, input_params, settings, tags, id
        from workflows where team_id = $1 and id = $2 for share
        returning id, name, description, status as "status: Word<WorkflowStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>",
            tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
            published_version_id, created_on, updated_on"#,
        team.uuid(),
        id.uuid(),
        copy.uuid(),
        name
    )
    .fetch_one(tx)
    .await;
    row.map(Workflow::from).map_err(store_error("duplicate a workflow"))
}
