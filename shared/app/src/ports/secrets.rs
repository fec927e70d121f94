//! The port to the deployment's own secrets: keys that sign, peppers, passwords. Teams' secrets are rows of the catalog.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Name, StoreError};

/// Secrets by name. Implementations never print a value.
///
/// On AWS a read is one request to Secrets Manager ($0.05 per 10,000; $0.40 a secret and month), once in the life of a process; a
/// creation is one request, and one more where the secret was there.
#[async_trait]
pub trait DeploymentSecrets: Send + Sync {
    /// The secret's text; [`StoreError::NotFound`] where there is none. An implementation may keep what it has read, so that a
    /// secret that was replaced is seen by the next process.
    async fn read(&self, name: &Name) -> Result<Arc<str>, StoreError>;

    /// As [`read`](Self::read), and asks the store whatever was kept before.
    async fn read_again(&self, name: &Name) -> Result<Arc<str>, StoreError>;

    /// Stores `text` (1 to 65,536 bytes) unless the secret exists, and answers the text that is stored: of several creators one
    /// wins, and all get the winner's. Durable when it returns.
    async fn create_if_absent(&self, name: &Name, text: &str) -> Result<Arc<str>, StoreError>;
}
