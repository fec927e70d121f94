//! Who follows which run, within this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::ports::{FollowedRun, RunMoves};
use async_trait::async_trait;
use domain::RunId;
use tokio::{sync::watch, time::timeout};

/// Tells of the commits of this process. What is committed in another one is found by looking, after the caller's pause.
#[derive(Debug, Clone, Default)]
pub struct LocalRunMoves(Arc<Mutex<HashMap<RunId, watch::Sender<()>>>>);

impl LocalRunMoves {
    /// Wakes all who follow the run. Costs a look into a map, which is empty as long as nobody follows anything.
    pub(crate) fn has_moved(&self, run: RunId) {
        if let Some(followers) = self.followed().get(&run) {
            followers.send_replace(());
        }
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<RunId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunMoves for LocalRunMoves {
    fn follow(&self, run: RunId) -> Box<dyn FollowedRun> {
        let moves = self.followed().entry(run).or_default().subscribe();
        Box::new(Follower { all: self.clone(), run, moves })
    }
}

/// One who follows. The last one to go leaves nothing behind.
struct Follower {
    all: LocalRunMoves,
    run: RunId,
    moves: watch::Receiver<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followed = self.all.followed();
        // Our own is still among the receivers.
        if followed.get(&self.run).is_some_and(|followers| followers.receiver_count() <= 1) {
            followed.remove(&self.run);
        }
    }
}

#[async_trait]
impl FollowedRun for Follower {
    async fn moved(&mut self, at_most: Duration) {
        // Either it moved or nothing is known: the caller looks.
        let _ = timeout(at_most, self.moves.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::*;

    /// Only there to fail a wait that never ends.
    const LONG: Duration = Duration::from_mins(1);

    fn run(n: u128) -> RunId {
        RunId::new(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn all_who_follow_are_told_also_of_what_happened_while_they_did_not_listen() {
        let moves = LocalRunMoves::default();
        let (mut one, mut two) = (moves.follow(run(1)), moves.follow(run(1)));
        moves.has_moved(run(1));
        moves.has_moved(run(1));
        let begin = Instant::now();
        tokio::join!(one.moved(LONG), two.moved(LONG));
        let again = async {
            tokio::task::yield_now().await;
            moves.has_moved(run(1));
        };
        tokio::join!(one.moved(LONG), two.moved(LONG), again);
        assert!(begin.elapsed() < LONG);
    }

    #[tokio::test]
    async fn a_move_is_told_once_and_another_runs_never() {
        let moves = LocalRunMoves::default();
        let mut one = moves.follow(run(1));
        moves.has_moved(run(1));
        one.moved(LONG).await;
        moves.has_moved(run(2));
        let waited = timeout(Duration::from_millis(20), one.moved(LONG)).await;
        assert!(waited.is_err());
    }

    #[test]
    fn who_goes_leaves_nothing_behind() {
        let moves = LocalRunMoves::default();
        let (one, two) = (moves.follow(run(1)), moves.follow(run(1)));
        drop(one);
        assert_eq!(moves.followed().len(), 1);
        drop(two);
        assert!(moves.followed().is_empty());
    }
}
