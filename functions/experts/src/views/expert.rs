//! Experts as they are shown.

use catalog::{Expert, ExpertCounts};
use domain::{ExpertId, ExpertStatus, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Where an expert stands in its life (EXP-02).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExpertStatus)]
#[expect(dead_code, reason = "describes domain::ExpertStatus, which knows no OpenAPI")]
pub(crate) enum ExpertStatusDoc {
    Draft,
    Active,
    Archive,
    Historical,
}

/// An expert in a list (EXP-03, EXP-05).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpertSummary {
    #[schema(value_type = Uuid)]
    id: ExpertId,
    #[schema(example = "Order clerk")]
    name: String,
    #[schema(example = "gpt-4o-mini")]
    model_name: String,
    #[schema(value_type = ExpertStatusDoc)]
    status: ExpertStatus,
    /// Counts the edits; the `ETag`.
    #[schema(example = 3)]
    revision: i64,
    /// The expert that this is an earlier state of; null of an expert.
    #[schema(value_type = Option<Uuid>)]
    history_of: Option<ExpertId>,
    /// How many workflows it is attached to.
    #[schema(example = 2)]
    workflows: u64,
    /// How many services it is attached to.
    #[schema(example = 1)]
    services: u64,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl ExpertSummary {
    pub(crate) fn new(counts: ExpertCounts, expert: Expert) -> Self {
        Self {
            id: expert.id,
            name: expert.name,
            model_name: expert.model_name,
            status: expert.status,
            revision: expert.revision,
            history_of: expert.history_of,
            workflows: counts.workflows,
            services: counts.services,
            created_on: expert.created_on,
            updated_on: expert.updated_on,
        }
    }
}

/// An expert (EXP-01).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpertView {
    #[schema(value_type = Uuid)]
    id: ExpertId,
    #[schema(example = "Order clerk")]
    name: String,
    /// May hold `{{ }}` templates that read `input`, the parameters.
    #[schema(example = "Answer in {{ input.language }}.")]
    prompt: String,
    #[schema(example = "gpt-4o-mini")]
    model_name: String,
    #[schema(value_type = ExpertStatusDoc)]
    status: ExpertStatus,
    /// JSON Schema of the parameters.
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    #[schema(value_type = super::Settings)]
    settings: Map<String, Value>,
    /// Counts the edits; the `ETag`.
    #[schema(example = 3)]
    revision: i64,
    /// How many workflows it is attached to.
    #[schema(example = 2)]
    workflows: u64,
    /// How many services it is attached to.
    #[schema(example = 1)]
    services: u64,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl ExpertView {
    pub(crate) fn new(expert: Expert, counts: ExpertCounts) -> Self {
        Self {
            id: expert.id,
            name: expert.name,
            prompt: expert.prompt,
            model_name: expert.model_name,
            status: expert.status,
            input_params: expert.input_params,
            settings: expert.settings,
            revision: expert.revision,
            workflows: counts.workflows,
            services: counts.services,
            created_on: expert.created_on,
            updated_on: expert.updated_on,
        }
    }

    pub(crate) fn revision(&self) -> i64 {
        self.revision
    }
}

/// What an expert was (EXP-02).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EarlierState {
    #[schema(value_type = Uuid)]
    id: ExpertId,
    /// The expert.
    #[schema(value_type = Uuid)]
    history_of: Option<ExpertId>,
    /// The expert's revision then.
    #[schema(example = 3)]
    revision: i64,
    #[schema(value_type = ExpertStatusDoc)]
    status: ExpertStatus,
    #[schema(example = "Order clerk")]
    name: String,
    #[schema(example = "Answer in {{ input.language }}.")]
    prompt: String,
    #[schema(example = "gpt-4o-mini")]
    model_name: String,
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    #[schema(value_type = super::Settings)]
    settings: Map<String, Value>,
    /// Since when it was so.
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl From<Expert> for EarlierState {
    fn from(state: Expert) -> Self {
        Self {
            id: state.id,
            history_of: state.history_of,
            revision: state.revision,
            status: state.status,
            name: state.name,
            prompt: state.prompt,
            model_name: state.model_name,
            input_params: state.input_params,
            settings: state.settings,
            created_on: state.created_on,
            updated_on: state.updated_on,
        }
    }
}
