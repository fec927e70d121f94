//! The run store and its blobs as maps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use domain::{NodeKey, RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Attempt, Digest, Revision, Run, StepRecord};
use serde_json::Value;

use super::lock;
use crate::{
    ports::{
        Blobs, Created, EndedRuns, IdempotencyKey, LoadedRun, RunFilter, RunPage, RunStore, RunSummary,
        StoreError,
    },
    position::RunPosition,
};

/// Keeps runs and versions for as long as it lives, and counts what was asked of it.
#[derive(Debug, Default)]
pub struct MemoryRunStore(Mutex<Tables>);

/// Requests that a [`MemoryRunStore`] has served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Runs read in full.
    pub loads: u32,
    /// Commits that were accepted.
    pub commits: u32,
    /// Commits that were refused.
    pub conflicts: u32,
    /// Step records written.
    pub records: u32,
}

type RecordKey = (NodeKey, Attempt, Digest, Revision);

#[derive(Debug, Default)]
struct Tables {
    runs: HashMap<RunId, Row>,
    keys: HashMap<(TeamId, String), (IdempotencyKey, RunId)>,
    versions: HashMap<VersionId, Arc<WorkflowVersion>>,
    exported: BTreeSet<RunId>,
    requests: Requests,
}

#[derive(Debug)]
struct Row {
    run: Run,
    inputs: Arc<Value>,
    records: BTreeMap<RecordKey, StepRecord>,
    retried: HashSet<RecordKey>,
    /// Every state so far, the present one included.
    states: Vec<Run>,
}

impl MemoryRunStore {
    /// What was asked of it so far.
    pub fn requests(&self) -> Requests {
        lock(&self.0).requests
    }

    /// Drops a run with all that belongs to it, for measurements that go on for long.
    pub fn forget(&self, run: RunId) {
        lock(&self.0).runs.remove(&run);
    }

    /// The run as each of its commits left it, from its acceptance on, as [`RunStore::load`] would have read it then.
    pub fn history(&self, run: RunId) -> Vec<LoadedRun> {
        let tables = lock(&self.0);
        let Some(Row { inputs, records, retried, states, .. }) = tables.runs.get(&run) else {
            return Vec::new();
        };
        let at = |state: &Run| {
            let written = records.values().filter(|record| record.settled_at <= state.revision).cloned();
            LoadedRun::compose(state.clone(), Arc::clone(inputs), written, |r| retried.contains(&key(r)))
        };
        states.iter().map(at).collect()
    }
}

fn key(record: &StepRecord) -> RecordKey {
    (record.node.clone(), record.attempt, record.digest.clone(), record.settled_at)
}

impl Tables {
    fn row(&self, team: TeamId, run: RunId) -> Result<&Row, StoreError> {
        self.runs.get(&run).filter(|row| row.run.team_id == team).ok_or(StoreError::NotFound)
    }

    /// Whether the team has the run. One that is open is a conflict.
    fn has_ended(&self, team: TeamId, run: RunId) -> Result<bool, StoreError> {
        match self.row(team, run) {
            Ok(row) if row.run.status.is_terminal() => Ok(true),
            Ok(_) => Err(StoreError::Conflict),
            Err(_) => Ok(false),
        }
    }
}

#[async_trait]
impl RunStore for MemoryRunStore {
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        let tables = &mut *lock(&self.0);
        if tables.runs.contains_key(&run.id) {
            return Err(StoreError::Conflict);
        }
        if let Some(key) = idempotency {
            let slot = (run.team_id, key.key.clone());
            if let Some((used, id)) = tables.keys.get(&slot).filter(|(k, _)| k.expires_on > run.created_on) {
                let is_same = used.request == key.request;
                return Ok(if is_same { Created::Existing(*id) } else { Created::KeyReused });
            }
            tables.keys.insert(slot, (key.clone(), run.id));
        }
        let row = Row {
            run: run.clone(),
            inputs: Arc::new(inputs.clone()),
            records: BTreeMap::new(),
            retried: HashSet::new(),
            states: vec![run.clone()],
        };
        tables.runs.insert(run.id, row);
        Ok(Created::New)
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        let tables = &mut *lock(&self.0);
        tables.requests.loads += 1;
        let Row { run, inputs, records, retried, .. } = tables.row(team, run)?;
        let records = records.values().cloned();
        Ok(LoadedRun::compose(run.clone(), Arc::clone(inputs), records, |r| retried.contains(&key(r))))
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        let LoadedRun { run, records, .. } = self.load(team, run).await?;
        let bare = |record| StepRecord { output: None, ..record };
        Ok((run, records.into_iter().map(bare).collect()))
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        lock(&self.0).row(team, run).map(|row| row.run.clone())
    }

    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        let tables = &mut *lock(&self.0);
        let row = tables.runs.get_mut(&run.id).filter(|row| row.run.team_id == run.team_id);
        let row = row.ok_or(StoreError::NotFound)?;
        // As in the real store, records stand before the commit is decided, and stay there if it is lost.
        for record in records {
            tables.requests.records += 1;
            row.records.insert(key(record), record.clone());
        }
        if row.run.revision + 1 != run.revision {
            tables.requests.conflicts += 1;
            return Err(StoreError::Conflict);
        }
        tables.requests.commits += 1;
        row.run = run.clone();
        row.states.push(run.clone());
        row.retried.extend(records.iter().filter(|r| r.retried).map(key));
        Ok(())
    }

    async fn list(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        let before = cursor.map(RunPosition::from_cursor).transpose()?;
        let tables = lock(&self.0);
        let mut items: Vec<RunSummary> = tables
            .runs
            .values()
            .filter(|row| row.run.team_id == team && !row.run.is_chunk())
            .map(|row| RunSummary::of(&row.run))
            .filter(|run| filter.shows(run))
            .filter(|run| before.as_ref().is_none_or(|before| RunPosition::of_summary(run) < *before))
            .collect();
        items.sort_by_key(|run| std::cmp::Reverse(RunPosition::of_summary(run)));
        Ok(RunPage::cut(items, limit, None))
    }

    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        lock(&self.0).versions.entry(version.id).or_insert_with(|| Arc::new(version.clone()));
        Ok(())
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        let found = lock(&self.0).versions.get(&version).filter(|v| v.team_id == team).cloned();
        found.ok_or(StoreError::NotFound)
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        let tables = lock(&self.0);
        let open = tables.runs.values().filter_map(|row| Some((row.run.next_check_on?, &row.run)));
        let mut overdue: Vec<_> = open.filter(|(check, _)| *check <= now).collect();
        overdue.sort_by_key(|(check, run)| (*check, run.id));
        Ok(overdue.into_iter().map(|(_, run)| (run.team_id, run.id)).take(limit as usize).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl EndedRuns for MemoryRunStore {
    async fn ended_before(
        &self,
        team: TeamId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let tables = lock(&self.0);
        let ours = tables.runs.values().map(|row| &row.run).filter(|run| run.team_id == team);
        let mut ended: Vec<_> = ours
            .filter(|run| !run.is_chunk() && run.finished_on.is_some_and(|finished_on| finished_on < before))
            .collect();
        ended.sort_by_key(|run| (run.created_on, run.id));
        Ok(ended.into_iter().map(|run| run.id).take(limit as usize).collect())
    }

    async fn mark_exported(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let tables = &mut *lock(&self.0);
        if tables.has_ended(team, run)? {
            tables.exported.insert(run);
        }
        Ok(())
    }

    async fn exported(&self, team: TeamId, runs: &[RunId]) -> Result<BTreeSet<RunId>, StoreError> {
        let tables = lock(&self.0);
        let is_exported = |run: &&RunId| tables.exported.contains(*run) && tables.row(team, **run).is_ok();
        Ok(runs.iter().filter(is_exported).copied().collect())
    }

    async fn purge(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let tables = &mut *lock(&self.0);
        if tables.has_ended(team, run)? {
            tables.runs.remove(&run);
            tables.exported.remove(&run);
        }
        Ok(())
    }
}

/// Blobs in a map.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Mutex<HashMap<(TeamId, Digest), Vec<u8>>>);

impl MemoryBlobs {
    /// Sizes of all blobs, in no order.
    pub fn sizes(&self) -> Vec<usize> {
        lock(&self.0).values().map(Vec::len).collect()
    }

    /// Replaces the bytes of every blob, as a broken store might.
    pub fn corrupt(&self) {
        lock(&self.0).values_mut().for_each(|bytes| *bytes = b"null".to_vec());
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, team: TeamId, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        lock(&self.0).insert((team, digest.clone()), bytes);
        Ok(())
    }

    async fn get(&self, team: TeamId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        lock(&self.0).get(&(team, digest.clone())).cloned().ok_or(StoreError::NotFound)
    }
}
