//! The store and its port; each request's own module does the work.

use std::sync::Arc;

use app::{
    cache::Cache,
    ports::{Blobs, Created, IdempotencyKey, Ids, LoadedRun, RunFilter, RunPage, RunStore, StoreError},
};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::{RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Run, StepRecord};
use serde_json::Value;

use crate::{error::failed, items::keyed};

/// Versions kept in a process.
const VERSIONS: usize = 64;

/// Runs and versions in a DynamoDB table (see the crate's page for its layout).
pub struct DynamoRunStore {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) versions: Cache<VersionId, Arc<WorkflowVersion>>,
}

impl DynamoRunStore {
    /// A store on this table, with its large values in `blobs`. `ids` names commits.
    pub fn new(client: Client, table: impl Into<String>, blobs: Arc<dyn Blobs>, ids: Arc<dyn Ids>) -> Self {
        Self { client, table: table.into(), blobs, ids, versions: Cache::new(VERSIONS) }
    }
}

#[async_trait]
impl RunStore for DynamoRunStore {
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        match idempotency {
            Some(key) => self.create_with_key(run, inputs, key).await,
            None => self.create_plain(run, inputs).await,
        }
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        self.load_run(team, run).await
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        self.load_bare(team, run).await
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        self.load_state(team, run).await
    }

    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        self.write_records(run, records).await?;
        self.replace_control(run, records).await
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
        self.store_version(version).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        self.load_version(team, version).await
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        self.overdue_runs(now, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let nothing = keyed("PING".to_owned(), "PING");
        let asked = self.client.get_item().table_name(&self.table).set_key(Some(nothing)).send().await;
        asked.map(drop).map_err(failed("reach the run store"))
    }
}
