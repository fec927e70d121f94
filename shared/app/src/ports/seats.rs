//! The port to who may act for which team.

use async_trait::async_trait;
use domain::{MemberId, Role, TeamId};
use serde_json::{Map, Value};

use super::StoreError;

/// Finds out which teams a person may act for, before any is known (TEN-03). Beside API keys the only source of a request's team.
#[async_trait]
pub trait Seats: Send + Sync {
    /// The teams of the person, the one that they joined first ahead; none for one who may not sign in.
    async fn seats(&self, member: MemberId) -> Result<Vec<Seat>, StoreError>;
}

/// A person's place in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The team.
    pub team_id: TeamId,
    /// What that is called.
    pub team_name: String,
    /// What they may do in it.
    pub role: Role,
    /// In what that differs for them (TEN-06).
    pub permissions: Map<String, Value>,
}
