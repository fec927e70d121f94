//! Cancelling a run.

use std::time::Duration;

use domain::{RunId, TeamId};
use engine::{Event, Moment, Rejected, Run};
use tracing::info;

use crate::{
    advance_run::{AdvanceError, CONFLICT_TRIES, plan_of},
    ports::{Clock, RunStore, StoreError},
};

/// Why a run was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The team has no such run.
    #[error("there is no such run in this team")]
    NotFound,
    /// It had ended before; this is how.
    #[error("the run has ended")]
    Ended(Box<Run>),
    /// Its version can't be executed, or a store failed.
    #[error(transparent)]
    Failed(AdvanceError),
}

impl From<StoreError> for CancelError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Failed(other.into()),
        }
    }
}

/// Cancels a run of the team and answers it as cancelled (RUN-05). Nothing of it starts afterwards; the result of an attempt
/// that is under way is thrown away.
pub async fn cancel_run(
    store: &dyn RunStore,
    clock: &dyn Clock,
    team: TeamId,
    id: RunId,
) -> Result<Run, CancelError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let loaded = store.load(team, id).await?;
        let plan = plan_of(store, team, loaded.run.version_id).await.map_err(CancelError::Failed)?;
        // Nothing is retried by a cancellation, so its jitter never shows.
        let moment = Moment { now: clock.now(), jitter: 0.0, turn: None };
        let decided = engine::advance(&plan, &loaded.run, &loaded.values, Event::CancelRequested, &moment);
        let decision = match decided {
            Ok(decision) => decision,
            Err(Rejected::Ended | Rejected::Stale { .. }) => {
                return Err(CancelError::Ended(Box::new(loaded.run)));
            }
        };
        let Some(next) = decision.run else { return Ok(loaded.run) };
        match store.commit(&next, &decision.records).await {
            Ok(()) => {
                info!(run_id = %id, team_id = %team, "run {id} cancelled");
                return Ok(next);
            }
            Err(StoreError::Conflict) if attempt < CONFLICT_TRIES => {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
