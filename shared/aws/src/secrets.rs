//! Secrets Manager, read once per process.

use std::{collections::HashMap, sync::Arc};

use app::ports::{DeploymentSecrets, Name, StoreError, unavailable};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{
    Client,
    operation::{create_secret::CreateSecretError, get_secret_value::GetSecretValueError},
};
use tokio::sync::{Mutex, OnceCell};

const CREATE: &str = "create a secret";

type Cell = Arc<OnceCell<Arc<str>>>;

/// Values of secrets, each asked for once and then kept for the life of the process. Callers at the same time share one request;
/// a failed request is not kept. Never prints a value.
pub struct Secrets {
    client: Client,
    prefix: String,
    known: Mutex<HashMap<String, Cell>>,
}

impl Secrets {
    /// Nothing is asked for yet.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self::under(sdk, "")
    }

    /// Secrets whose names in the account begin with `prefix`, such as `heddle-prod/`, which keeps deployments in one account apart.
    pub fn under(sdk: &SdkConfig, prefix: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), prefix: prefix.into(), known: Mutex::default() }
    }

    /// The secret's current text by ARN or by its name in the account. `NotFound` where there is none, or it holds bytes.
    pub async fn secret_string(&self, id: &str) -> Result<Arc<str>, StoreError> {
        let cell = self.cell(id).await;
        cell.get_or_try_init(|| self.get(id)).await.cloned()
    }

    async fn cell(&self, id: &str) -> Cell {
        Arc::clone(self.known.lock().await.entry(id.to_owned()).or_default())
    }

    async fn get(&self, id: &str) -> Result<Arc<str>, StoreError> {
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

    /// Creates the secret, or reads the one that is there.
    async fn create(&self, id: &str, text: &str) -> Result<Arc<str>, StoreError> {
        match self.client.create_secret().name(id).secret_string(text).send().await {
            Ok(_) => Ok(text.into()),
            Err(error)
                if error.as_service_error().is_some_and(CreateSecretError::is_resource_exists_exception) =>
            {
                match self.get(id).await {
                    // It holds bytes, or was deleted just now.
                    Err(StoreError::NotFound) => Err(unavailable(CREATE)(error)),
                    answer => answer,
                }
            }
            Err(error) => Err(unavailable(CREATE)(error)),
        }
    }
}

#[async_trait]
impl DeploymentSecrets for Secrets {
    async fn read(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        self.secret_string(&format!("{}{name}", self.prefix)).await
    }

    async fn read_again(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        let id = format!("{}{name}", self.prefix);
        let text = self.get(&id).await?;
        self.known.lock().await.insert(id, Arc::new(OnceCell::new_with(Some(Arc::clone(&text)))));
        Ok(text)
    }

    async fn create_if_absent(&self, name: &Name, text: &str) -> Result<Arc<str>, StoreError> {
        let id = format!("{}{name}", self.prefix);
        let cell = self.cell(&id).await;
        cell.get_or_try_init(|| self.create(&id, text)).await.cloned()
    }
}
