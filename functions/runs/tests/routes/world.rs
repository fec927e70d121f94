//! The function on fakes, with a worker beside it.

use std::sync::Arc;

use app::{
    Delivery, KnownLimits, MessageName, Worker, advance_run,
    fakes::{
        ManualClock, MemoryAdmissions, MemoryAnnotations, MemoryCatalog, MemoryLimits, MemoryQueue,
        MemoryRunStore, ScriptedConnectors, SequentialIds, a_conductor_with, a_version, graph, team,
    },
    ports::{Clock, Polling, RunStore},
};
use axum::Router;
use chrono::TimeDelta;
use domain::{ServiceId, TeamId, WorkflowVersion};
use heddle_http::testing::{Answer, Passes, call, request, request_with};
use runs::{EventStream, State, router};
use serde_json::{Value, json};

/// The key of the team that most tests act for, and that of another one. Sample events carry the first.
pub(crate) const KEY: &str = "hdl_replace-this-by-the-key-in-.local/demo-key";
pub(crate) const FOREIGN_KEY: &str = "hdl_foreign";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) store: Arc<MemoryRunStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) catalog: Arc<MemoryCatalog>,
    pub(crate) limits: Arc<MemoryLimits>,
    pub(crate) admissions: Arc<MemoryAdmissions>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) team: TeamId,
    pub(crate) service: ServiceId,
    pub(crate) passes: Passes,
    worker: Worker,
}

impl World {
    pub(crate) fn new(connectors: ScriptedConnectors) -> Self {
        Self::with(connectors, EventStream::Batches)
    }

    /// A world whose events reach clients in this way.
    pub(crate) fn with(connectors: ScriptedConnectors, events: EventStream) -> Self {
        let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(MemoryQueue::default()));
        let catalog = Arc::new(MemoryCatalog::default());
        let clock = Arc::new(ManualClock::default());
        let own = team();
        let passes = Passes::new(clock.clone());
        let service = passes.service(own, KEY);
        passes.service(team(), FOREIGN_KEY);
        let (admissions, limits) = (Arc::new(MemoryAdmissions::default()), Arc::new(MemoryLimits::default()));
        let conductor = a_conductor_with(store.clone(), queue.clone(), admissions.clone(), clock.clone());
        let state = State {
            conductor: conductor.clone(),
            catalog: catalog.clone(),
            workflows: catalog.clone(),
            annotations: Arc::new(MemoryAnnotations::default()),
            limits: Arc::new(KnownLimits::new(limits.clone(), clock.clone())),
            admissions: admissions.clone(),
            store: store.clone(),
            queue: queue.clone(),
            dead_letters: queue.clone(),
            ends: Arc::new(Polling),
            moves: Arc::new(Polling),
            events,
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::default()),
        };
        let worker = Worker::new(conductor, Arc::new(connectors), Arc::new(Polling));
        Self {
            router: router(state, passes.gate(), || async { Ok(()) }),
            passes,
            store,
            queue,
            catalog,
            limits,
            admissions,
            clock,
            team: own,
            service,
            worker,
        }
    }

    /// Publishes a workflow of the team, which its service sees.
    pub(crate) async fn publish(&self, nodes: Value) -> WorkflowVersion {
        self.publish_with(nodes, |_| ()).await
    }

    /// The same after a change to its version.
    pub(crate) async fn publish_with(
        &self,
        nodes: Value,
        change: impl FnOnce(&mut WorkflowVersion),
    ) -> WorkflowVersion {
        let mut version = a_version(self.team, graph(nodes));
        change(&mut version);
        self.store.put_version(&version).await.unwrap();
        self.catalog.put_version(version.clone());
        self.catalog.attach_service(version.workflow_id, self.service);
        version
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        call(&self.router, request("GET", &format!("/api/v1/{path}"), KEY)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        call(&self.router, request_with("POST", &format!("/api/v1/{path}"), KEY, body)).await
    }

    /// Starts a run and answers its id.
    pub(crate) async fn start(&self, version: &WorkflowVersion, inputs: &Value) -> String {
        let answer = self.post("runs", &json!({"workflow_id": version.workflow_id, "inputs": inputs})).await;
        assert_eq!(answer.code(), 202, "{answer:?}");
        answer.body["run_id"].as_str().unwrap().to_owned()
    }

    /// Lets the worker handle what is in the queue, and what comes of it, until nothing is left. Delays pass at once.
    pub(crate) async fn work(&self) {
        while self.work_once().await {}
    }

    /// Lets the worker handle what is in the queue, and answers whether there was anything.
    pub(crate) async fn work_once(&self) -> bool {
        let hints = self.queue.take();
        for (hint, delay_s) in &hints {
            self.clock.advance(TimeDelta::seconds(i64::from(*delay_s)) + TimeDelta::milliseconds(7));
            let started_on = self.clock.now();
            let deadline = started_on + TimeDelta::seconds(120);
            let delivery = Delivery { message: MessageName::of("1"), receive_count: 1, started_on, deadline };
            advance_run(&self.worker, hint, &delivery).await.unwrap();
        }
        !hints.is_empty()
    }
}

/// Fetches and returns what was fetched.
pub(crate) fn fetching() -> Value {
    json!({
        "nodes": [
            {"key": "fetch", "name": "Fetch orders", "node_type": "get_api", "metadata": {"url": "https://api.example.com/"}},
            {"key": "done", "node_type": "return", "metadata": {"output": "{{ input }}"}},
        ],
        "edges": [{"from": "fetch", "to": "done"}],
    })
}

/// Returns its inputs.
pub(crate) fn returning() -> Value {
    json!({"nodes": [{"key": "done", "node_type": "return", "metadata": {"output": "{{ input }}"}}]})
}
