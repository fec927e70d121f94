//! Counters as a map.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::Timestamp;

use super::lock;
use crate::ports::{Clock, Count, Counters, StoreError, Window};

type Counted = HashMap<(String, i64, Timestamp), u64>;

/// Counts for as long as it lives.
pub struct MemoryCounters {
    clock: Arc<dyn Clock>,
    counted: Mutex<Counted>,
}

impl MemoryCounters {
    /// Nothing counted yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, counted: Mutex::default() }
    }
}

#[async_trait]
impl Counters for MemoryCounters {
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError> {
        let now = self.clock.now();
        let Window { length_s, ends_on } = Window::at(now, window);
        let mut counted = lock(&self.counted);
        counted.retain(|(_, _, ends_on), _| *ends_on > now);
        let count = counted.entry((key.to_owned(), length_s, ends_on)).or_default();
        *count += u64::from(n);
        Ok(Count { count: *count, ends_on })
    }
}
