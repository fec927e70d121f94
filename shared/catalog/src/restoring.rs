//! A version that becomes the draft again (WF-07), and a workflow that comes from a document (WF-13).

use app::{
    Pieces,
    ports::{Act, Draft, Ids, StoreError},
};
use domain::{DraftId, Graph, OnFailure, TeamId, WorkflowVersion};
use serde_json::{Map, Value};
use sqlx::{PgConnection, types::Json};

use crate::{
    Catalog, NewWorkflow, Workflow,
    deeds::Deed,
    error::store_error,
    graph::{read_pieces, with_ids, write_draft},
    graph_rows::{read_draft, write_pieces},
    workflow_drafts::{keep_replaced, last_editor},
    workflows,
};

/// What failures are said to be of.
const RESTORING: &str = "restore a version";
const IMPORTING: &str = "import a workflow";

impl Catalog {
    /// Makes a version the draft of its workflow: its graph, the schema of its inputs, what it says of its runs, and whether services may
    /// start it. Name, description, tags and schedule are the workflow's and stay, and so do settings that no version keeps. Counts one
    /// revision, if the draft's is still `revision` (where one is given); else [`Conflict`](StoreError::Conflict). A node keeps its id where
    /// the draft still has it. The graph that it takes the place of is set aside.
    pub async fn version_restore(
        &self,
        version: &WorkflowVersion,
        revision: Option<i64>,
        ids: &dyn Ids,
        act: &Act,
    ) -> Result<Draft, StoreError> {
        let mut tx = self.team(version.team_id, RESTORING).await?;
        let restored = restore(&mut tx, version, revision, ids, act).await;
        let (restored, kept) =
            restored.map_or_else(|error| (Err(error), None), |(draft, kept)| (Ok(draft), kept));
        let deed = Deed::new("workflow.restore", version.workflow_id)
            .with("version_id", version.id)
            .with("number", version.number)
            .with("kept_draft_id", kept);
        tx.done(restored, act, deed).await
    }

    /// Records a workflow together with its draft: both or neither.
    pub async fn workflow_import(
        &self,
        team: TeamId,
        new: &NewWorkflow,
        graph: &Graph,
        ids: &dyn Ids,
        act: &Act,
    ) -> Result<(Workflow, Draft), StoreError> {
        let mut tx = self.team(team, IMPORTING).await?;
        let made = async {
            let workflow = workflows::insert(&mut tx, team, new).await.map_err(store_error(IMPORTING))?;
            let pieces = with_ids(graph, &Pieces::default(), ids)?;
            write_pieces(&mut tx, team, new.id, &pieces).await?;
            Ok((workflow, read_draft(&mut *tx, team, new.id).await?))
        };
        let made = made.await;
        let deed = Deed::new("workflow.import", new.id).with("name", &new.name);
        tx.done(made, act, deed).await
    }
}

async fn restore(
    tx: &mut PgConnection,
    version: &WorkflowVersion,
    revision: Option<i64>,
    ids: &dyn Ids,
    act: &Act,
) -> Result<(Draft, Option<DraftId>), StoreError> {
    let (team, workflow) = (version.team_id, version.workflow_id);
    let (present, _) = last_editor(tx, team, workflow).await?;
    if revision.is_some_and(|revision| revision != present) {
        return Err(StoreError::Conflict);
    }
    let before = read_pieces(tx, team, workflow).await?;
    let mut graph = version.graph.clone();
    for node in &mut graph.nodes {
        node.id = node.id.filter(|id| before.nodes.iter().any(|there| there.id == Some(*id)));
    }
    let after = with_ids(&graph, &before, ids)?;
    let is_other = before.graph() != after.graph();
    let kept = if is_other { keep_replaced(tx, team, workflow, act).await? } else { None };
    restore_settings(tx, version).await?;
    Ok((write_draft(tx, team, workflow, &after, act).await?, kept))
}

/// What a version says beside its graph.
async fn restore_settings(tx: &mut PgConnection, version: &WorkflowVersion) -> Result<(), StoreError> {
    sqlx::query!(
        "update workflows set input_params = $3, is_api = $4,
            settings = (settings - array['on_failure', 'timeout_s', 'max_steps', 'error_workflow_id']) || $5
        where team_id = $1 and id = $2",
        version.team_id.uuid(),
        version.workflow_id.uuid(),
        Json(&version.input_params) as _,
        version.is_api,
        Json(settings_of(version)) as _
    )
    .execute(tx)
    .await
    .map_err(store_error(RESTORING))?;
    Ok(())
}

/// What a version says of its runs, as its author would have written it.
fn settings_of(version: &WorkflowVersion) -> Map<String, Value> {
    let Ok(Value::Object(mut settings)) = serde_json::to_value(&version.settings) else { return Map::new() };
    if version.settings.on_failure == OnFailure::default() {
        settings.remove("on_failure");
    }
    settings
}
