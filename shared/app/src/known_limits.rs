//! What teams may have at a time, read now and then instead of for each run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};

use crate::ports::{AtOnce, Clock, LimitPolicies, RunningLimits, StoreError};

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
    by_team: HashMap<TeamId, AtOnce>,
}

impl KnownLimits {
    /// Nothing is known yet; the first question reads.
    pub fn new(policies: Arc<dyn LimitPolicies>, clock: Arc<dyn Clock>) -> Self {
        Self { policies, clock, known: Mutex::default() }
    }

    /// The team's limits, if what is known is still fresh.
    fn known(&self, team: TeamId, now: Timestamp) -> Option<AtOnce> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|known| now - known.read_on < FRESH)
            .map(|known| known.by_team.get(&team).copied().unwrap_or_default())
    }
}

#[async_trait]
impl RunningLimits for KnownLimits {
    async fn at_once(&self, team: TeamId) -> Result<AtOnce, StoreError> {
        let now = self.clock.now();
        if let Some(limits) = self.known(team, now) {
            return Ok(limits);
        }
        let limits = self.policies.limits().await?;
        let by_team: HashMap<_, _> = limits.into_iter().map(|limit| (limit.team_id, limit.at_once)).collect();
        let limits = by_team.get(&team).copied().unwrap_or_default();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { read_on: now, by_team });
        Ok(limits)
    }
}
