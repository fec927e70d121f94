//! Exported files as a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use domain::TeamId;

use super::lock;
use crate::ports::{Exports, StoreError};

/// Keeps files for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryExports(Mutex<BTreeMap<(TeamId, String), Vec<u8>>>);

impl MemoryExports {
    /// The names of the team's files, in order.
    pub fn names(&self, team: TeamId) -> Vec<String> {
        let files = lock(&self.0);
        files.keys().filter(|(owner, _)| *owner == team).map(|(_, name)| name.clone()).collect()
    }
}

#[async_trait]
impl Exports for MemoryExports {
    async fn put_export(&self, team: TeamId, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        lock(&self.0).insert((team, name.to_owned()), bytes);
        Ok(())
    }

    async fn export(&self, team: TeamId, name: &str) -> Result<Vec<u8>, StoreError> {
        lock(&self.0).get(&(team, name.to_owned())).cloned().ok_or(StoreError::NotFound)
    }
}
