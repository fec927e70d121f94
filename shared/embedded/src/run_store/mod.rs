//! The run store on Postgres: the same control state and the same revision rule as on DynamoDB, one round trip per commit.

mod ended;
mod list;
mod load;
mod recent;
mod records;

use std::sync::Arc;

use app::{
    cache::Cache,
    ports::{Blobs, Created, Hint, IdempotencyKey, Ids, LoadedRun, RunFilter, RunPage, RunStore, StoreError},
    spill::{self, Stored},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Digest, Run, StepRecord};
use serde_json::Value;
use sqlx::PgPool;

use recent::Recent;

use crate::{
    error::{malformed, unavailable},
    journal::{Commit, Journal, NewKey, NewRun},
    run_ends::LocalRunEnds,
    run_moves::LocalRunMoves,
    step_queue::Outbox,
};

/// Versions kept in a process.
const VERSIONS: usize = 64;

/// How coarse `check_at` is, in seconds.
const CHECK_GRID_S: i64 = 30;

/// Runs and versions in Postgres, with large values in [`Blobs`]. Commits go through the journal.
pub struct EmbeddedRunStore {
    pool: PgPool,
    journal: Journal,
    outbox: Outbox,
    blobs: Arc<dyn Blobs>,
    ids: Arc<dyn Ids>,
    ends: Arc<LocalRunEnds>,
    moves: LocalRunMoves,
    recent: Recent,
    versions: Cache<VersionId, Arc<WorkflowVersion>>,
}

impl EmbeddedRunStore {
    pub(crate) fn new(
        pool: PgPool,
        journal: Journal,
        outbox: Outbox,
        blobs: Arc<dyn Blobs>,
        ids: Arc<dyn Ids>,
        ends: Arc<LocalRunEnds>,
        moves: LocalRunMoves,
    ) -> Self {
        let versions = Cache::new(VERSIONS);
        Self { pool, journal, outbox, blobs, ids, ends, moves, recent: Recent::default(), versions }
    }

    /// Deletes idempotency keys that have expired; answers how many.
    pub async fn forget_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        let forgotten = sqlx::query!("delete from embedded.idempotency_keys where expires_on <= $1", now);
        let forgotten =
            forgotten.execute(&self.pool).await.map_err(unavailable("forget idempotency keys"))?;
        Ok(forgotten.rows_affected())
    }

    /// The text of a column for a JSON text: itself, or `@` and the SHA-256 of its blob.
    async fn pack(&self, team: TeamId, json: String) -> Result<String, StoreError> {
        Ok(match spill::put(&*self.blobs, team, json, spill::VALUE_MAX).await? {
            Stored::Inline(json) => json,
            Stored::Blob { sha256, .. } => format!("@{}", sha256.as_str()),
        })
    }

    async fn unpack(&self, team: TeamId, column: String) -> Result<String, StoreError> {
        let Some(sha256) = blob_of(&column)? else { return Ok(column) };
        spill::get(&*self.blobs, team, Stored::Blob { sha256, bytes: spill::UNKNOWN }).await
    }

    /// Why a run was not stored: its key is in use, or its id is.
    async fn earlier(&self, run: &Run, key: Option<&IdempotencyKey>) -> Result<Created, StoreError> {
        let Some(key) = key else { return Err(StoreError::Conflict) };
        let used = sqlx::query!(
            "select request, run_id from embedded.idempotency_keys where team_id = $1 and key = $2",
            run.team_id.uuid(),
            key.key
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable("create a run"))?
        .ok_or(StoreError::Conflict)?;
        Ok(match used.request == key.request.as_str() {
            true if used.run_id == run.id.uuid() => return Err(StoreError::Conflict),
            true => Created::Existing(RunId::new(used.run_id)),
            false => Created::KeyReused,
        })
    }

    /// Why a commit was not accepted. Ours, if an earlier attempt to write it had succeeded without our knowing.
    async fn refused(&self, run: &Run, commit_id: uuid::Uuid) -> Result<(), StoreError> {
        let stored = sqlx::query!(
            "select commit_id from embedded.runs where id = $1 and team_id = $2",
            run.id.uuid(),
            run.team_id.uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable("commit a run"))?;
        match stored {
            None => Err(StoreError::NotFound),
            Some(stored) if stored.commit_id == commit_id => Ok(()),
            Some(_) => Err(StoreError::Conflict),
        }
    }
}

/// The digest of the blob that a column refers to, if it does.
fn blob_of(column: &str) -> Result<Option<Digest>, StoreError> {
    let sha256 = column.strip_prefix('@').map(|sha256| Digest::parse(sha256).ok_or(sha256));
    sha256.transpose().map_err(|_| malformed("read a value", "digest"))
}

fn check_at(run: &Run) -> Option<DateTime<Utc>> {
    let check = run.next_check_on?;
    let on_grid = check.timestamp().div_euclid(CHECK_GRID_S) * CHECK_GRID_S;
    Some(DateTime::from_timestamp(on_grid, 0).unwrap_or(check))
}

fn json_of(run: &Run) -> Result<String, StoreError> {
    serde_json::to_string(run).map_err(unavailable("write a run"))
}

#[async_trait]
impl RunStore for EmbeddedRunStore {
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        let key = idempotency.map(|key| NewKey {
            key: key.key.clone(),
            request: key.request.as_str().to_owned(),
            expires_on: key.expires_on,
        });
        let (state, inputs_json) = (json_of(run)?, inputs.to_string());
        let bytes = state.len() + inputs_json.len();
        let packed = self.pack(run.team_id, inputs_json).await?;
        let hint = self.outbox.message(Hint::at(run), 0);
        if hint.hand.is_some() {
            // Before it is durable: the worker may ask before the caller hears of it.
            let inputs = Arc::new(inputs.clone());
            self.recent.began(LoadedRun::compose(run.clone(), inputs, [], |_| true), bytes);
        }
        let new = NewRun {
            id: run.id.uuid(),
            team_id: run.team_id.uuid(),
            workflow_id: run.workflow_id.uuid(),
            created_on: run.created_on,
            status: run.status.as_str(),
            revision: signed(run.revision),
            commit_id: self.ids.next(),
            check_at: check_at(run),
            state,
            inputs: packed,
            is_listed: !run.is_chunk(),
            key,
            hint,
        };
        let created = self.journal.create(new).await;
        if !matches!(created, Ok(true)) {
            self.recent.forget(run.id);
        }
        if created? { Ok(Created::Announced) } else { self.earlier(run, idempotency).await }
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        match self.recent.get(team, run) {
            Some(known) => Ok(known),
            None => self.load_run(team, run).await,
        }
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        self.load_bare(team, run).await
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        match self.recent.ended(team, run) {
            Some(known) => Ok(known),
            None => self.load_state(team, run).await,
        }
    }

    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        let (commit_id, state) = (self.ids.next(), json_of(run)?);
        let (records_json, bytes) = self.records_json(run.team_id, records).await?;
        let commit = Commit {
            run_id: run.id.uuid(),
            team_id: run.team_id.uuid(),
            revision: signed(run.revision),
            attempt_id: commit_id,
            status: run.status.as_str(),
            check_at: check_at(run),
            state,
            records: records_json,
        };
        let committed = self.journal.commit(commit).await;
        if !matches!(committed, Ok(true)) {
            self.recent.forget(run.id);
        }
        if !committed? {
            self.refused(run, commit_id).await?;
        }
        self.recent.moved_on(run, records, bytes);
        self.moves.has_moved(run.id);
        if run.status.is_terminal() {
            self.ends.has_ended(run.id);
        }
        Ok(())
    }

    async fn list(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        self.list_runs(team, filter, cursor, limit).await
    }

    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        let doing = "store a version";
        let json = serde_json::to_string(version).map_err(unavailable(doing))?;
        sqlx::query!(
            "insert into embedded.versions (id, team_id, version) values ($1, $2, $3) on conflict (id) do nothing",
            version.id.uuid(),
            version.team_id.uuid(),
            self.pack(version.team_id, json).await?
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(unavailable(doing))
    }

    async fn version(&self, team: TeamId, id: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        let version = match self.versions.get(&id) {
            Some(version) => version,
            None => self.read_version(team, id).await?,
        };
        if version.team_id == team { Ok(version) } else { Err(StoreError::NotFound) }
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        self.overdue_runs(now, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let asked =
            sqlx::query_scalar!("select exists (select from embedded.runs)").fetch_one(&self.pool).await;
        asked.map(drop).map_err(unavailable("reach the run store"))
    }
}

/// As Postgres counts. A run has a few thousand commits at most.
fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
