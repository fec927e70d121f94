//! Limits of teams as a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use domain::TeamId;

use super::lock;
use crate::ports::{AtOnce, LimitPolicies, RunningLimit, StoreError};

/// Which teams are limited, and how often somebody asked.
#[derive(Debug, Default)]
pub struct MemoryLimits(Mutex<(BTreeMap<TeamId, AtOnce>, u32)>);

impl MemoryLimits {
    /// Limits the runs of a team.
    pub fn put(&self, team: TeamId, max_running: u32) {
        lock(&self.0).0.entry(team).or_default().runs = Some(max_running);
    }

    /// Limits the calls of a team.
    pub fn put_steps(&self, team: TeamId, max_running_steps: u32) {
        lock(&self.0).0.entry(team).or_default().steps = Some(max_running_steps);
    }

    /// How often somebody asked.
    pub fn requests(&self) -> u32 {
        lock(&self.0).1
    }
}

#[async_trait]
impl LimitPolicies for MemoryLimits {
    async fn limits(&self) -> Result<Vec<RunningLimit>, StoreError> {
        let mut held = lock(&self.0);
        held.1 += 1;
        Ok(held
            .0
            .iter()
            .map(|(team_id, at_once)| RunningLimit { team_id: *team_id, at_once: *at_once })
            .collect())
    }
}
