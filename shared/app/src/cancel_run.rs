//! Cancelling a run.

use domain::{RunId, TeamId, Timestamp};
use engine::{Event, Run};
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
    match end_at_once(conductor, team, id, By::Another).await? {
        Stopped::Now(ended) => {
            let begins = conductor.all_have_begun(ended.last_claim);
            begins.await;
            Ok(ended.run().clone())
        }
        Stopped::Before(ended) => Err(CancelError::Ended(Box::new(ended.run().clone()))),
    }
}

/// Who has a run do what its end asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The run that has started it, and knows of its end.
    Parent,
    /// Anybody else.
    Another,
}

/// A run that does not go on.
pub(crate) enum Stopped<'a> {
    /// It was cancelled now.
    Now(Held<'a>),
    /// It had ended before.
    Before(Held<'a>),
}

/// Commits the cancellation of a run and of every run that it has started. Those are ended, too, of one that had ended before: whoever ended
/// it may have been lost before they came to them.
pub(crate) async fn end_at_once(
    conductor: &Conductor,
    team: TeamId,
    id: RunId,
    by: By,
) -> Result<Stopped<'_>, AdvanceError> {
    let mut run = Held::load(conductor, team, id).await?;
    let had_ended = run.apply(Event::CancelRequested, |_, _| None).await?.is_err();
    if !had_ended {
        info!(run_id = %id, team_id = %team, "run {id} cancelled");
    }
    // Of what its nodes have started and do not wait for any more, whoever ended them may not have ended all yet.
    run.expect_everything();
    run.dispatch_for(by).await?;
    Ok(if had_ended { Stopped::Before(run) } else { Stopped::Now(run) })
}

impl Conductor {
    /// Returns when every call has begun whose claim was made by then: it begins soon, or not at all.
    pub(crate) async fn all_have_begun(&self, last_claim: Option<Timestamp>) {
        if let Some(claimed_on) = last_claim {
            let all_began = claimed_on + time::BEGINS_WITHIN + time::SKEW;
            tokio::time::sleep((all_began - self.clock.now()).to_std().unwrap_or_default()).await;
        }
    }
}
