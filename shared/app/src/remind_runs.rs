//! Finding runs that nobody looks after any more.

use domain::{Priority, Timestamp};
use tracing::info;

use crate::ports::{Hint, RunStore, StepQueue, StoreError};

/// Sends a hint for up to `limit` runs whose next check has passed, and answers for how many. A run gets there when its hint
/// was lost, or its worker between a commit and what follows from it, be it the last; a hint too many is harmless.
pub async fn remind_runs(
    store: &dyn RunStore,
    queue: &dyn StepQueue,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let overdue = store.overdue(now, limit).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    // What is overdue is not told its class: it has waited long enough for the ordinary one.
    let priority = Priority::Default;
    let hint = |(team_id, run_id)| (Hint { run_id, team_id, node: None, priority }, 0);
    let hints: Vec<_> = overdue.into_iter().map(hint).collect();
    queue.send(&hints).await?;
    info!(count = hints.len(), "runs were overdue and got a hint");
    Ok(hints.len())
}
