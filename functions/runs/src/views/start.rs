//! The wish to start a run.

use app::Target;
use domain::{FieldError, Priority, VersionId, WorkflowId};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Which of the runs that wait goes first: a class goes before the next one, which never waits for ever.
#[derive(ToSchema)]
#[schema(as = Priority, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes domain::Priority, which knows no OpenAPI")]
enum PriorityDoc {
    High,
    Default,
    Low,
}

/// What to run. Exactly one of `workflow_id` and `version_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"workflow_id": "01a20155-2112-714f-9307-c241d182a1ef", "inputs": {"amount": 50}}))]
pub(crate) struct Start {
    /// Runs the published version of this workflow.
    #[schema(value_type = Option<Uuid>)]
    workflow_id: Option<WorkflowId>,
    /// Runs this version, current or not.
    #[schema(value_type = Option<Uuid>)]
    version_id: Option<VersionId>,
    /// Must match the version's `input_params`.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// The class that the run goes in.
    #[serde(default)]
    #[schema(value_type = PriorityDoc, default = "default")]
    priority: Priority,
}

/// What a [`Start`] means.
pub(crate) struct Wish {
    pub(crate) target: Target,
    pub(crate) inputs: Value,
    pub(crate) priority: Priority,
}

impl Start {
    /// What is meant, or what is wrong.
    pub(crate) fn check(self) -> Result<Wish, Vec<FieldError>> {
        let target = match (self.workflow_id, self.version_id) {
            (Some(id), None) => Target::Workflow(id),
            (None, Some(id)) => Target::Version(id),
            (None, None) => return Err(mistake("missing_field", "Name a workflow_id or a version_id.")),
            (Some(_), Some(_)) => {
                return Err(mistake("one_of", "Name a workflow_id or a version_id, not both."));
            }
        };
        Ok(Wish { target, inputs: Value::Object(self.inputs), priority: self.priority })
    }
}

fn mistake(code: &str, detail: &str) -> Vec<FieldError> {
    let pointer = "/workflow_id".to_owned();
    vec![FieldError { pointer, code: code.to_owned(), detail: detail.to_owned(), node: None, offset: None }]
}
