//! Secrets Manager, read once per process.

use std::{collections::HashMap, sync::Arc};

use app::ports::StoreError;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use tokio::sync::{Mutex, OnceCell};

use crate::unavailable;

/// Values of secrets, each asked for once and then kept for the life of the process. Callers at the same time share one request;
/// a failed request is not kept. Never prints a value.
pub struct Secrets {
    client: Client,
    known: Mutex<HashMap<String, Arc<OnceCell<Arc<str>>>>>,
}

impl Secrets {
    /// Nothing is asked for yet.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { client: Client::new(sdk), known: Mutex::default() }
    }

    /// The secret's current text by ARN or name. `NotFound` where there is none, or it holds bytes.
    pub async fn secret_string(&self, id: &str) -> Result<Arc<str>, StoreError> {
        let cell = Arc::clone(self.known.lock().await.entry(id.to_owned()).or_default());
        cell.get_or_try_init(|| self.read(id)).await.cloned()
    }

    async fn read(&self, id: &str) -> Result<Arc<str>, StoreError> {
        match self.client.get_secret_value().secret_id(id).send().await {
            Ok(secret) => secret.secret_string.map(Arc::from).ok_or(StoreError::NotFound),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Err(StoreError::NotFound)
            }
            Err(error) => Err(unavailable("read a secret")(error)),
        }
    }
}
