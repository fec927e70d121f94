//! The ports to the credentials of teams, as they are kept: sealed. `vault` seals and opens them.

use std::fmt;

use async_trait::async_trait;
use domain::{DataKeyId, TeamId, Timestamp, WorkflowId};
use uuid::Uuid;

use super::{Act, StoreError};

/// Gives out credentials together with the key that opens them, which is itself wrapped by the deployment's master key.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// The version in use of the team's credential of this name, and its key.
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError>;
}

/// Where credentials are kept for good. Each change of them is told by an entry of the [`Outbox`](super::Outbox) that is committed with it, of
/// the kind [`SECRET_CHANGED`].
#[async_trait]
pub trait SecretCatalog: SealedSecrets {
    /// Keeps a version of a credential, and answers when. `id` is its row's. A version that is there already is a
    /// [`Conflict`](StoreError::Conflict): what is sealed says which version it is, so that whoever lost seals again.
    async fn secret_insert(
        &self,
        team: TeamId,
        id: Uuid,
        secret: &SealedSecret,
        last4: &str,
        act: &Act,
    ) -> Result<Timestamp, StoreError>;

    /// Every version of the team's credentials, by name, the one in use first.
    async fn secret_list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError>;

    /// Forgets a credential with all its versions.
    async fn secret_delete(&self, team: TeamId, name: &str, act: &Act) -> Result<(), StoreError>;

    /// The team's workflows whose published version names this credential, with their names.
    async fn secret_users(&self, team: TeamId, name: &str) -> Result<Vec<(WorkflowId, String)>, StoreError>;

    /// Keeps a data key of the team, which is the one in use from then on.
    async fn data_key_insert(&self, team: TeamId, key: &DataKey) -> Result<(), StoreError>;

    /// All data keys of the team, the one in use first.
    async fn data_keys(&self, team: TeamId) -> Result<Vec<DataKey>, StoreError>;

    /// Keeps a data key in its new wrapping, if it is still wrapped by the master key `from`; else [`NotFound`](StoreError::NotFound),
    /// which somebody else saw to. Credentials stay as they are, though each that it opens counts as changed.
    async fn data_key_rewrap(&self, team: TeamId, key: &DataKey, from: &str) -> Result<(), StoreError>;

    /// The teams with data keys that are wrapped by another master key than this one.
    async fn teams_to_rewrap(&self, master_key_id: &str) -> Result<Vec<TeamId>, StoreError>;
}

/// The kind of an outbox entry that a credential has changed. Its payload is `{"name": …}`, and what it is now is to be looked up.
pub const SECRET_CHANGED: &str = "secret_changed";

/// Where those who use credentials read them, if that is another place than where they are kept.
#[async_trait]
pub trait SecretCopies: Send + Sync {
    /// Keeps the version in use. Changes nothing where something of a later `order` was kept.
    async fn put(
        &self,
        team: TeamId,
        order: i64,
        secret: &SealedSecret,
        key: &DataKey,
    ) -> Result<(), StoreError>;

    /// Forgets a credential, unless something of a later `order` was kept.
    async fn remove(&self, team: TeamId, order: i64, name: &str) -> Result<(), StoreError>;
}

/// A version of a credential under AES-256-GCM.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// What workflows call it: a letter, then at most 63 letters, digits and underscores.
    pub name: String,
    /// Counts from 1.
    pub version: u32,
    /// With its tag.
    pub ciphertext: Vec<u8>,
    /// Used with this key for nothing else.
    pub nonce: [u8; 12],
    /// The key.
    pub key_id: DataKeyId,
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret({} version {} by {})", self.name, self.version, self.key_id)
    }
}

/// A key of a team for its credentials, wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    /// Its id.
    pub id: DataKeyId,
    /// The key, encrypted by the master key, with its nonce ahead.
    pub wrapped: Vec<u8>,
    /// Which master key that is.
    pub master_key_id: String,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({} by {})", self.id, self.master_key_id)
    }
}

/// A version of a credential as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// What workflows call the credential.
    pub name: String,
    /// Counts from 1.
    pub version: u32,
    /// The last characters of what is in it, four at most.
    pub last4: String,
    /// When it was put.
    pub created_on: Timestamp,
}
