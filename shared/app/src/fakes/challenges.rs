//! Challenges as a map.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use domain::Timestamp;
use uuid::Uuid;

use super::lock;
use crate::ports::{Challenge, Challenges, StoreError};

/// Challenges, each with the tries that were counted, for as long as it lives.
#[derive(Default)]
pub struct MemoryChallenges(Mutex<HashMap<String, (Challenge, u32)>>);

#[async_trait]
impl Challenges for MemoryChallenges {
    async fn put(&self, key: &str, challenge: &Challenge) -> Result<(), StoreError> {
        lock(&self.0).insert(key.to_owned(), (challenge.clone(), 0));
        Ok(())
    }

    async fn attempt(&self, key: &str, most: u32, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let mut challenges = lock(&self.0);
        let open =
            challenges.get_mut(key).filter(|(challenge, tries)| *tries < most && challenge.expires_at > now);
        Ok(open.map(|(challenge, tries)| {
            *tries += 1;
            challenge.clone()
        }))
    }

    async fn take(&self, key: &str, id: Uuid) -> Result<bool, StoreError> {
        let mut challenges = lock(&self.0);
        let is_there = challenges.get(key).is_some_and(|(challenge, _)| challenge.id == id);
        Ok(is_there && challenges.remove(key).is_some())
    }
}
