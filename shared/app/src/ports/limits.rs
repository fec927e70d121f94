//! The port to what teams may have at a time.

use async_trait::async_trait;
use domain::TeamId;

use super::StoreError;

/// Which teams are limited. A team of which nothing is said is not.
#[async_trait]
pub trait LimitPolicies: Send + Sync {
    /// Every team that is. They are few, so that all are read at once.
    async fn limits(&self) -> Result<Vec<RunningLimit>, StoreError>;
}

/// How many runs a team may have under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningLimit {
    /// The team.
    pub team_id: TeamId,
    /// From 1 to [`MOST_RUNNING`](super::MOST_RUNNING).
    pub max_running: u32,
}

/// How many runs a team may have under way, asked of each run that is accepted.
#[async_trait]
pub trait RunningLimits: Send + Sync {
    /// None if it may have any number. An answer may be a minute old.
    async fn max_running(&self, team: TeamId) -> Result<Option<u32>, StoreError>;
}

/// No team is limited: for one machine that works for one person.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl RunningLimits for Unlimited {
    async fn max_running(&self, _team: TeamId) -> Result<Option<u32>, StoreError> {
        Ok(None)
    }
}
