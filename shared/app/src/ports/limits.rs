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

/// What a team is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningLimit {
    /// The team.
    pub team_id: TeamId,
    /// To how much.
    pub at_once: AtOnce,
}

/// How much a team may have under way; with None any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AtOnce {
    /// Runs, from 1 to [`MOST_RUNNING`](super::MOST_RUNNING).
    pub runs: Option<u32>,
    /// Calls of all its runs, from 1 to [`MOST_STEPS`](super::MOST_STEPS).
    pub steps: Option<u32>,
}

/// How much a team may have under way, asked of each run that is accepted.
#[async_trait]
pub trait RunningLimits: Send + Sync {
    /// What the team may have. An answer may be a minute old.
    async fn at_once(&self, team: TeamId) -> Result<AtOnce, StoreError>;
}

/// No team is limited: for one machine that works for one person.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl RunningLimits for Unlimited {
    async fn at_once(&self, _team: TeamId) -> Result<AtOnce, StoreError> {
        Ok(AtOnce::default())
    }
}
