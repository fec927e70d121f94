//! Who waits for which run, within this process.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::ports::RunEnds;
use async_trait::async_trait;
use domain::RunId;
use tokio::{sync::Notify, time::timeout};

/// How many ends are remembered for those who ask a little late. A start asks within milliseconds.
const REMEMBERED: usize = 4096;

/// Tells of the runs that end in this process. What ends in another one is found by looking, after the caller's pause.
#[derive(Debug, Default)]
pub struct LocalRunEnds(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ended: HashSet<RunId>,
    oldest_first: VecDeque<RunId>,
    waiting: HashMap<RunId, Arc<Notify>>,
}

impl LocalRunEnds {
    /// Wakes all who wait for the run.
    pub(crate) fn has_ended(&self, run: RunId) {
        let mut known = self.known();
        if known.ended.insert(run) {
            known.oldest_first.push_back(run);
        }
        if known.oldest_first.len() > REMEMBERED
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.ended.remove(&oldest);
        }
        if let Some(waiting) = known.waiting.remove(&run) {
            waiting.notify_waiters();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to wait for; None if the run has ended.
    fn end_of(&self, run: RunId) -> Option<Arc<Notify>> {
        let mut known = self.known();
        if known.ended.contains(&run) {
            None
        } else {
            Some(Arc::clone(known.waiting.entry(run).or_default()))
        }
    }

    /// Forgets a run that nobody but the caller waits for.
    fn leave(&self, run: RunId) {
        let mut known = self.known();
        if known.waiting.get(&run).is_some_and(|waiting| Arc::strong_count(waiting) <= 2) {
            known.waiting.remove(&run);
        }
    }
}

#[async_trait]
impl RunEnds for LocalRunEnds {
    async fn ended(&self, run: RunId, at_most: Duration) {
        let Some(end) = self.end_of(run) else { return };
        let notified = end.notified();
        tokio::pin!(notified);
        // Counted as waiting before looking again: an end in between is seen by one of the two.
        notified.as_mut().enable();
        if self.known().ended.contains(&run) {
            return;
        }
        let _ = timeout(at_most, notified).await;
        self.leave(run);
    }
}
