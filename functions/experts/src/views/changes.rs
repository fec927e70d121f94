//! Experts as clients write them.

use catalog::{ExpertPatch, NewExpert};
use domain::{ExpertId, ExpertStatus, FieldError};
use engine::expr::Template;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Settings, expert::ExpertStatusDoc};

/// The most expressions in a prompt: each may take its time.
const MOST_PLACES: usize = 100;

/// An expert to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Order clerk",
    "prompt": "Answer in {{ input.language }}.",
    "model_name": "gpt-4o-mini",
    "input_params": {"type": "object", "properties": {"language": {"type": "string"}}},
    "settings": {"temperature": 0.2},
}))]
pub(crate) struct CreateExpert {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Order clerk")]
    name: String,
    /// At most 100,000 characters; may hold `{{ }}` templates that read `input`, the parameters.
    #[serde(default)]
    #[schema(max_length = 100_000, example = "Answer in {{ input.language }}.")]
    prompt: String,
    /// The model that answers; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "gpt-4o-mini")]
    model_name: String,
    /// `draft` where absent, or `active`.
    #[schema(value_type = Option<ExpertStatusDoc>)]
    status: Option<ExpertStatus>,
    /// JSON Schema of the parameters; `{}` takes anything.
    #[serde(default)]
    #[schema(value_type = Object)]
    input_params: Map<String, Value>,
    /// How it answers.
    #[serde(default)]
    pub(crate) settings: Settings,
}

impl CreateExpert {
    /// The expert that is meant, or every mistake.
    pub(crate) fn check(self, id: ExpertId) -> Result<NewExpert, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let status = self.status.unwrap_or(ExpertStatus::Draft);
        if !matches!(status, ExpertStatus::Draft | ExpertStatus::Active) {
            mistakes.push(FieldError::new("/status", "wrong_status", "An expert begins as draft or active."));
        }
        check_name("/name", &self.name, &mut mistakes);
        check_name("/model_name", &self.model_name, &mut mistakes);
        check_prompt(&self.prompt, &mut mistakes);
        check_params(&self.input_params, &mut mistakes);
        self.settings.check(&mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Self { name, prompt, model_name, input_params, settings, .. } = self;
        Ok(NewExpert { id, name, prompt, model_name, status, input_params, settings: settings.into_map() })
    }
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"prompt": "Answer briefly, in {{ input.language }}.", "status": "active"}))]
pub(crate) struct UpdateExpert {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Order clerk")]
    name: Option<String>,
    /// At most 100,000 characters.
    #[schema(max_length = 100_000, example = "Answer briefly, in {{ input.language }}.")]
    prompt: Option<String>,
    /// The model that answers.
    #[schema(min_length = 1, max_length = 200)]
    model_name: Option<String>,
    /// Moves on: `draft`, `active`, `archive`.
    #[schema(value_type = Option<ExpertStatusDoc>)]
    status: Option<ExpertStatus>,
    /// JSON Schema of the parameters.
    #[schema(value_type = Option<Object>)]
    input_params: Option<Map<String, Value>>,
    /// How it answers; all of it.
    settings: Option<Settings>,
}

impl UpdateExpert {
    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// The change that is meant of an expert in status `present`, or every mistake.
    pub(crate) fn check(self, present: ExpertStatus) -> Result<ExpertPatch, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        if let Some(name) = &self.name {
            check_name("/name", name, &mut mistakes);
        }
        if let Some(name) = &self.model_name {
            check_name("/model_name", name, &mut mistakes);
        }
        if let Some(prompt) = &self.prompt {
            check_prompt(prompt, &mut mistakes);
        }
        if let Some(status) = self.status {
            check_move(present, status, &mut mistakes);
        }
        if let Some(params) = &self.input_params {
            check_params(params, &mut mistakes);
        }
        if let Some(settings) = &self.settings {
            settings.check(&mut mistakes);
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Self { name, prompt, model_name, status, input_params, settings } = self;
        let settings = settings.map(Settings::into_map);
        Ok(ExpertPatch { name, prompt, model_name, status, input_params, settings })
    }
}

fn check_name(pointer: &str, name: &str, mistakes: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > 200 {
        mistakes.push(FieldError::new(pointer, "length", "A name has 1 to 200 characters."));
    }
}

fn check_prompt(prompt: &str, mistakes: &mut Vec<FieldError>) {
    if prompt.chars().count() > 100_000 {
        mistakes.push(FieldError::new("/prompt", "length", "A prompt has at most 100,000 characters."));
        return;
    }
    match Template::parse(prompt) {
        Err(error) => {
            let offset = error.offset;
            mistakes.push(FieldError { offset, ..FieldError::new("/prompt", &error.code, &error.message) });
        }
        Ok(template) if template.places() > MOST_PLACES => {
            mistakes.push(FieldError::new("/prompt", "too_many", "A prompt has at most 100 expressions."));
        }
        Ok(template) => {
            let refuse = |name: String| {
                let detail = format!("A model is told the prompt, and may not be told `secret.{name}`.");
                FieldError::new("/prompt", "secret_not_allowed", &detail)
            };
            mistakes.extend(template.reads().secrets.into_iter().map(refuse));
        }
    }
}

fn check_move(from: ExpertStatus, to: ExpertStatus, mistakes: &mut Vec<FieldError>) {
    use ExpertStatus::{Active, Archive, Draft};
    if from != to && !matches!((from, to), (Draft, Active) | (Active, Archive)) {
        let detail = "The status moves on from draft to active, and from active to archive.";
        mistakes.push(FieldError::new("/status", "wrong_status", detail));
    }
}

fn check_params(input_params: &Map<String, Value>, mistakes: &mut Vec<FieldError>) {
    for violation in engine::validate_input_params(input_params) {
        let pointer = format!("/input_params{}", violation.pointer);
        mistakes.push(FieldError::new(&pointer, &violation.code, &violation.message));
    }
}
