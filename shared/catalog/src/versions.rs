//! Published versions: written once, never changed (WF-07, WF-08).

use app::ports::{Act, PublishedVersion, StoreError};
use domain::{
    FrozenExpert, Graph, RunSettings, TeamId, Timestamp, UsedVersion, VersionId, WorkflowId, WorkflowVersion,
};
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgExecutor, query_as, types::Json};
use uuid::Uuid;

use crate::{Catalog, Page, Window, deeds::Deed, error::store_error};

/// What a failure is said to be of.
const PUBLISHING: &str = "publish a version";

impl Catalog {
    /// The versions of a workflow of the team, newest first.
    pub async fn version_list(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        window: Window,
    ) -> Result<Page<PublishedVersion>, StoreError> {
        let mut tx = self.team(team, "list versions").await?;
        let page = async {
            // No row at all where the team has no such workflow.
            let total = sqlx::query_scalar!(
                r#"select (select count(*) from workflow_versions v where v.team_id = w.team_id and v.workflow_id = w.id)
                    as "count!"
                from workflows w where w.team_id = $1 and w.id = $2"#,
                team.uuid(),
                workflow.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                SummaryRow,
                "select id, number, note, created_on from workflow_versions
                where team_id = $1 and workflow_id = $2
                order by number desc limit $3 offset $4",
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

    /// A version of a workflow of the team by its number.
    pub async fn version_by_number(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError> {
        let mut tx = self.team(team, "get a version by number").await?;
        let row = query_as!(
            Row,
            r#"select id, team_id, workflow_id, number, workflow_name, graph as "graph: Json<Graph>",
                input_params as "input_params: Json<Map<String, Value>>", is_api,
                settings as "settings: Json<RunSettings>", uses as "uses: Json<Vec<UsedVersion>>",
                experts as "experts: Json<Vec<FrozenExpert>>", created_on
            from workflow_versions where team_id = $1 and workflow_id = $2 and number::bigint = $3"#,
            team.uuid(),
            workflow.uuid(),
            i64::from(number)
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(row).await.map(WorkflowVersion::from)
    }

    /// Behind [`WorkflowCatalog::insert_version`](app::ports::WorkflowCatalog::insert_version).
    pub(crate) async fn version_insert(
        &self,
        version: &WorkflowVersion,
        revision: i64,
        note: Option<&str>,
        act: &Act,
    ) -> Result<WorkflowVersion, StoreError> {
        let mut tx = self.team(version.team_id, PUBLISHING).await?;
        let stored = insert_version(&mut tx, version, revision, note).await;
        let number = stored.as_ref().map_or(0, |stored| stored.number);
        let deed = Deed::new("workflow.publish", version.workflow_id)
            .with("version_id", version.id)
            .with("number", number)
            .with("name", &version.workflow_name);
        tx.done(stored, act, deed).await
    }
}

async fn insert_version(
    tx: &mut PgConnection,
    version: &WorkflowVersion,
    revision: i64,
    note: Option<&str>,
) -> Result<WorkflowVersion, StoreError> {
    // The row lock gives out numbers one after the other.
    let found = sqlx::query_scalar!(
        "select revision from workflows where team_id = $1 and id = $2 for no key update",
        version.team_id.uuid(),
        version.workflow_id.uuid()
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(store_error(PUBLISHING))?;
    if found != revision {
        return Err(StoreError::Conflict);
    }
    sqlx::query!(
        "insert into workflow_versions (id, team_id, workflow_id, number, workflow_name, graph, input_params, is_api,
            settings, uses, experts, note, created_on, updated_on)
        select $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12
        from workflow_versions where team_id = $2 and workflow_id = $3",
        version.id.uuid(),
        version.team_id.uuid(),
        version.workflow_id.uuid(),
        version.workflow_name,
        Json(&version.graph) as _,
        Json(&version.input_params) as _,
        version.is_api,
        Json(&version.settings) as _,
        Json(&version.uses) as _,
        Json(&version.experts) as _,
        note,
        version.created_on
    )
    .execute(&mut *tx)
    .await
    .map_err(store_error(PUBLISHING))?;
    sqlx::query!(
        "update workflows set status = 'published', published_version_id = $3 where team_id = $1 and id = $2",
        version.team_id.uuid(),
        version.workflow_id.uuid(),
        version.id.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(store_error(PUBLISHING))?;
    // Read back, so that what goes to the run store is, to the key order, what a repair would read from here.
    read_version(tx, version.team_id, version.id).await
}

/// A version of the team.
pub(crate) async fn read_version(
    db: impl PgExecutor<'_>,
    team: TeamId,
    id: VersionId,
) -> Result<WorkflowVersion, StoreError> {
    query_as!(
        Row,
        r#"select id, team_id, workflow_id, number, workflow_name, graph as "graph: Json<Graph>",
            input_params as "input_params: Json<Map<String, Value>>", is_api,
                settings as "settings: Json<RunSettings>", uses as "uses: Json<Vec<UsedVersion>>",
                experts as "experts: Json<Vec<FrozenExpert>>", created_on
        from workflow_versions where team_id = $1 and id = $2"#,
        team.uuid(),
        id.uuid()
    )
    .fetch_one(db)
    .await
    .map(WorkflowVersion::from)
    .map_err(store_error("get a version"))
}

struct Row {
    id: Uuid,
    team_id: Uuid,
    workflow_id: Uuid,
    number: i32,
    workflow_name: String,
    graph: Json<Graph>,
    input_params: Json<Map<String, Value>>,
    is_api: bool,
    settings: Json<RunSettings>,
    uses: Json<Vec<UsedVersion>>,
    experts: Json<Vec<FrozenExpert>>,
    created_on: Timestamp,
}

impl From<Row> for WorkflowVersion {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            team_id: row.team_id.into(),
            workflow_id: row.workflow_id.into(),
            workflow_name: row.workflow_name,
            number: row.number.unsigned_abs(),
            graph: row.graph.0,
            input_params: row.input_params.0,
            is_api: row.is_api,
            settings: row.settings.0,
            uses: row.uses.0,
            experts: row.experts.0,
            created_on: row.created_on,
        }
    }
}

struct SummaryRow {
    id: Uuid,
    number: i32,
    note: Option<String>,
    created_on: Timestamp,
}

impl From<SummaryRow> for PublishedVersion {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id.into(),
            number: row.number.unsigned_abs(),
            note: row.note,
            created_on: row.created_on,
        }
    }
}
