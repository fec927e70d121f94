//! Cancelling a run.

use domain::{RunId, TeamId};
use engine::{Event, Rejected, Run};
use tracing::info;

use crate::{
    advance_run::{AdvanceError, time},
    conductor::{Conductor, Held},
    ports::StoreError,
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

impl From<AdvanceError> for CancelError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Store(StoreError::NotFound) => Self::NotFound,
            other => Self::Failed(other),
        }
    }
}

/// Cancels a run of the team with every run that it has started, and answers it as cancelled (RUN-05). After the answer nothing of them
/// starts: no claim is committed any more, and calls that were claimed a moment before have begun, which is waited for. The result of a
/// call that is under way is thrown away, and its worker aborts it when it hears of it.
pub async fn cancel_run(conductor: &Conductor, team: TeamId, id: RunId) -> Result<Run, CancelError> {
    let ended = end_at_once(conductor, team, id, By::Client).await?;
    if let Some(claimed_on) = ended.last_claim {
        let all_began = claimed_on + time::BEGINS_WITHIN + time::SKEW;
        tokio::time::sleep((all_began - conductor.clock.now()).to_std().unwrap_or_default()).await;
    }
    Ok(ended.run().clone())
}

/// Who cancels a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Somebody outside.
    Client,
    /// The run that has started it, and knows.
    Parent,
}

/// Commits the cancellation of a run and of every run that it has started.
pub(crate) async fn end_at_once(
    conductor: &Conductor,
    team: TeamId,
    id: RunId,
    by: By,
) -> Result<Held<'_>, CancelError> {
    let mut run = Held::load(conductor, team, id).await?;
    match run.apply(Event::CancelRequested, |_, _| None).await? {
        Ok(_) => info!(run_id = %id, team_id = %team, "run {id} cancelled"),
        // Whoever ended it may have been lost before the runs that it had started ended too.
        Err(Rejected::Ended) => {
            run.expect_everything();
            run.dispatch_for(by).await?;
            return Err(CancelError::Ended(Box::new(run.run().clone())));
        }
        Err(_) => {}
    }
    run.dispatch_for(by).await?;
    Ok(run)
}
