//! What clients change of workflows.

use catalog::{NewWorkflow, Workflow, WorkflowPatch};
use domain::{FieldError, ServiceId, WorkflowId, WorkflowStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{schedule::schedule_mistakes, workflow::WorkflowStatusDoc};

/// The zone of schedules that name none.
const UTC: &str = "UTC";

/// A workflow to create; what a document says of one too.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Orders over 50",
    "description": "Keeps what is worth a look.",
    "input_params": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]},
    "is_api": true,
    "tags": ["orders"],
}))]
pub(crate) struct CreateWorkflow {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Orders over 50")]
    name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 10_000, example = "Keeps what is worth a look.")]
    description: String,
    /// JSON Schema of a run's inputs; `{}` takes anything.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    /// Whether services may start it through the API.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_api: bool,
    /// Whether it may be shown outside of the team.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_public: bool,
    /// When the clock starts it: minute, hour, day of month, month, day of week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "0 9 * * MON-FRI")]
    cron_schedule: Option<String>,
    /// The IANA name of the zone whose clock that is; UTC where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "Europe/Berlin")]
    cron_timezone: Option<String>,
    /// Words to find it by; at most 50 of at most 50 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50, example = json!(["orders"]))]
    tags: Vec<String>,
    /// Preferences of its editor and of its runs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

impl CreateWorkflow {
    pub(crate) fn input_params(&self) -> &Map<String, Value> {
        &self.input_params
    }

    pub(crate) fn settings(&self) -> &Map<String, Value> {
        &self.settings
    }

    pub(super) fn settings_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.settings
    }

    /// The workflow that is meant, or every mistake.
    pub(crate) fn check(
        self,
        id: WorkflowId,
        service: Option<(ServiceId, Uuid)>,
    ) -> Result<NewWorkflow, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_name(&self.name, &mut mistakes);
        check_rest(Some(&self.description), Some(&self.tags), Some(&self.input_params), &mut mistakes);
        mistakes.extend(schedule_mistakes(self.cron_schedule.as_deref(), self.cron_timezone.as_deref()));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(NewWorkflow {
            id,
            name: self.name,
            description: self.description,
            input_params: self.input_params,
            settings: self.settings,
            tags: self.tags,
            is_api: self.is_api,
            is_public: self.is_public,
            cron_schedule: self.cron_schedule.filter(|cron| !cron.is_empty()),
            cron_timezone: self.cron_timezone.unwrap_or_else(|| UTC.to_owned()),
            service,
        })
    }
}

/// What it takes to make the like of it.
impl From<Workflow> for CreateWorkflow {
    fn from(workflow: Workflow) -> Self {
        Self {
            name: workflow.name,
            description: workflow.description,
            input_params: workflow.input_params,
            is_api: workflow.is_api,
            is_public: workflow.is_public,
            cron_schedule: workflow.cron_schedule,
            cron_timezone: Some(workflow.cron_timezone).filter(|zone| zone != UTC),
            tags: workflow.tags,
            settings: workflow.settings,
        }
    }
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWorkflow {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Orders over 100")]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// JSON Schema of a run's inputs.
    #[schema(value_type = Option<Object>)]
    input_params: Option<Map<String, Value>>,
    /// Whether services may start it through the API.
    is_api: Option<bool>,
    /// Whether it may be shown outside of the team.
    is_public: Option<bool>,
    /// When the clock starts it: minute, hour, day of month, month, day of week. Empty for never.
    #[schema(max_length = 100)]
    cron_schedule: Option<String>,
    /// The IANA name of the zone whose clock that is.
    #[schema(max_length = 100)]
    cron_timezone: Option<String>,
    /// Words to find it by.
    #[schema(max_items = 50, example = json!(["orders"]))]
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
        mistakes.extend(schedule_mistakes(self.cron_schedule.as_deref(), self.cron_timezone.as_deref()));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(WorkflowPatch {
            name: self.name,
            description: self.description,
            input_params: self.input_params,
            settings: self.settings,
            tags: self.tags,
            is_api: self.is_api,
            is_public: self.is_public,
            cron_schedule: self.cron_schedule,
            cron_timezone: self.cron_timezone,
        })
    }
}

/// Where a workflow is to stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveWorkflow {
    #[schema(value_type = WorkflowStatusDoc)]
    pub(crate) status: WorkflowStatus,
}

/// What a copy is called.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duplicate {
    /// 1 to 200 characters; where absent, the name of the other with ` (copy)` after it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
}

impl Duplicate {
    /// The name that is meant, or what is wrong with it.
    pub(crate) fn check(self) -> Result<Option<String>, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut mistakes);
        }
        if mistakes.is_empty() { Ok(self.name) } else { Err(mistakes) }
    }
}

fn check_name(name: &str, mistakes: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > 200 {
        mistakes.push(FieldError::new("/name", "length", "A name has 1 to 200 characters."));
    }
}

fn check_rest(
    description: Option<&str>,
    tags: Option<&[String]>,
    input_params: Option<&Map<String, Value>>,
    mistakes: &mut Vec<FieldError>,
) {
    if description.is_some_and(|text| text.chars().count() > 10_000) {
        mistakes.push(FieldError::new(
            "/description",
            "length",
            "A description has at most 10,000 characters.",
        ));
    }
    let tags = tags.unwrap_or_default();
    if tags.len() > 50 {
        mistakes.push(FieldError::new("/tags", "too_many", "A workflow has at most 50 tags."));
    }
    for (i, _) in
        tags.iter().enumerate().filter(|(_, tag)| tag.trim().is_empty() || tag.chars().count() > 50).take(50)
    {
        mistakes.push(FieldError::new(format!("/tags/{i}"), "length", "A tag has 1 to 50 characters."));
    }
    for violation in input_params.map(engine::validate_input_params).unwrap_or_default() {
        mistakes.push(FieldError::new(
            format!("/input_params{}", violation.pointer),
            &violation.code,
            &violation.message,
        ));
    }
}
