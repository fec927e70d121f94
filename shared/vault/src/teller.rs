//! From where credentials are kept to where connectors read them.

use std::sync::Arc;

use app::ports::{
    DataKey, SECRET_CHANGED, SealedSecret, SealedSecrets, SecretCopies, StoreError, Teller, unavailable,
};
use async_trait::async_trait;
use domain::TeamId;
use serde_json::Value;

/// Makes a copy what the catalog has now, whatever the change was: telling twice, or late, or in another order comes to the same.
pub struct SecretTeller {
    kept: Arc<dyn SealedSecrets>,
    copies: Arc<dyn SecretCopies>,
}

impl SecretTeller {
    /// Copies what `kept` has to `copies`.
    pub fn new(kept: Arc<dyn SealedSecrets>, copies: Arc<dyn SecretCopies>) -> Self {
        Self { kept, copies }
    }
}

#[async_trait]
impl Teller for SecretTeller {
    fn kind(&self) -> &'static str {
        SECRET_CHANGED
    }

    async fn tell(&self, team: TeamId, order: i64, payload: &Value) -> Result<(), StoreError> {
        let name = payload["name"].as_str().ok_or("an entry without a name");
        let name = name.map_err(unavailable("tell of a secret"))?;
        match self.kept.sealed(team, name).await {
            Ok((secret, key)) => self.copies.put(team, order, &secret, &key).await,
            Err(StoreError::NotFound) => self.copies.remove(team, order, name).await,
            Err(error) => Err(error),
        }
    }
}

/// Where connectors read credentials where they are kept, as in one process: there is nothing to copy.
#[derive(Debug, Clone, Copy, Default)]
pub struct InPlace;

#[async_trait]
impl SecretCopies for InPlace {
    async fn put(&self, _: TeamId, _: i64, _: &SealedSecret, _: &DataKey) -> Result<(), StoreError> {
        Ok(())
    }

    async fn remove(&self, _: TeamId, _: i64, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}
