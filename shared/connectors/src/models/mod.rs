//! Language models of providers that speak the chat completions API of OpenAI, which most do: Anthropic, Mistral, Groq, vLLM,
//! Ollama.

mod chat;
mod provider;

use std::{sync::Arc, time::Duration};

use app::{
    KnownSecret,
    ports::{Clock, Completion, DeploymentSecrets, ModelError, Models, Prompt, StoreError, unavailable},
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::egress::{Egress, Request};
use provider::{Provider, Providers};

/// How long a model may take for all of its answer: API Gateway gives up on a request after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// As much of an answer is read.
const MOST_BYTES: usize = 4 * 1024 * 1024;

const ASK: &str = "ask a model";

/// [`Models`] of the providers that the secret `model-providers` names (docs/models.md).
pub struct ChatModels {
    egress: Egress,
    providers: KnownSecret<Providers>,
}

impl ChatModels {
    /// Over this client. Reads nothing yet.
    pub fn new(egress: Egress, secrets: Arc<dyn DeploymentSecrets>, clock: Arc<dyn Clock>) -> Self {
        Self { egress, providers: KnownSecret::reading(secrets, clock) }
    }

    fn request(&self, provider: &Provider, prompt: &Prompt) -> Result<Request, StoreError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &provider.api_key {
            let mut field = HeaderValue::try_from(format!("Bearer {key}")).map_err(unavailable(ASK))?;
            field.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, field);
        }
        let url = self.egress.confidential(&provider.completions()).map_err(unavailable(ASK))?;
        let body = serde_json::to_vec(&chat::question(prompt)).map_err(unavailable(ASK))?;
        Ok(Request { method: Method::POST, url, headers, body: body.into() })
    }

    async fn exchange(&self, request: Request) -> Result<(StatusCode, Bytes), StoreError> {
        let response = self.egress.send_straight(request, PATIENCE).await.map_err(unavailable(ASK))?;
        let status = response.status();
        Ok((status, response.bytes(MOST_BYTES).await.map_err(unavailable(ASK))?))
    }
}

#[async_trait]
impl Models for ChatModels {
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        let providers = self.providers.get().await?;
        let provider = providers.of(&prompt.model).ok_or(ModelError::NotOffered)?;
        let (status, body) = self.exchange(self.request(provider, prompt)?).await?;
        let named = || provider.name.clone();
        match status {
            StatusCode::OK => Ok(chat::answer(&body, &prompt.model).map_err(unavailable(ASK))?),
            StatusCode::TOO_MANY_REQUESTS => Err(ModelError::Busy { provider: named() }),
            _ if status.is_server_error() => {
                Err(unavailable(ASK)(format!("{} answered {}", provider.name, status.as_u16())).into())
            }
            _ => Err(ModelError::Refused {
                provider: named(),
                status: status.as_u16(),
                message: chat::reason(&body),
            }),
        }
    }
}
