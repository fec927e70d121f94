//! Workflows without their graph: name, status, settings (WF-01, WF-03, WF-05, WF-14). The graph is in [`crate::graph`].

use app::ports::Act;
use domain::{ServiceId, TeamId, Timestamp, VersionId, WorkflowId, WorkflowStatus};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::Deed,
    error::store_error,
    word::{Word, word},
    workflow_services::attach,
};

/// A workflow without its graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// 1 to 200 characters.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where it stands.
    pub status: WorkflowStatus,
    /// JSON Schema of a run's inputs; `{}` takes anything.
    pub input_params: Map<String, Value>,
    /// Preferences of its editor and of its runs.
    pub settings: Map<String, Value>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Whether services may start it through the API.
    pub is_api: bool,
    /// Whether it may be shown outside of the team.
    pub is_public: bool,
    /// Five cron fields; None if nothing starts it by the clock (WF-01).
    pub cron_schedule: Option<String>,
    /// The IANA name of the zone whose clock that is.
    pub cron_timezone: String,
    /// The workflow that it was duplicated from, while that is there.
    pub parent_workflow_id: Option<WorkflowId>,
    /// Counts the edits, those of the graph included; what `ETag` shows.
    pub revision: i64,
    /// The version that a start executes.
    pub published_version_id: Option<VersionId>,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// A workflow to record: a draft with an empty graph.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWorkflow {
    /// Its id.
    pub id: WorkflowId,
    /// 1 to 200 characters.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON Schema of a run's inputs.
    pub input_params: Map<String, Value>,
    /// Preferences of its editor and of its runs.
    pub settings: Map<String, Value>,
    /// Words to find it by; at most 50.
    pub tags: Vec<String>,
    /// Whether services may start it through the API.
    pub is_api: bool,
    /// Whether it may be shown outside of the team.
    pub is_public: bool,
    /// Five cron fields.
    pub cron_schedule: Option<String>,
    /// The IANA name of the zone whose clock that is.
    pub cron_timezone: String,
    /// The service that makes it and so sees it, and the id of that link.
    pub service: Option<(ServiceId, Uuid)>,
}

impl NewWorkflow {
    /// A workflow of this name that says nothing more of itself: for the team alone, and started by hand.
    pub fn named(id: WorkflowId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            description: String::new(),
            input_params: Map::new(),
            settings: Map::new(),
            tags: Vec::new(),
            is_api: false,
            is_public: false,
            cron_schedule: None,
            cron_timezone: "UTC".to_owned(),
            service: None,
        }
    }
}

/// Which workflows to list. Absent fields filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// Only in this status.
    pub status: Option<WorkflowStatus>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only with this text in their name, whatever its case.
    pub search: Option<String>,
}

impl Catalog {
    /// Records a workflow, and the service that makes it as one that sees it: what a service builds it may start.
    pub async fn workflow_insert(
        &self,
        team: TeamId,
        new: &NewWorkflow,
        act: &Act,
    ) -> Result<Workflow, StoreError> {
        let mut tx = self.team(team, "insert a workflow").await?;
        let made = insert(&mut tx, team, new).await.map_err(store_error("insert a workflow"));
        tx.done(made, act, Deed::new("workflow.create", new.id).with("name", &new.name)).await
    }

    /// A workflow of the team.
    pub async fn workflow_get(&self, team: TeamId, id: WorkflowId) -> Result<Workflow, StoreError> {
        let mut tx = self.team(team, "get a workflow").await?;
        let found = query_as!(
            Row,
            r#"select id, name, description, status as "status: Word<WorkflowStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>",
                tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
                published_version_id, created_on, updated_on
            from workflows where team_id = $1 and id = $2"#,
            team.uuid(),
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Workflow::from)
    }

    /// The team's workflows that pass the filter, newest first.
    pub async fn workflow_list(
        &self,
        team: TeamId,
        filter: &WorkflowFilter,
        window: Window,
    ) -> Result<Page<Workflow>, StoreError> {
        let mut tx = self.team(team, "list workflows").await?;
        let status = filter.status.map(word);
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select count(*) as "count!" from workflows
                where team_id = $1
                    and ($2::text is null or status = $2)
                    and ($3::text is null or tags @> array[$3])
                    and ($4::text is null or strpos(lower(name), lower($4)) > 0)"#,
                team.uuid(),
                status,
                filter.tag,
                filter.search
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, name, description, status as "status: Word<WorkflowStatus>",
                    input_params as "input_params: Json<Map<String, Value>>",
                    settings as "settings: Json<Map<String, Value>>",
                    tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
                    published_version_id, created_on, updated_on
                from workflows
                where team_id = $1
                    and ($2::text is null or status = $2)
                    and ($3::text is null or tags @> array[$3])
                    and ($4::text is null or strpos(lower(name), lower($4)) > 0)
                order by id desc limit $5 offset $6"#,
                team.uuid(),
                status,
                filter.tag,
                filter.search,
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
}

/// The row of a new workflow, with the link to the service that makes it.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    team: TeamId,
    new: &NewWorkflow,
) -> Result<Workflow, sqlx::Error> {
    let row = query_as!(
        Row,
        r#"insert into workflows (id, team_id, name, description, input_params, settings, tags, is_api, is_public,
            cron_schedule, cron_timezone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        returning id, name, description, status as "status: Word<WorkflowStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>",
            tags, is_api, is_public, cron_schedule, cron_timezone, parent_workflow_id, revision,
            published_version_id, created_on, updated_on"#,
        new.id.uuid(),
        team.uuid(),
        new.name,
        new.description,
        Json(&new.input_params) as _,
        Json(&new.settings) as _,
        &new.tags,
        new.is_api,
        new.is_public,
        new.cron_schedule,
        new.cron_timezone
    )
    .fetch_one(&mut *tx)
    .await?;
    if let Some((service, link)) = new.service {
        attach(tx, team, new.id, service, link).await?;
    }
    Ok(Workflow::from(row))
}

pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) status: Word<WorkflowStatus>,
    pub(crate) input_params: Json<Map<String, Value>>,
    pub(crate) settings: Json<Map<String, Value>>,
    pub(crate) tags: Vec<String>,
    pub(crate) is_api: bool,
    pub(crate) is_public: bool,
    pub(crate) cron_schedule: Option<String>,
    pub(crate) cron_timezone: String,
    pub(crate) parent_workflow_id: Option<Uuid>,
    pub(crate) revision: i64,
    pub(crate) published_version_id: Option<Uuid>,
    pub(crate) created_on: Timestamp,
    pub(crate) updated_on: Timestamp,
}

impl From<Row> for Workflow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            status: row.status.0,
            input_params: row.input_params.0,
            settings: row.settings.0,
            tags: row.tags,
            is_api: row.is_api,
            is_public: row.is_public,
            cron_schedule: row.cron_schedule,
            cron_timezone: row.cron_timezone,
            parent_workflow_id: row.parent_workflow_id.map(WorkflowId::from),
            revision: row.revision,
            published_version_id: row.published_version_id.map(VersionId::from),
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
