//! The port to API keys.

use async_trait::async_trait;
use domain::{Environment, ServiceId, TeamId};

use super::StoreError;

/// Finds out which service an API key belongs to (KEY-02, KEY-04).
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// The service whose current key has this SHA-256, compared in constant time. None if there is none.
    async fn service_by_key(&self, key_sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError>;
}

/// A service that showed a valid key. The only source of a request's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceCaller {
    /// The team that it acts for.
    pub team_id: TeamId,
    /// The service.
    pub service_id: ServiceId,
    /// The environment its key is for.
    pub environment: Environment,
}
