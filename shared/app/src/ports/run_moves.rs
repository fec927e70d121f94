//! The port that saves those who follow a run from looking at it again and again.

use std::time::Duration;

use async_trait::async_trait;
use domain::RunId;

use super::Polling;

/// Tells that runs have moved on, sooner than looking would.
pub trait RunMoves: Send + Sync {
    /// Begins to listen: of what is committed from now on, nothing goes unnoticed that can be noticed here.
    fn follow(&self, run: RunId) -> Box<dyn FollowedRun>;
}

/// A run that somebody listens to.
#[async_trait]
pub trait FollowedRun: Send {
    /// Returns as soon as the run is known to have been committed since this began or last returned, and at the latest after `at_most`.
    /// The run itself says whether it has moved: an early return is no proof, and where commits are made in other processes nothing may
    /// be known here. May be cancelled.
    async fn moved(&mut self, at_most: Duration);
}

impl RunMoves for Polling {
    fn follow(&self, _: RunId) -> Box<dyn FollowedRun> {
        Box::new(*self)
    }
}

#[async_trait]
impl FollowedRun for Polling {
    async fn moved(&mut self, at_most: Duration) {
        tokio::time::sleep(at_most).await;
    }
}
