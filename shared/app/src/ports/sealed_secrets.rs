//! The port to the credentials of teams, as they are kept: sealed.

use std::fmt;

use async_trait::async_trait;
use domain::{DataKeyId, TeamId};

use super::StoreError;

/// Gives out credentials together with the key that opens them, which is itself wrapped by the deployment's master key.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// The version in use of the team's credential of this name, and its key.
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError>;
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
