//! Answers as a map.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use domain::Timestamp;

use super::lock;
use crate::ports::{ANSWER_AWAITED, ANSWER_KEPT, Begun, KeptAnswer, KeptAnswers, StoreError};

/// Requests with what they came to, for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryAnswers(Mutex<HashMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    request: [u8; 32],
    answer: Option<KeptAnswer>,
    ends_on: Timestamp,
}

#[async_trait]
impl KeptAnswers for MemoryAnswers {
    async fn begin(&self, key: &str, request: [u8; 32], now: Timestamp) -> Result<Begun, StoreError> {
        let mut all = lock(&self.0);
        Ok(match all.get(key).filter(|kept| kept.ends_on > now) {
            Some(kept) if kept.request != request => Begun::Other,
            Some(Kept { answer: Some(answer), .. }) => Begun::Answered(answer.clone()),
            Some(_) => Begun::UnderWay,
            None => {
                all.insert(key.to_owned(), Kept { request, answer: None, ends_on: now + ANSWER_AWAITED });
                Begun::First
            }
        })
    }

    async fn keep(
        &self,
        key: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let kept = Kept { request, answer: Some(answer.clone()), ends_on: now + ANSWER_KEPT };
        lock(&self.0).insert(key.to_owned(), kept);
        Ok(())
    }

    async fn let_go(&self, key: &str, request: [u8; 32]) -> Result<(), StoreError> {
        lock(&self.0).retain(|known, kept| known != key || kept.request != request || kept.answer.is_some());
        Ok(())
    }
}
