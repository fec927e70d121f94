//! An expert that is tried out (EXP-08).

use app::ports::{Completion, Prompt};
use catalog::Expert;
use chrono::TimeDelta;
use domain::FieldError;
use engine::expr::Entropy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, from_value};
use utoipa::ToSchema;

use super::{Settings, render::Rendered};

/// The most characters of a message.
const MESSAGE_MAX: usize = 100_000;

/// What to try an expert with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestExpert {
    /// What the prompt reads as `input`.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"mood": "kind"}))]
    params: Map<String, Value>,
    /// What somebody says to the expert. Without it the prompt itself is the question.
    #[schema(min_length = 1, max_length = 100_000, example = "Where is my parcel?")]
    message: Option<String>,
}

impl TestExpert {
    /// What to ask the expert's model, or every reason why that makes no sense.
    pub(crate) fn prompt(self, expert: &Expert, entropy: Entropy) -> Result<Prompt, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let length = self.message.as_deref().map(|message| message.chars().count());
        if length.is_some_and(|length| !(1..=MESSAGE_MAX).contains(&length)) {
            mistakes.push(FieldError::new("/message", "length", "A message has 1 to 100,000 characters."));
        }
        let text = Rendered::of(expert, self.params, entropy).complete().map_err(|found| {
            mistakes.extend(found);
        });
        match (text, self.message) {
            (Ok(text), message) if mistakes.is_empty() => Ok(asked(expert, text, message)),
            _ => Err(mistakes),
        }
    }
}

/// The prompt tells the model who it is, and the message is what it is asked; a prompt without a message is the question.
fn asked(expert: &Expert, text: String, message: Option<String>) -> Prompt {
    let settings: Settings = from_value(Value::Object(expert.settings.clone())).unwrap_or_default();
    let (temperature, max_tokens) = settings.sampling();
    let (system, message) = match message {
        Some(message) => (Some(text).filter(|text| !text.is_empty()), message),
        None => (None, text),
    };
    Prompt { model: expert.model_name.clone(), system, message, temperature, max_tokens }
}

/// What an expert answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tested {
    /// The answer.
    #[schema(example = "Let me look that up for you.")]
    text: String,
    /// The model that answered, as its provider names it.
    #[schema(example = "gpt-5-mini-2026-05-01")]
    model: String,
    /// Whether the answer ends where it does because `max_tokens` were used up.
    is_cut: bool,
    /// What the model was told: the prompt with its parameters put in.
    #[schema(example = "Be kind.")]
    prompt: String,
    usage: Usage,
    /// How long the answer took.
    #[schema(example = 840)]
    latency_ms: i64,
}

/// What an answer took, as far as its provider tells.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Usage {
    #[schema(example = 21)]
    input_tokens: Option<u64>,
    #[schema(example = 9)]
    output_tokens: Option<u64>,
}

impl Tested {
    pub(crate) fn new(prompt: Prompt, answer: Completion, took: TimeDelta) -> Self {
        Self {
            text: answer.text,
            model: answer.model,
            is_cut: answer.is_cut,
            prompt: prompt.system.unwrap_or(prompt.message),
            usage: Usage { input_tokens: answer.input_tokens, output_tokens: answer.output_tokens },
            latency_ms: took.num_milliseconds(),
        }
    }
}
