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
    fn end_of(&self, run: RunId) -> Option<Waiting<'_>> {
        let mut known = self.known();
        if known.ended.contains(&run) {
            return None;
        }
        let end = Arc::clone(known.waiting.entry(run).or_default());
        Some(Waiting { ends: self, run, end })
    }
}

/// One who waits. Dropped, also in the middle of waiting, it leaves nothing behind that nobody else waits for.
struct Waiting<'a> {
    ends: &'a LocalRunEnds,
    run: RunId,
    end: Arc<Notify>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut known = self.ends.known();
        // The map's own and ours.
        if known
            .waiting
            .get(&self.run)
            .is_some_and(|end| Arc::ptr_eq(end, &self.end) && Arc::strong_count(end) <= 2)
        {
            known.waiting.remove(&self.run);
        }
    }
}

#[async_trait]
impl RunEnds for LocalRunEnds {
    async fn ended(&self, run: RunId, at_most: Duration) {
        let Some(waiting) = self.end_of(run) else { return };
        let notified = waiting.end.notified();
        tokio::pin!(notified);
        // Counted as waiting before looking again: an end in between is seen by one of the two.
        notified.as_mut().enable();
        if self.known().ended.contains(&run) {
            return;
        }
        let _ = timeout(at_most, notified).await;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Only there to fail a wait that never ends.
    const LONG: Duration = Duration::from_mins(1);

    fn run(n: u128) -> RunId {
        RunId::new(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn all_who_wait_are_told_and_who_asks_late_as_well() {
        let ends = LocalRunEnds::default();
        let (one, two, end) =
            (ends.ended(run(1), LONG), ends.ended(run(1), LONG), async { ends.has_ended(run(1)) });
        tokio::join!(one, two, end);
        ends.ended(run(1), LONG).await;
        assert!(ends.known().waiting.is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_leaves_nothing_behind() {
        let ends = LocalRunEnds::default();
        ends.ended(run(1), Duration::ZERO).await;
        let cancelled = timeout(Duration::ZERO, ends.ended(run(2), LONG)).await;
        assert!(cancelled.is_err());
        assert!(ends.known().waiting.is_empty());
    }

    #[test]
    fn only_the_last_ends_are_remembered() {
        let ends = LocalRunEnds::default();
        (0..=REMEMBERED as u128).for_each(|n| ends.has_ended(run(n)));
        let known = ends.known();
        assert!(!known.ended.contains(&run(0)) && known.ended.contains(&run(1)));
        assert_eq!(known.ended.len(), REMEMBERED);
    }
}
