//! Limits of teams as a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use domain::TeamId;

use super::lock;
use crate::ports::{LimitPolicies, RunningLimit, StoreError};

/// Which teams are limited, and how often somebody asked.
#[derive(Debug, Default)]
pub struct MemoryLimits(Mutex<(BTreeMap<TeamId, u32>, u32)>);

impl MemoryLimits {
    /// Limits a team.
    pub fn put(&self, team: TeamId, max_running: u32) {
        lock(&self.0).0.insert(team, max_running);
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
            .map(|(team_id, max_running)| RunningLimit { team_id: *team_id, max_running: *max_running })
            .collect())
    }
}
