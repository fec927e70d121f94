//! The port to language models.

use async_trait::async_trait;

use super::StoreError;

/// Models of the providers that a deployment has. Which provider offers a model is the deployment's business.
///
/// A completion costs what its provider asks for its tokens. Nothing is tried again here: whoever asks knows whether it is worth it.
#[async_trait]
pub trait Models: Send + Sync {
    /// Asks a model once.
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError>;
}

/// A question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model's name, as its provider calls it.
    pub model: String,
    /// What it is told about itself; None if there is nothing but the message.
    pub system: Option<String>,
    /// What it is asked.
    pub message: String,
    /// 0, always the same, to 2; the provider's own choice where absent.
    pub temperature: Option<f64>,
    /// The longest answer.
    pub max_tokens: Option<u32>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The answer; empty where the model said nothing.
    pub text: String,
    /// The model that answered, which may be a dated one of the name that was asked for.
    pub model: String,
    /// Whether the answer ends where it does because it may be no longer.
    pub is_cut: bool,
    /// Tokens of the question, where the provider tells.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, where the provider tells.
    pub output_tokens: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No provider of the deployment offers the model.
    #[error("no provider offers the model")]
    NotOffered,
    /// The provider does not answer this question, and would not if it were asked again.
    #[error("the provider {provider} refused with {status}: {message}")]
    Refused {
        /// The provider.
        provider: String,
        /// Its status.
        status: u16,
        /// Its reason, cut to a few hundred characters; empty where it gives none.
        message: String,
    },
    /// The provider has no capacity for now, or too much was asked of it.
    #[error("the provider {provider} is busy")]
    Busy {
        /// The provider.
        provider: String,
    },
    /// The provider does not answer, or nobody knows which providers there are.
    #[error(transparent)]
    Store(#[from] StoreError),
}
