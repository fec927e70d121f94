//! Workflows.

use app::ports::Draft;
use catalog::{NewWorkflow, Workflow, WorkflowPatch};
use domain::{FieldError, Graph, ServiceId, Timestamp, VersionId, WorkflowId, WorkflowStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

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

/// A workflow to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWorkflow {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Orders over 50")]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    description: String,
    /// JSON Schema of a run's inputs; `{}` takes anything.
    #[serde(default)]
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    /// Whether services may start it through the API.
    #[serde(default)]
    is_api: bool,
    /// Words to find it by; at most 50 of at most 50 characters.
    #[serde(default)]
    #[schema(max_items = 50)]
    tags: Vec<String>,
    /// Preferences of its editor and of its runs.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

impl CreateWorkflow {
    /// The workflow that is meant, or every mistake.
    pub(crate) fn check(
        self,
        id: WorkflowId,
        service: Option<(ServiceId, Uuid)>,
    ) -> Result<NewWorkflow, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_name(&self.name, &mut mistakes);
        check_rest(Some(&self.description), Some(&self.tags), Some(&self.input_params), &mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Self { name, description, input_params, is_api, tags, settings } = self;
        Ok(NewWorkflow { id, name, description, input_params, settings, tags, is_api, service })
    }
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWorkflow {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// JSON Schema of a run's inputs.
    #[schema(value_type = Option<Object>)]
    input_params: Option<Map<String, Value>>,
    /// Whether services may start it through the API.
    is_api: Option<bool>,
    /// Words to find it by.
    #[schema(max_items = 50)]
    tags: Option<Vec<String>>,
    /// Preferences of its editor and of its runs.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl UpdateWorkflow {
    /// The change that is meant, or every mistake.
    pub(crate) fn check(self) -> Result<WorkflowPatch, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut mistakes);
        }
        check_rest(
            self.description.as_deref(),
            self.tags.as_deref(),
            self.input_params.as_ref(),
            &mut mistakes,
        );
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Self { name, description, input_params, is_api, tags, settings } = self;
        Ok(WorkflowPatch { name, description, status: None, input_params, settings, tags, is_api })
    }
}

fn check_name(name: &str, mistakes: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > 200 {
        mistakes.push(mistake("/name", "length", "A name has 1 to 200 characters."));
    }
}

fn check_rest(
    description: Option<&str>,
    tags: Option<&[String]>,
    input_params: Option<&Map<String, Value>>,
    mistakes: &mut Vec<FieldError>,
) {
    if description.is_some_and(|text| text.chars().count() > 10_000) {
        mistakes.push(mistake("/description", "length", "A description has at most 10,000 characters."));
    }
    let tags = tags.unwrap_or_default();
    if tags.len() > 50 {
        mistakes.push(mistake("/tags", "too_many", "A workflow has at most 50 tags."));
    }
    for (i, _) in
        tags.iter().enumerate().filter(|(_, tag)| tag.trim().is_empty() || tag.chars().count() > 50).take(50)
    {
        mistakes.push(mistake(&format!("/tags/{i}"), "length", "A tag has 1 to 50 characters."));
    }
    for violation in input_params.map(engine::validate_input_params).unwrap_or_default() {
        mistakes.push(mistake(
            &format!("/input_params{}", violation.pointer),
            &violation.code,
            &violation.message,
        ));
    }
}

pub(super) fn mistake(pointer: &str, code: &str, detail: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        detail: detail.to_owned(),
        node: None,
        offset: None,
    }
}

/// A workflow without its graph.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowView {
    #[schema(value_type = Uuid)]
    id: WorkflowId,
    name: String,
    description: String,
    #[schema(value_type = WorkflowStatusDoc)]
    status: WorkflowStatus,
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    is_api: bool,
    tags: Vec<String>,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Counts the edits; the `ETag`.
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
            tags: workflow.tags,
            settings: workflow.settings,
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
