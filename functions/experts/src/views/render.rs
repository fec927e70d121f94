//! A prompt with its parameters put in (EXP-09).

use catalog::Expert;
use domain::FieldError;
use engine::expr::{Entropy, Preview, Scope, Template, Unfilled};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What to render a prompt with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"params": {"language": "English"}}))]
pub(crate) struct RenderPrompt {
    /// What the prompt reads as `input`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) params: Map<String, Value>,
}

/// A prompt as a model would be told it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"text": "Answer in English.", "unfilled": [], "mismatches": []}))]
pub(crate) struct Rendered {
    /// The text. A place that could not be filled stands there as it is written.
    #[schema(example = "Answer in English.")]
    text: String,
    /// The places that could not be filled, in their order.
    unfilled: Vec<UnfilledView>,
    /// Where the parameters break the expert's `input_params`.
    #[schema(value_type = Vec<Object>)]
    mismatches: Vec<FieldError>,
}

/// A place that could not be filled.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnfilledView {
    /// What stands between its braces.
    #[schema(example = "input.language")]
    expression: String,
    /// Where that begins, in characters of the prompt.
    #[schema(example = 13)]
    offset: usize,
    /// `missing` where the expression gives nothing, else the code of its failure.
    #[schema(example = "missing_field")]
    code: String,
    /// A sentence for people.
    #[schema(example = "There is no language.")]
    detail: String,
}

impl Rendered {
    /// The text, or every reason why it is not whole.
    pub(super) fn complete(self) -> Result<String, Vec<FieldError>> {
        let unfilled = self.unfilled.into_iter().map(UnfilledView::mistake);
        let mistakes: Vec<_> = self.mismatches.into_iter().chain(unfilled).collect();
        if mistakes.is_empty() { Ok(self.text) } else { Err(mistakes) }
    }

    /// The prompt of `expert` with `params`.
    pub(crate) fn of(expert: &Expert, params: Map<String, Value>, entropy: Entropy) -> Self {
        let params = Value::Object(params);
        let found = engine::validate_inputs(&expert.input_params, &params).into_iter();
        let mismatches = found.map(|violation| {
            FieldError::new(format!("/params{}", violation.pointer), &violation.code, &violation.message)
        });
        let Preview { text, unfilled } = preview(&expert.prompt, &params, entropy);
        let unfilled = unfilled.into_iter().map(UnfilledView::from).collect();
        Self { text, unfilled, mismatches: mismatches.collect() }
    }
}

/// A prompt that is no template, kept before prompts were checked, stands for itself with its mistake named.
fn preview(prompt: &str, params: &Value, entropy: Entropy) -> Preview {
    let nothing = Value::Object(Map::new());
    match Template::parse(prompt) {
        Ok(template) => template.preview(&Scope::new(Some(params), &nothing, entropy)),
        Err(error) => {
            let offset = error.offset.unwrap_or_default();
            let unfilled = vec![Unfilled { expression: prompt.to_owned(), offset, error: Some(error) }];
            Preview { text: prompt.to_owned(), unfilled }
        }
    }
}

impl UnfilledView {
    /// As a mistake in the parameters.
    fn mistake(self) -> FieldError {
        let detail = format!("`{}` can't be filled: {}", self.expression, self.detail);
        FieldError::new("/params", &self.code, &detail)
    }
}

impl From<Unfilled> for UnfilledView {
    fn from(place: Unfilled) -> Self {
        let (code, detail) = match place.error {
            None => ("missing".to_owned(), "The parameters have nothing for this place.".to_owned()),
            Some(error) => (error.code, error.message),
        };
        Self { expression: place.expression, offset: place.offset, code, detail }
    }
}
