//! Keeps house once a minute, so that nothing stays stuck: a run whose hint was lost, or whose worker was, gets another one.

use std::sync::Arc;

use app::{
    ports::{Clock, RunStore, StepQueue, StoreError},
    remind_runs,
};
use serde::Serialize;

/// Runs that get a hint in one turn. More than that are overdue only when workers can't keep up, and then hints are no help.
const AT_ONCE: u32 = 1000;

/// What lives as long as the process.
pub struct State {
    /// Knows which runs are overdue.
    pub store: Arc<dyn RunStore>,
    /// How workers hear of them.
    pub queue: Arc<dyn StepQueue>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// What one turn came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Overdue runs that got a hint.
    pub reminded: usize,
}

/// Takes one turn. Turns at the same time are harmless: a hint too many finds nothing to do.
///
/// Costs one query of DynamoDB for each of the eight shards of open runs, and a request to SQS for every ten hints.
pub async fn handle(state: &State) -> Result<Kept, StoreError> {
    let reminded = remind_runs(&*state.store, &*state.queue, state.clock.now(), AT_ONCE).await?;
    Ok(Kept { reminded })
}
