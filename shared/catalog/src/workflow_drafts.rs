//! Drafts that were set aside: of two editors of one draft, what either made can be had (api.md, Writes).

use app::ports::{Act, Actor};
use domain::{DraftId, Graph, TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    actor::{actor, columns},
    deeds::Deed,
    error::{found, store_error},
    graph_rows::read_draft,
    word::{Word, word},
};

/// How many are kept of a workflow; the newest.
pub const MOST_SET_ASIDE: u8 = 20;

/// Why a draft was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsideReason {
    /// It came when the draft was at another revision than its author knew.
    Refused,
    /// It was the draft, and another one took its place.
    Replaced,
}

/// A draft that was set aside, without its graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its id.
    pub id: DraftId,
    /// The revision that its author began with; of one that was replaced, its own.
    pub based_on: i64,
    /// Why it is here.
    pub reason: AsideReason,
    /// Whose it is. Of one that was replaced, whoever edited it last.
    pub actor: Actor,
    /// Since when it is here.
    pub created_on: Timestamp,
}

impl Catalog {
    /// Keeps a graph that came too late for the workflow's draft: it was based on another revision than the present one. What is here
    /// already, of the same author and base, is kept once. Answers where it is.
    pub async fn draft_set_aside(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        graph: &Graph,
        based_on: i64,
        act: &Act,
    ) -> Result<DraftId, StoreError> {
        let mut tx = self.team(team, "set a draft aside").await?;
        let kept = async {
            last_editor(&mut tx, team, workflow).await?;
            let aside = Aside { graph, based_on, reason: AsideReason::Refused, actor: act.actor };
            keep(&mut tx, team, workflow, &aside, act).await
        };
        let kept: Result<DraftId, StoreError> = kept.await;
        if kept.as_ref().is_ok_and(|id| id.uuid() != act.id) {
            return tx.close(kept).await;
        }
        let deed =
            Deed::new("workflow.keep_draft", workflow).with("draft_id", act.id).with("based_on", based_on);
        tx.done(kept, act, deed).await
    }

    /// What was set aside of a workflow of the team, newest first.
    pub async fn draft_list(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        window: Window,
    ) -> Result<Page<SetAside>, StoreError> {
        let mut tx = self.team(team, "list drafts").await?;
        let page = async {
            // No row at all where the team has no such workflow.
            let total = sqlx::query_scalar!(
                r#"select (select count(*) from workflow_drafts d where d.team_id = w.team_id and d.workflow_id = w.id)
                    as "count!"
                from workflows w where w.team_id = $1 and w.id = $2"#,
                team.uuid(),
                workflow.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = sqlx::query_as!(
                Row,
                r#"select id, based_on, reason as "reason: Word<AsideReason>", actor_kind, actor_id, created_on
                from workflow_drafts where team_id = $1 and workflow_id = $2
                order by id desc limit $3 offset $4"#,
                team.uuid(),
                workflow.uuid(),
                i64::from(window.limit),
                i64::from(window.offset)
            )
            .fetch_all(&mut *tx)
            .await?;
            Ok(Page::new(rows, total))
        };
        let page = page.await;
        tx.end(page).await
    }

    /// A draft that was set aside, with its graph.
    pub async fn draft_get(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        id: DraftId,
    ) -> Result<(SetAside, Graph), StoreError> {
        let mut tx = self.team(team, "get a draft").await?;
        let row = sqlx::query!(
            r#"select id, based_on, reason as "reason: Word<AsideReason>", actor_kind, actor_id, created_on,
                graph as "graph: Json<Graph>"
            from workflow_drafts where team_id = $1 and workflow_id = $2 and id = $3"#,
            team.uuid(),
            workflow.uuid(),
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        let row = tx.end(row).await?;
        let (id, based_on, reason) = (row.id, row.based_on, row.reason);
        let (actor_kind, actor_id, created_on) = (row.actor_kind, row.actor_id, row.created_on);
        let aside = Row { id, based_on, reason, actor_kind, actor_id, created_on }.into();
        Ok((aside, row.graph.0))
    }

    /// Forgets a draft that was set aside.
    pub async fn draft_delete(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        id: DraftId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete a draft").await?;
        let deleted = sqlx::query!(
            "delete from workflow_drafts where team_id = $1 and workflow_id = $2 and id = $3",
            team.uuid(),
            workflow.uuid(),
            id.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("workflow.delete_draft", workflow).with("draft_id", id);
        tx.done(found(deleted, "delete a draft"), act, deed).await
    }
}

/// Keeps the draft as it stands, whose place another is about to take in this transaction; None where there is no node to lose. Its row is
/// the act's.
pub(crate) async fn keep_replaced(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    act: &Act,
) -> Result<Option<DraftId>, StoreError> {
    let (based_on, actor) = last_editor(&mut *tx, team, workflow).await?;
    let graph = read_draft(&mut *tx, team, workflow).await?.graph;
    if graph.nodes.is_empty() {
        return Ok(None);
    }
    let aside = Aside { graph: &graph, based_on, reason: AsideReason::Replaced, actor };
    keep(tx, team, workflow, &aside, act).await.map(Some)
}

/// The revision of the draft and whose edit of its graph was the last one. Nobody else changes either until this transaction ends: a
/// second writer waits here, and then finds another revision.
pub(crate) async fn last_editor(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
) -> Result<(i64, Actor), StoreError> {
    let row = sqlx::query!(
        "select revision, edited_by_kind, edited_by_id from workflows where team_id = $1 and id = $2 for no key update",
        team.uuid(),
        workflow.uuid()
    )
    .fetch_one(tx)
    .await
    .map_err(store_error("lock a draft"))?;
    Ok((row.revision, actor(&row.edited_by_kind, row.edited_by_id)))
}

struct Aside<'a> {
    graph: &'a Graph,
    based_on: i64,
    reason: AsideReason,
    actor: Actor,
}

/// The workflow's row is locked by then, so that the number of drafts is exact.
async fn keep(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    aside: &Aside<'_>,
    act: &Act,
) -> Result<DraftId, StoreError> {
    let (actor_kind, actor_id) = columns(aside.actor);
    let id = sqlx::query_scalar!(
        r#"with present as (
            select id from workflow_drafts
            where team_id = $2 and workflow_id = $3 and based_on = $4 and graph = $5 and reason = $6
                and actor_kind = $7 and actor_id is not distinct from $8
            limit 1
        ), kept as (
            insert into workflow_drafts (id, team_id, workflow_id, based_on, graph, reason, actor_kind, actor_id)
            select $1, $2, $3, $4, $5, $6, $7, $8 where not exists (select from present)
            returning id
        )
        select id as "id!" from present union all select id from kept"#,
        act.id,
        team.uuid(),
        workflow.uuid(),
        aside.based_on,
        Json(aside.graph) as _,
        word(aside.reason),
        actor_kind,
        actor_id
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(store_error("keep a draft"))?;
    sqlx::query!(
        "delete from workflow_drafts where team_id = $1 and workflow_id = $2 and id in (
            select id from workflow_drafts where team_id = $1 and workflow_id = $2 order by id desc offset $3)",
        team.uuid(),
        workflow.uuid(),
        i64::from(MOST_SET_ASIDE)
    )
    .execute(tx)
    .await
    .map_err(store_error("forget old drafts"))?;
    Ok(id.into())
}

struct Row {
    id: Uuid,
    based_on: i64,
    reason: Word<AsideReason>,
    actor_kind: String,
    actor_id: Option<Uuid>,
    created_on: Timestamp,
}

impl From<Row> for SetAside {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            based_on: row.based_on,
            reason: row.reason.0,
            actor: actor(&row.actor_kind, row.actor_id),
            created_on: row.created_on,
        }
    }
}
