//! Runs over HTTP: start, wait for, list, read, follow, cancel (api.md, runs).

mod routes;
mod tail;
mod values;
mod views;

use std::sync::Arc;

use app::{
    Conductor,
    ports::{
        Admissions, Annotations, Clock, DeadLetters, Ids, RunEnds, RunMoves, RunStore, RunningLimits,
        StepQueue, StoreError, WorkflowCatalog, WorkflowNames,
    },
};
use axum::Router;
use heddle_http::{Api, Gate};
use tokio::sync::watch;

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Which version a workflow runs.
    pub catalog: Arc<dyn WorkflowCatalog>,
    /// What workflows are called.
    pub workflows: Arc<dyn WorkflowNames>,
    /// What is remarked on runs.
    pub annotations: Arc<dyn Annotations>,
    /// How many runs a team may have under way.
    pub limits: Arc<dyn RunningLimits>,
    /// Which runs wait for others of their team.
    pub admissions: Arc<dyn Admissions>,
    /// Runs and versions.
    pub store: Arc<dyn RunStore>,
    /// How workers hear of a run.
    pub queue: Arc<dyn StepQueue>,
    /// Messages that the workers could not handle.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What moves runs that people decide about.
    pub conductor: Arc<Conductor>,
    /// What tells those who wait that a run has ended.
    pub ends: Arc<dyn RunEnds>,
    /// What tells those who follow a run that it has moved on.
    pub moves: Arc<dyn RunMoves>,
    /// How those who follow a run are told.
    pub events: EventStream,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// How the events of a run reach a client.
#[derive(Debug, Clone)]
pub enum EventStream {
    /// As they happen, over one connection.
    Live {
        /// Becomes true when the process is about to end.
        stop: watch::Receiver<bool>,
    },
    /// An answer holds what there is to tell, for surroundings that hand over complete answers only.
    Batches,
}

/// The whole function as a value that can be called. `ping` asks the catalog, whose port has no such question.
pub fn router<W>(state: State, gate: Gate, ping: impl Fn() -> W + Send + Sync + 'static) -> Router
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let store = state.store.clone();
    Api::new("runs", "Start, find, watch and cancel runs.", routes::all())
        .ready("the catalog", ping)
        .ready("the run store", move || {
            let store = store.clone();
            async move { store.ping().await }
        })
        .build(state, gate)
}
