//! Secrets as a map.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::lock;
use crate::ports::{DeploymentSecrets, Name, StoreError};

/// Secrets for as long as it lives. A clone is another user of the same ones.
#[derive(Clone, Default)]
pub struct MemorySecrets(Arc<Mutex<HashMap<Name, Arc<str>>>>);

impl MemorySecrets {
    /// Replaces a secret, as the one who deploys would.
    pub fn replace(&self, name: &Name, text: &str) {
        lock(&self.0).insert(name.clone(), text.into());
    }
}

#[async_trait]
impl DeploymentSecrets for MemorySecrets {
    async fn read(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        lock(&self.0).get(name).cloned().ok_or(StoreError::NotFound)
    }

    async fn read_again(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        self.read(name).await
    }

    async fn create_if_absent(&self, name: &Name, text: &str) -> Result<Arc<str>, StoreError> {
        Ok(Arc::clone(lock(&self.0).entry(name.clone()).or_insert_with(|| text.into())))
    }
}
