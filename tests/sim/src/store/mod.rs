//! The run store: runs as maps, each commit decided at one instant, and everything around it unreliable.

mod client;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{Created, Hint, IdempotencyKey, LoadedRun, StoreError, unavailable};
use chrono::TimeDelta;
use domain::{NodeKey, RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Attempt, Digest, Revision, Run, StepRecord};
use serde_json::Value;

use crate::{
    dialect::{self, Dialect},
    invariants::{Rule, Violation},
    judge::Judge,
    network::Network,
    queue::SimQueue,
};

pub use client::StoreClient;

const COMMIT: &str = "commit a run";

/// To how many seconds a run's next check is kept.
const CHECK_S: i64 = 30;

/// The store that all processes share.
pub struct SimStore {
    network: Arc<Network>,
    judge: Arc<Judge>,
    queue: Arc<SimQueue>,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    runs: BTreeMap<RunId, Row>,
    keys: HashMap<(TeamId, String), (IdempotencyKey, RunId)>,
    versions: HashMap<VersionId, Arc<WorkflowVersion>>,
}

type RecordKey = (NodeKey, Attempt, Digest, Revision);

struct Row {
    run: Run,
    inputs: Arc<Value>,
    records: BTreeMap<RecordKey, StepRecord>,
    retried: HashSet<RecordKey>,
}

impl Row {
    fn load(&self) -> LoadedRun {
        let records = self.records.values().cloned();
        LoadedRun::compose(self.run.clone(), Arc::clone(&self.inputs), records, |record| {
            self.retried.contains(&key(record))
        })
    }

    fn write(&mut self, records: &[StepRecord]) {
        self.records.extend(records.iter().map(|record| (key(record), record.clone())));
    }
}

fn is_open(run: &Run) -> bool {
    !run.status.is_terminal() || run.next_check_on.is_some()
}

fn key(record: &StepRecord) -> RecordKey {
    (record.node.clone(), record.attempt, record.digest.clone(), record.settled_at)
}

impl SimStore {
    /// An empty store.
    pub fn new(network: Arc<Network>, judge: Arc<Judge>, queue: Arc<SimQueue>) -> Self {
        Self { network, judge, queue, tables: Mutex::default() }
    }

    /// Has a version.
    pub fn publish(&self, version: &WorkflowVersion) {
        self.tables().versions.entry(version.id).or_insert_with(|| Arc::new(version.clone()));
    }

    /// A run as it stands, without asking the network.
    pub fn peek(&self, run: RunId) -> Option<LoadedRun> {
        self.tables().runs.get(&run).map(Row::load)
    }

    /// The runs that there are.
    pub fn ids(&self) -> Vec<RunId> {
        self.tables().runs.keys().copied().collect()
    }

    /// The runs that have not ended, or of whose end something is left to do, and that are of this kind.
    pub fn open(&self, is_wanted: impl Fn(&Run) -> bool) -> Vec<Run> {
        let tables = self.tables();
        let open = tables.runs.values().map(|row| &row.run).filter(|run| is_open(run));
        open.filter(|run| is_wanted(run)).cloned().collect()
    }

    /// Whether there are such.
    pub fn has_open(&self) -> bool {
        self.tables().runs.values().any(|row| is_open(&row.run))
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        let mut tables = self.tables();
        if tables.runs.contains_key(&run.id) {
            return Err(StoreError::Conflict);
        }
        if let Some(key) = idempotency {
            let slot = (run.team_id, key.key.clone());
            if let Some((used, id)) =
                tables.keys.get(&slot).filter(|(used, _)| used.expires_on > run.created_on)
            {
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
        };
        tables.runs.insert(run.id, row);
        drop(tables);
        self.judge.created(run, inputs);
        self.network.note(|| format!("run {} created with {inputs}", crate::short(run.id)));
        if !self.network.weather.announces {
            return Ok(Created::New);
        }
        self.queue.put(&Hint::at(run), 0);
        Ok(Created::Announced)
    }

    fn commit(&self, run: &Run, records: &[StepRecord], dialect: Dialect) -> Result<(), StoreError> {
        let stored = dialect::read(&dialect.write(run)?)?;
        if stored != *run {
            self.judge.objects(Violation::new(Rule::ControlState, format!("{run:?} was read as {stored:?}")));
        }
        let mut tables = self.tables();
        let row = tables.runs.get_mut(&run.id).filter(|row| row.run.team_id == run.team_id);
        let row = row.ok_or(StoreError::NotFound)?;
        if self.network.weather.keeps_orphans {
            row.write(records);
            if self.network.meets("commits torn", self.network.weather.torn) {
                self.network.note(|| "commit torn: only its records were written".to_owned());
                return Err(unavailable(COMMIT)("records were written"));
            }
        }
        if row.run.revision + 1 != run.revision {
            self.network.count("commit conflicts");
            self.network.note(|| format!("commit {} of {} refused", run.revision, crate::short(run.id)));
            return Err(StoreError::Conflict);
        }
        row.write(records);
        row.retried.extend(records.iter().filter(|record| record.retried).map(key));
        let before = std::mem::replace(&mut row.run, stored);
        drop(tables);
        self.network.count("commits");
        self.network.note(|| {
            format!(
                "commit {} of {}: {}",
                run.revision,
                crate::short(run.id),
                crate::trace::changes(&before, run)
            )
        });
        self.judge.committed(&before, run, records);
        Ok(())
    }

    fn overdue(&self, now: Timestamp, limit: u32) -> Vec<(TeamId, RunId)> {
        let tables = self.tables();
        let kept = |check: Timestamp| check - TimeDelta::seconds(check.timestamp().rem_euclid(CHECK_S));
        let open = tables.runs.values().filter_map(|row| Some((kept(row.run.next_check_on?), &row.run)));
        let mut overdue: Vec<_> = open.filter(|(check, _)| *check <= now).collect();
        overdue.sort_by_key(|(check, run)| (*check, run.id));
        overdue.into_iter().map(|(_, run)| (run.team_id, run.id)).take(limit as usize).collect()
    }
}
