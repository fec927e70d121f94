//! Published versions.

use app::{Publication, ports::PublishedVersion};
use domain::{FieldError, Graph, Timestamp, VersionId, WorkflowId, WorkflowVersion};
use engine::forecast::Forecast;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    graph::{GraphDoc, ViolationView},
    plan::PlanDoc,
};

/// What the publisher has to say.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publish {
    /// At most 1,000 characters.
    #[schema(max_length = 1_000, example = "Asks for the smallest amount.")]
    note: Option<String>,
}

impl Publish {
    /// The note, or what is wrong with it.
    pub(crate) fn check(self) -> Result<Option<String>, Vec<FieldError>> {
        match self.note {
            Some(note) if note.chars().count() > 1_000 => {
                Err(vec![FieldError::new("/note", "length", "A note has at most 1,000 characters.")])
            }
            note => Ok(note),
        }
    }
}

/// A version that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Published {
    #[schema(value_type = Uuid)]
    pub(crate) version_id: VersionId,
    /// Counts from 1 in its workflow.
    #[schema(example = 3)]
    pub(crate) number: u32,
    /// Places that run, but perhaps not as their author means.
    warnings: Vec<ViolationView>,
    /// What a run of it does and takes.
    #[schema(value_type = PlanDoc)]
    plan: Forecast,
}

impl From<Publication> for Published {
    fn from(made: Publication) -> Self {
        let warnings = made.warnings.into_iter().map(ViolationView::from).collect();
        Self { version_id: made.version.id, number: made.version.number, warnings, plan: made.plan }
    }
}

/// A version without its graph.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionSummary {
    #[schema(value_type = Uuid)]
    id: VersionId,
    #[schema(example = 3)]
    number: u32,
    #[schema(example = "Asks for the smallest amount.")]
    note: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl From<PublishedVersion> for VersionSummary {
    fn from(version: PublishedVersion) -> Self {
        let PublishedVersion { id, number, note, created_on } = version;
        Self { id, number, note, created_on }
    }
}

/// A version as it runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    #[schema(value_type = Uuid)]
    id: VersionId,
    #[schema(value_type = Uuid)]
    workflow_id: WorkflowId,
    /// The workflow's name when it was published.
    #[schema(example = "Orders over 50")]
    workflow_name: String,
    #[schema(example = 3)]
    number: u32,
    #[schema(value_type = GraphDoc)]
    graph: Graph,
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    is_api: bool,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl From<WorkflowVersion> for VersionView {
    fn from(version: WorkflowVersion) -> Self {
        Self {
            id: version.id,
            workflow_id: version.workflow_id,
            workflow_name: version.workflow_name,
            number: version.number,
            graph: version.graph,
            input_params: version.input_params,
            is_api: version.is_api,
            created_on: version.created_on,
        }
    }
}
