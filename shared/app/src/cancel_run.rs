//! Cancelling a run.

use domain::{RunId, TeamId};
use engine::{Event, Rejected, Run};
use tracing::info;

use crate::{
    advance_run::AdvanceError,
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

/// Cancels a run of the team with every run that it has started, and answers it as cancelled (RUN-05). Nothing of them starts
/// afterwards; the result of an attempt that is under way is thrown away, and its worker aborts it when it hears of it.
pub async fn cancel_run(conductor: &Conductor, team: TeamId, id: RunId) -> Result<Run, CancelError> {
    let mut run = Held::load(conductor, team, id).await?;
    match run.apply(Event::CancelRequested, |_, _| None).await? {
        Ok(_) => info!(run_id = %id, team_id = %team, "run {id} cancelled"),
        // Whoever ended it may have been lost before the runs that it had started ended too.
        Err(Rejected::Ended) => {
            run.expect_everything();
            run.dispatch().await?;
            return Err(CancelError::Ended(Box::new(run.run().clone())));
        }
        Err(_) => {}
    }
    run.dispatch().await?;
    Ok(run.run().clone())
}
