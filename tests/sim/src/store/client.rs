//! The store as one process reaches it: by the network, in the version of the code that the process runs, and past a planted bug.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::ports::{Created, IdempotencyKey, LoadedRun, RunFilter, RunPage, RunStore, StoreError, unavailable};
use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp, TriggerKind, VersionId, WorkflowVersion};
use engine::{Run, StepRecord};
use serde_json::Value;
use uuid::Uuid;

use super::{COMMIT, Row, SimStore};
use crate::{
    bugs::{self, Bug, Claimed},
    dialect::Dialect,
};

/// The store as one process reaches it.
pub struct StoreClient {
    store: Arc<SimStore>,
    dialect: Dialect,
    bug: Option<Bug>,
    claimed: Mutex<Claimed>,
}

impl StoreClient {
    /// A client of a process that runs this version of the code.
    pub fn new(store: Arc<SimStore>, dialect: Dialect, bug: Option<Bug>) -> Self {
        Self { store, dialect, bug, claimed: Mutex::default() }
    }

    fn row<T>(&self, team: TeamId, run: RunId, read: impl FnOnce(&Row) -> T) -> Result<T, StoreError> {
        let tables = self.store.tables();
        tables.runs.get(&run).filter(|row| row.run.team_id == team).map(read).ok_or(StoreError::NotFound)
    }

    /// The commit, by way of the planted bug.
    fn commit_badly(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        let before = self.row(run.team_id, run.id, |row| row.run.clone())?;
        let commit = || self.store.commit(run, records, self.dialect);
        match self.bug {
            Some(Bug::SkippedClaim) if before.revision + 1 == run.revision && bugs::claims(&before, run) => {
                Ok(())
            }
            Some(Bug::ForgivenConflict) => match commit() {
                Err(StoreError::Conflict) => Ok(()),
                other => other,
            },
            Some(Bug::ForgottenGrandchild) => {
                let is_child =
                    |above| self.row(run.team_id, above, |row| row.run.parent.is_some()).unwrap_or_default();
                if bugs::cancels_grandchild(&before, run, is_child) { Ok(()) } else { commit() }
            }
            Some(Bug::TwoVotesOfOne) => {
                let run = bugs::with_voters(run.clone(), |by| by.trim_end_matches('*').to_owned());
                self.store.commit(&run, records, self.dialect)
            }
            Some(Bug::LateResult) => {
                commit()?;
                bugs::remember(&mut self.claimed(), &before, run);
                Ok(())
            }
            _ => commit(),
        }
    }

    /// The creation, by way of the planted bug.
    fn create_badly(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        match self.bug {
            Some(Bug::TooManyItems) => self.store.create(&bugs::eager(run.clone()), inputs, idempotency),
            Some(Bug::ToldTwice) if run.trigger.kind == TriggerKind::Error => {
                let id = RunId::new(Uuid::from_u128(run.id.uuid().as_u128() ^ 1));
                let _ = self.store.create(&Run { id, ..run.clone() }, inputs, None);
                self.store.create(run, inputs, idempotency)
            }
            _ => self.store.create(run, inputs, idempotency),
        }
    }

    /// What was loaded, by way of the planted bug.
    fn load_badly(&self, mut loaded: LoadedRun) -> LoadedRun {
        match self.bug {
            Some(Bug::LateResult) => loaded.run = bugs::mistaken(&self.claimed(), loaded.run),
            Some(Bug::TwoVotesOfOne) => loaded.run = bugs::with_voters(loaded.run, |by| format!("{by}*")),
            Some(Bug::ForgetfulRetry) if loaded.run.status.is_terminal() && loaded.run.parent.is_none() => {
                loaded.run.nodes.clear();
            }
            Some(Bug::GatheredAsTheyCame) if loaded.run.status.is_terminal() => {
                let (team, own) = (loaded.run.team_id, loaded.run.parent.as_ref());
                let other = own.and_then(|parent| self.sibling(&loaded.run, parent.child));
                if let Some(other) = other.and_then(|id| self.row(team, id, Row::load).ok()) {
                    loaded = other;
                }
            }
            _ => {}
        }
        loaded
    }

    /// The child that ended as the so-manieth of those of the same node.
    fn sibling(&self, run: &Run, number: u32) -> Option<RunId> {
        let tables = self.store.tables();
        let node = |run: &Run| run.parent.as_ref().map(|parent| (parent.run_id, parent.node.clone()));
        let siblings = tables.runs.values().map(|row| &row.run).filter(|other| node(other) == node(run));
        bugs::as_they_came(siblings.collect(), number).map(|other| other.id)
    }

    /// The first child of the same run that has ended.
    fn first_to_end(&self, run: &Run) -> Option<Run> {
        let parent = |run: &Run| run.parent.as_ref().map(|parent| parent.run_id);
        let tables = self.store.tables();
        let runs = tables.runs.values().map(|row| &row.run);
        let ended = runs.filter(|other| parent(other) == parent(run) && other.status.is_terminal());
        ended.min_by_key(|other| other.finished_on).cloned()
    }

    fn claimed(&self) -> MutexGuard<'_, Claimed> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RunStore for StoreClient {
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        self.store.network.request("create a run", || self.create_badly(run, inputs, idempotency)).await
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        let loaded = self.store.network.request("load a run", || self.row(team, run, Row::load)).await?;
        Ok(self.load_badly(loaded))
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        let LoadedRun { run, records, .. } = self.load(team, run).await?;
        Ok((run, records.into_iter().map(|record| StepRecord { output: None, ..record }).collect()))
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        let load = || self.row(team, run, |row| row.run.clone());
        let control = self.store.network.request("load a run's state", load).await?;
        if self.bug == Some(Bug::CountedTwice) && control.parent.is_some() {
            return Ok(self.first_to_end(&control).unwrap_or(control));
        }
        Ok(control)
    }

    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        self.store.network.request(COMMIT, || self.commit_badly(run, records)).await
    }

    async fn list(&self, _: TeamId, _: &RunFilter, _: Option<&str>, _: u32) -> Result<RunPage, StoreError> {
        Err(unavailable("list runs")("nobody lists runs here"))
    }

    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        let put = || {
            self.store.publish(version);
            Ok(())
        };
        self.store.network.request("store a version", put).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        let find = || {
            let found =
                self.store.tables().versions.get(&version).filter(|found| found.team_id == team).cloned();
            found.ok_or(StoreError::NotFound)
        };
        self.store.network.request("read a version", find).await
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        self.store.network.request("find overdue runs", || Ok(self.store.overdue(now, limit))).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.network.request("ping", || Ok(())).await
    }
}
