//! Changes of workflows without their graph: what they say (WF-01, WF-03, WF-05) and where they stand (WF-04).

use app::ports::Act;
use domain::{TeamId, WorkflowId, WorkflowStatus};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};

use crate::{
    Catalog, StoreError, Workflow,
    deeds::Deed,
    error::store_error,
    word::{Word, word},
    workflows::Row,
};

/// The rule that a workflow is published by its version: one without a version is in no other status than draft or archived.
pub const NO_VERSION: &str = "ck_workflows_published";

/// The rule of moves between statuses ([`WorkflowStatus::may_become`]): [`StoreError::Violates`] names it.
pub const WRONG_MOVE: &str = "wrong_move";

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkflowPatch {
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// JSON Schema of a run's inputs.
    pub input_params: Option<Map<String, Value>>,
    /// Preferences of its editor and of its runs.
    pub settings: Option<Map<String, Value>>,
    /// Words to find it by; at most 50.
    pub tags: Option<Vec<String>>,
    /// Whether services may start it through the API.
    pub is_api: Option<bool>,
    /// Whether it may be shown outside of the team.
    pub is_public: Option<bool>,
    /// Five cron fields; empty to start it by the clock no more.
    pub cron_schedule: Option<String>,
    /// The IANA name of the zone whose clock that is.
    pub cron_timezone: Option<String>,
}

impl WorkflowPatch {
    /// The names of the fields that it changes.
    fn fields(&self) -> Vec<&'static str> {
        let Self {
            name,
            description,
            input_params,
            settings,
            tags,
            is_api,
            is_public,
            cron_schedule,
            cron_timezone,
        } = self;
        let named = [
            ("name", name.is_some()),
            ("description", description.is_some()),
            ("input_params", input_params.is_some()),
            ("settings", settings.is_some()),
            ("tags", tags.is_some()),
            ("is_api", is_api.is_some()),
            ("is_public", is_public.is_some()),
            ("cron_schedule", cron_schedule.is_some()),
            ("cron_timezone", cron_timezone.is_some()),
        ];
        named.into_iter().filter_map(|(field, is_named)| is_named.then_some(field)).collect()
    }
}

impl Catalog {
    /// Changes a workflow and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict).
    pub async fn workflow_update(
        &self,
        team: TeamId,
        id: WorkflowId,
        patch: &WorkflowPatch,
        revision: Option<i64>,
        act: &Act,
    ) -> Result<Workflow, StoreError> {
        let mut tx = self.team(team, "update a workflow").await?;
        let row = query_as!(
            Row,
            r#"update workflows set
                name = coalesce($4, name),
                description = coalesce($5, description),
                input_params = coalesce($6, input_params),
                settings = coalesce($7, settings),
                tags = coalesce($8, tags),
                is_api = coalesce($9, is_api),
                is_public = coalesce($10, is_public),
                cron_schedule = nullif(coalesce($11, cron_schedule), ''),
                cron_timezone = coalesce($12, cron_timezone),
                revision = revision + 1
            where team_id = $1 and id = $2 and ($3::bigint is null or revision = $3)
            returning id, name, description, status as "status: Word<WorkflowStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>",
                tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
                published_version_id, created_on, updated_on"#,
            team.uuid(),
            id.uuid(),
            revision,
            patch.name,
            patch.description,
            patch.input_params.as_ref().map(Json) as _,
            patch.settings.as_ref().map(Json) as _,
            patch.tags.as_deref(),
            patch.is_api,
            patch.is_public,
            patch.cron_schedule,
            patch.cron_timezone
        )
        .fetch_one(&mut *tx)
        .await;
        let updated = row.map(Workflow::from).map_err(store_error("update a workflow"));
        let deed = Deed::new("workflow.update", id).with("fields", patch.fields());
        match tx.done(updated, act, deed).await {
            Err(StoreError::NotFound) => self.workflow_get(team, id).await.and(Err(StoreError::Conflict)),
            updated => updated,
        }
    }

    /// Moves a workflow to another status and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict) (WF-04). A move that is none breaks [`WRONG_MOVE`], one to what only a version makes
    /// [`NO_VERSION`]. Where it stands there already, nothing is done.
    pub async fn workflow_move(
        &self,
        team: TeamId,
        id: WorkflowId,
        to: WorkflowStatus,
        revision: Option<i64>,
        act: &Act,
    ) -> Result<Workflow, StoreError> {
        let mut tx = self.team(team, "move a workflow").await?;
        let from = leave(&mut tx, team, id, to, revision).await;
        match from {
            Ok(from) if from != to => {
                let moved = set_status(&mut tx, team, id, to).await;
                tx.done(moved, act, Deed::new("workflow.status", id).with("from", from).with("status", to))
                    .await
            }
            from => {
                tx.close(from).await?;
                self.workflow_get(team, id).await
            }
        }
    }
}

/// Where a workflow stands that may be moved, and that nobody else changes until this transaction ends.
async fn leave(
    tx: &mut PgConnection,
    team: TeamId,
    id: WorkflowId,
    to: WorkflowStatus,
    revision: Option<i64>,
) -> Result<WorkflowStatus, StoreError> {
    let row = sqlx::query!(
        r#"select status as "status: Word<WorkflowStatus>", published_version_id is not null as "has_version!", revision
        from workflows where team_id = $1 and id = $2 for no key update"#,
        team.uuid(),
        id.uuid()
    )
    .fetch_one(tx)
    .await
    .map_err(store_error("lock a workflow"))?;
    if revision.is_some_and(|revision| revision != row.revision) {
        return Err(StoreError::Conflict);
    }
    let from = row.status.0;
    match to {
        _ if from.may_become(to, row.has_version) => Ok(from),
        WorkflowStatus::Published => Err(StoreError::Violates(NO_VERSION.to_owned())),
        _ => Err(StoreError::Violates(WRONG_MOVE.to_owned())),
    }
}

async fn set_status(
    tx: &mut PgConnection,
    team: TeamId,
    id: WorkflowId,
    to: WorkflowStatus,
) -> Result<Workflow, StoreError> {
    let row = query_as!(
        Row,
        r#"update workflows set status = $3, revision = revision + 1 where team_id = $1 and id = $2
        returning id, name, description, status as "status: Word<WorkflowStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>",
            tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
            published_version_id, created_on, updated_on"#,
        team.uuid(),
        id.uuid(),
        word(to)
    )
    .fetch_one(tx)
    .await;
    row.map(Workflow::from).map_err(store_error("move a workflow"))
}
