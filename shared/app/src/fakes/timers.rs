//! Timers as a map.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use domain::Timestamp;

use super::lock;
use crate::ports::{Clock, Fired, Name, StoreError, Timer, TimerSink, Timers};

/// Keeps timers until a test lets them fire.
pub struct MemoryTimers {
    clock: Arc<dyn Clock>,
    waiting: Mutex<BTreeMap<Name, (Timestamp, Timer)>>,
}

impl MemoryTimers {
    /// No timers yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    /// Delivers what is due.
    pub async fn fire_due(&self, sink: &dyn TimerSink) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_due = |(due_on, _): &&(Timestamp, Timer)| *due_on <= now;
        let due: Vec<_> = lock(&self.waiting).values().filter(is_due).cloned().collect();
        for (due_on, timer) in due {
            sink.fired(&Fired { timer: timer.name.clone(), due_on, message: timer.message.clone() }).await?;
            match timer.due.next(now) {
                Some(next) => lock(&self.waiting).insert(timer.name.clone(), (next, timer)),
                None => lock(&self.waiting).remove(&timer.name),
            };
        }
        Ok(())
    }
}

#[async_trait]
impl Timers for MemoryTimers {
    async fn put(&self, timer: &Timer) -> Result<(), StoreError> {
        match timer.due.first(self.clock.now()) {
            Some(due_on) => lock(&self.waiting).insert(timer.name.clone(), (due_on, timer.clone())),
            None => lock(&self.waiting).remove(&timer.name),
        };
        Ok(())
    }

    async fn delete(&self, name: &Name) -> Result<(), StoreError> {
        lock(&self.waiting).remove(name);
        Ok(())
    }
}

/// Keeps what fired until a test takes it.
#[derive(Debug, Default)]
pub struct MemorySink(Mutex<Vec<Fired>>);

impl MemorySink {
    /// Everything that fired since the last call, in order.
    pub fn take(&self) -> Vec<Fired> {
        std::mem::take(&mut lock(&self.0))
    }
}

#[async_trait]
impl TimerSink for MemorySink {
    async fn fired(&self, fired: &Fired) -> Result<(), StoreError> {
        lock(&self.0).push(fired.clone());
        Ok(())
    }
}
