//! The credentials and the outbox of a [`LazyCatalog`].

use app::ports::{Act, DataKey, Outbox, SealedSecret, SecretCatalog, SecretVersion, StoreError, Taken};
use async_trait::async_trait;
use domain::{TeamId, Timestamp, WorkflowId};
use uuid::Uuid;

use crate::LazyCatalog;

#[async_trait]
impl SecretCatalog for LazyCatalog {
    async fn secret_insert(
        &self,
        team: TeamId,
        id: Uuid,
        secret: &SealedSecret,
        last4: &str,
        act: &Act,
    ) -> Result<Timestamp, StoreError> {
        self.get().await?.secret_insert(team, id, secret, last4, act).await
    }

    async fn secret_list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError> {
        self.get().await?.secret_list(team).await
    }

    async fn secret_delete(&self, team: TeamId, name: &str, act: &Act) -> Result<(), StoreError> {
        self.get().await?.secret_delete(team, name, act).await
    }

    async fn secret_users(&self, team: TeamId, name: &str) -> Result<Vec<(WorkflowId, String)>, StoreError> {
        self.get().await?.secret_users(team, name).await
    }

    async fn data_key_insert(&self, team: TeamId, key: &DataKey) -> Result<(), StoreError> {
        self.get().await?.data_key_insert(team, key).await
    }

    async fn data_keys(&self, team: TeamId) -> Result<Vec<DataKey>, StoreError> {
        self.get().await?.data_keys(team).await
    }

    async fn data_key_rewrap(&self, team: TeamId, key: &DataKey, from: &str) -> Result<(), StoreError> {
        self.get().await?.data_key_rewrap(team, key, from).await
    }

    async fn teams_to_rewrap(&self, master_key_id: &str) -> Result<Vec<TeamId>, StoreError> {
        self.get().await?.teams_to_rewrap(master_key_id).await
    }
}

#[async_trait]
impl Outbox for LazyCatalog {
    async fn outbox_due(&self, limit: u32) -> Result<Vec<(TeamId, String)>, StoreError> {
        self.get().await?.outbox_due(limit).await
    }

    async fn outbox_take(&self, team: TeamId, kind: &str) -> Result<Taken, StoreError> {
        self.get().await?.outbox_take(team, kind).await
    }

    async fn outbox_told(&self, team: TeamId, ids: &[Uuid]) -> Result<(), StoreError> {
        self.get().await?.outbox_told(team, ids).await
    }

    async fn outbox_failed(&self, team: TeamId, ids: &[Uuid], error: &str) -> Result<(), StoreError> {
        self.get().await?.outbox_failed(team, ids, error).await
    }
}
