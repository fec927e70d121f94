//! A run store that tells of every commit it accepts, so that nobody has to look for what happens.

use std::sync::Arc;

use app::ports::{Created, IdempotencyKey, LoadedRun, RunFilter, RunPage, RunStore, StoreError};
use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Run, StepRecord};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// A commit that stands.
#[derive(Debug, Clone)]
pub(crate) struct Committed {
    /// The run as the commit left it.
    pub(crate) run: Run,
    /// What it settled.
    pub(crate) records: Vec<StepRecord>,
}

/// Hands on what a store accepts.
pub(crate) struct Watched {
    inner: Arc<dyn RunStore>,
    commits: UnboundedSender<Committed>,
}

impl Watched {
    /// A store in front of `inner`, and the commits that it will accept, in the order of their acceptance as far as workers see it.
    pub(crate) fn new(inner: Arc<dyn RunStore>) -> (Self, UnboundedReceiver<Committed>) {
        let (commits, accepted) = mpsc::unbounded_channel();
        (Self { inner, commits }, accepted)
    }
}

#[async_trait]
impl RunStore for Watched {
    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        self.inner.commit(run, records).await?;
        // Whoever listened may have seen enough.
        let _ = self.commits.send(Committed { run: run.clone(), records: records.to_vec() });
        Ok(())
    }

    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        self.inner.create(run, inputs, idempotency).await
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        self.inner.load(team, run).await
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        self.inner.load_records(team, run).await
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        self.inner.load_control(team, run).await
    }

    async fn list(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        self.inner.list(team, filter, cursor, limit).await
    }

    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        self.inner.put_version(version).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        self.inner.version(team, version).await
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        self.inner.overdue(now, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

#[cfg(test)]
mod tests {
    use app::fakes::{MemoryRunStore, a_run, team};

    use super::*;

    #[tokio::test]
    async fn only_commits_that_were_accepted_are_handed_on() {
        let (store, mut commits) = Watched::new(Arc::new(MemoryRunStore::default()));
        let run = a_run(team(), Timestamp::UNIX_EPOCH);
        store.create(&run, &Value::Null, None).await.unwrap();
        let next = Run { revision: 1, ..run };
        store.commit(&next, &[]).await.unwrap();
        assert!(matches!(store.commit(&next, &[]).await, Err(StoreError::Conflict)));
        assert_eq!(commits.try_recv().unwrap().run, next);
        assert!(commits.try_recv().is_err());
    }
}
