//! The port to what is in the credentials of teams, for those who make calls with them and for nobody else.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use domain::TeamId;
use zeroize::Zeroizing;

use super::StoreError;

/// Opens credentials (SCR-02).
#[async_trait]
pub trait TeamSecrets: Send + Sync {
    /// What is in the team's credential of this name; [`StoreError::NotFound`] where it has none.
    async fn open(&self, team: TeamId, name: &str) -> Result<Arc<SecretValue>, StoreError>;
}

/// What is in a credential. Is not printed, and is wiped from memory when it is no longer used.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Takes a text in.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the request it is needed for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue")
    }
}
