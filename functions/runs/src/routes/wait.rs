//! Waiting for a run's end.

use std::time::Duration;

use app::ports::StoreError;
use engine::Run;
use tokio::time::Instant;

use crate::State;

/// The longest wait: API Gateway gives up after 30 s, and the answer must still be written.
const LONGEST: Duration = Duration::from_secs(25);

/// Pauses between two looks grow from the first to the last: quick for quick runs, cheap for slow ones.
const FIRST_PAUSE: Duration = Duration::from_millis(15);
const LAST_PAUSE: Duration = Duration::from_millis(250);

/// Looks at the run until it has ended, or `patience` (at most 25 s) has passed. Answers the run as last seen.
pub(super) async fn for_end(s: &State, mut run: Run, patience: Duration) -> Result<Run, StoreError> {
    let deadline = Instant::now() + patience.min(LONGEST);
    let mut pause = FIRST_PAUSE;
    while !run.status.is_terminal() && Instant::now() + pause <= deadline {
        s.ends.ended(run.id, pause).await;
        run = s.store.load_control(run.team_id, run.id).await?;
        pause = (pause * 3 / 2).min(LAST_PAUSE);
    }
    Ok(run)
}
