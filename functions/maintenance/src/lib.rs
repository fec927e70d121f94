//! Keeps house once a minute, so that nothing stays stuck and nothing is kept longer than its team wants: a run whose hint
//! was lost, or whose worker was, gets another one; a run whose time is over is exported and deleted; a change that could not be told
//! when it was made is told; keys of teams are wrapped by the master key in use; sessions that are
//! over are forgotten.

mod agenda;

use std::sync::Arc;

use app::{
    RetirePorts,
    ports::{
        Clock, EndedRuns, Exports, Outbox, RetentionPolicies, RunStore, Sessions, StepQueue, StoreError,
        Teller,
    },
    remind_runs, retire_runs, tell_due,
};
use chrono::TimeDelta;
use serde::Serialize;
use vault::Keeper;

pub use agenda::Agenda;

/// Runs that get a hint in one turn. More than that are overdue only when workers can't keep up, and then hints are no help.
const AT_ONCE: u32 = 1000;

/// Runs that leave together.
const BATCH: u32 = 100;

/// How long one turn begins batches. The next minute goes on.
const PATIENCE: TimeDelta = TimeDelta::seconds(20);

/// What lives as long as the process.
pub struct State {
    /// Knows which runs are overdue.
    pub store: Arc<dyn RunStore>,
    /// Knows which runs have ended.
    pub ended: Arc<dyn EndedRuns>,
    /// Where runs go before they are deleted.
    pub exports: Arc<dyn Exports>,
    /// Which teams part with their runs.
    pub policies: Arc<dyn RetentionPolicies>,
    /// Which of them are still to be looked at.
    pub agenda: Agenda,
    /// How workers hear of overdue runs.
    pub queue: Arc<dyn StepQueue>,
    /// What is still to be told.
    pub outbox: Arc<dyn Outbox>,
    /// Who tells what.
    pub tellers: Vec<Arc<dyn Teller>>,
    /// Looks after the keys of credentials.
    pub keeper: Keeper,
    /// Sessions, of which those that are over are forgotten.
    pub sessions: Arc<dyn Sessions>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// What one turn came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Overdue runs that got a hint.
    pub reminded: usize,
    /// Runs that were exported.
    pub exported: usize,
    /// Runs that were deleted.
    pub purged: usize,
    /// Changes that were told after all.
    pub told: usize,
    /// Keys that were wrapped by the master key in use.
    pub rewrapped: usize,
    /// Refresh tokens that were over.
    pub forgotten: u64,
}

/// Takes one turn. Turns at the same time are harmless: a hint too many finds nothing to do, and a run leaves twice at the most.
///
/// Costs one query of DynamoDB for each of the eight shards of open runs, a request to SQS for every ten hints, and three questions to the
/// catalog; every ten minutes another one, and a query for each team that parts with its runs.
pub async fn handle(state: &State) -> Result<Kept, StoreError> {
    let started_on = state.clock.now();
    let reminded = remind_runs(&*state.store, &*state.queue, started_on, AT_ONCE).await?;
    let told = tell_due(&*state.outbox, &state.tellers).await?;
    let rewrapped = state.keeper.rewrap().await?;
    let forgotten = state.sessions.forget(started_on).await?;
    let mut kept = Kept { reminded, told, rewrapped, forgotten, ..Kept::default() };
    let ports = RetirePorts { store: &*state.store, ended: &*state.ended, exports: &*state.exports };
    while let Some(team) = state.agenda.next(&*state.policies, state.clock.now()).await? {
        let before = started_on - TimeDelta::days(team.days.into());
        let retired = retire_runs(&ports, team.team_id, before, BATCH).await?;
        kept.exported += retired.exported;
        kept.purged += retired.purged;
        if retired.has_more {
            state.agenda.again(team);
        }
        if state.clock.now() - started_on >= PATIENCE {
            break;
        }
    }
    Ok(kept)
}
