//! Workflows as they are shown.

use app::ports::Draft;
use catalog::Workflow;
use domain::{Graph, Timestamp, VersionId, WorkflowId, WorkflowStatus};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::graph::GraphDoc;

/// Where a workflow stands in its life.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WorkflowStatus)]
#[expect(dead_code, reason = "describes domain::WorkflowStatus, which knows no OpenAPI")]
pub(crate) enum WorkflowStatusDoc {
    Draft,
    Published,
    Archived,
}

/// A workflow without its graph.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowView {
    #[schema(value_type = Uuid)]
    id: WorkflowId,
    #[schema(example = "Orders over 50")]
    name: String,
    #[schema(example = "Keeps what is worth a look.")]
    description: String,
    #[schema(value_type = WorkflowStatusDoc)]
    status: WorkflowStatus,
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    is_api: bool,
    #[schema(example = false)]
    is_public: bool,
    /// When the clock starts it; null for never.
    #[schema(example = "0 9 * * MON-FRI")]
    cron_schedule: Option<String>,
    /// The zone whose clock that is.
    #[schema(example = "Europe/Berlin")]
    cron_timezone: String,
    #[schema(example = json!(["orders"]))]
    tags: Vec<String>,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The workflow that it was duplicated from, while that is there.
    #[schema(value_type = Option<Uuid>)]
    parent_workflow_id: Option<WorkflowId>,
    /// Counts the edits; the `ETag`.
    #[schema(example = 12)]
    revision: i64,
    /// The version that a start runs; null if it was never published.
    #[schema(value_type = Option<Uuid>)]
    published_version_id: Option<VersionId>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl From<Workflow> for WorkflowView {
    fn from(workflow: Workflow) -> Self {
        Self {
            id: workflow.id,
            name: workflow.name,
            description: workflow.description,
            status: workflow.status,
            input_params: workflow.input_params,
            is_api: workflow.is_api,
            is_public: workflow.is_public,
            cron_schedule: workflow.cron_schedule,
            cron_timezone: workflow.cron_timezone,
            tags: workflow.tags,
            settings: workflow.settings,
            parent_workflow_id: workflow.parent_workflow_id,
            revision: workflow.revision,
            published_version_id: workflow.published_version_id,
            created_on: workflow.created_on,
            updated_on: workflow.updated_on,
        }
    }
}

/// A workflow with its draft graph.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowDetail {
    #[serde(flatten)]
    workflow: WorkflowView,
    #[schema(value_type = GraphDoc)]
    graph: Graph,
}

impl WorkflowDetail {
    pub(crate) fn new(workflow: Workflow, draft: Draft) -> Self {
        let workflow = WorkflowView { revision: draft.revision, ..WorkflowView::from(workflow) };
        Self { workflow, graph: draft.graph }
    }
}
