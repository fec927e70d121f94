//! What teams may have at a time, read now and then instead of for each run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};

use crate::ports::{Clock, LimitPolicies, RunningLimits, StoreError};

/// How long an answer of the catalog is used.
const FRESH: TimeDelta = TimeDelta::seconds(60);

/// The limits of all teams as they were within the last minute.
pub struct KnownLimits {
    policies: Arc<dyn LimitPolicies>,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

struct Known {
    read_on: Timestamp,
    by_team: HashMap<TeamId, u32>,
}

impl KnownLimits {
    /// Nothing is known yet; the first question reads.
    pub fn new(policies: Arc<dyn LimitPolicies>, clock: Arc<dyn Clock>) -> Self {
        Self { policies, clock, known: Mutex::default() }
    }

    /// The team's limit, if what is known is still fresh.
    #[expect(clippy::option_option, reason = "that a team has no limit is known, or is not")]
    fn known(&self, team: TeamId, now: Timestamp) -> Option<Option<u32>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|known| now - known.read_on < FRESH)
            .map(|known| known.by_team.get(&team).copied())
    }
}

#[async_trait]
impl RunningLimits for KnownLimits {
    async fn max_running(&self, team: TeamId) -> Result<Option<u32>, StoreError> {
        let now = self.clock.now();
        if let Some(limit) = self.known(team, now) {
            return Ok(limit);
        }
        let limits = self.policies.limits().await?;
        let by_team: HashMap<_, _> =
            limits.into_iter().map(|limit| (limit.team_id, limit.max_running)).collect();
        let limit = by_team.get(&team).copied();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { read_on: now, by_team });
        Ok(limit)
    }
}
