//! Losing a worker at a chosen point: a future that never returns, to be dropped by the test.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Call, Run, StepRecord};
use serde_json::Value;
use tokio::sync::Notify;

use crate::ports::{
    Admission, Admissions, Connectors, Created, EndedRuns, Executed, Exports, Hint, IdempotencyKey,
    LoadedRun, RunFilter, RunPage, RunStore, SlotWish, Slots, StepQueue, StepSlots, StoreError,
};

/// Counts the points that workers pass (before and after every request they make) and stops them for good at one of them.
#[derive(Debug, Default)]
pub struct CrashSwitch {
    passed: AtomicU64,
    stop_at: AtomicU64,
    stopped: Notify,
}

impl CrashSwitch {
    /// Stops the worker that passes the `nth` point from now on, from 1.
    pub fn arm(&self, nth: u64) {
        self.stop_at.store(self.passed.load(Ordering::SeqCst) + nth, Ordering::SeqCst);
    }

    /// Whether the chosen point was reached.
    pub fn has_stopped(&self) -> bool {
        let stop_at = self.stop_at.load(Ordering::SeqCst);
        stop_at > 0 && self.passed.load(Ordering::SeqCst) >= stop_at
    }

    /// Runs a worker until it is done (`Some`) or stopped (`None`); then it is dropped, as if its process had died.
    pub async fn run<T>(&self, worker: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = worker => Some(done),
            () = self.stopped.notified() => None,
        }
    }

    /// Lets others have their turn too, so that workers that run at once take each other's place at every request.
    async fn pass(&self) {
        tokio::task::yield_now().await;
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 == self.stop_at.load(Ordering::SeqCst) {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A port whose callers can be lost before and after each request.
pub struct Crashing<P> {
    inner: Arc<P>,
    switch: Arc<CrashSwitch>,
}

impl<P> Crashing<P> {
    /// Wraps a port.
    pub const fn new(inner: Arc<P>, switch: Arc<CrashSwitch>) -> Self {
        Self { inner, switch }
    }

    async fn around<T: Send>(&self, request: impl Future<Output = T> + Send) -> T {
        self.switch.pass().await;
        let answer = request.await;
        self.switch.pass().await;
        answer
    }
}

#[async_trait]
impl<Q: StepQueue> StepQueue for Crashing<Q> {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        self.around(self.inner.send(hints)).await
    }
}

#[async_trait]
impl<A: Admissions> Admissions for Crashing<A> {
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError> {
        self.around(self.inner.admit(team, run, limit)).await
    }

    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError> {
        self.around(self.inner.leave(team, run)).await
    }

    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError> {
        self.around(self.inner.position(team, run)).await
    }
}

#[async_trait]
impl<A: StepSlots> StepSlots for Crashing<A> {
    async fn take(
        &self,
        team: TeamId,
        wish: &SlotWish,
        limit: u32,
        now: Timestamp,
    ) -> Result<Slots, StoreError> {
        self.around(self.inner.take(team, wish, limit, now)).await
    }

    async fn give_back(&self, team: TeamId, holder: &str, held: u32, kept: u32) -> Result<(), StoreError> {
        self.around(self.inner.give_back(team, holder, held, kept)).await
    }
}

#[async_trait]
impl<C: Connectors> Connectors for Crashing<C> {
    async fn execute(&self, call: &Call, budget: Duration) -> Executed {
        self.around(self.inner.execute(call, budget)).await
    }
}

#[async_trait]
impl<S: RunStore> RunStore for Crashing<S> {
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        self.around(self.inner.create(run, inputs, idempotency)).await
    }

    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError> {
        self.around(self.inner.load(team, run)).await
    }

    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError> {
        self.around(self.inner.load_records(team, run)).await
    }

    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError> {
        self.around(self.inner.load_control(team, run)).await
    }

    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        self.around(self.inner.commit(run, records)).await
    }

    async fn list(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        self.around(self.inner.list(team, filter, cursor, limit)).await
    }

    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        self.around(self.inner.put_version(version)).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        self.around(self.inner.version(team, version)).await
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        self.around(self.inner.overdue(now, limit)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.around(self.inner.ping()).await
    }
}

#[async_trait]
impl<S: EndedRuns> EndedRuns for Crashing<S> {
    async fn ended_before(
        &self,
        team: TeamId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        self.around(self.inner.ended_before(team, before, limit)).await
    }

    async fn mark_exported(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        self.around(self.inner.mark_exported(team, run)).await
    }

    async fn exported(&self, team: TeamId, runs: &[RunId]) -> Result<BTreeSet<RunId>, StoreError> {
        self.around(self.inner.exported(team, runs)).await
    }

    async fn purge(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        self.around(self.inner.purge(team, run)).await
    }
}

#[async_trait]
impl<E: Exports> Exports for Crashing<E> {
    async fn put_export(&self, team: TeamId, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.around(self.inner.put_export(team, name, bytes)).await
    }

    async fn export(&self, team: TeamId, name: &str) -> Result<Vec<u8>, StoreError> {
        self.around(self.inner.export(team, name)).await
    }
}
