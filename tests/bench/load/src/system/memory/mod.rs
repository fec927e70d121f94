//! Heddle's own loop in this process, with its store and its queue in memory: what is left is our own cost.
//!
//! It has threads of its own, by whose names its CPU time is told from the driver's and that of the driver's server. Nothing is
//! logged, and a value that a real store would write as JSON is only copied.

mod at_once;
mod crew;
mod queue;

use std::{process, sync::Arc, thread, time::Duration};

use app::{
    Conductor, StartPorts, StartRun, Target, Worker,
    fakes::{
        self, MemoryAdmissions, MemoryCatalog, MemoryCounters, MemoryRunStore, MemoryTeamSecrets,
        MemoryTimers,
    },
    ports::{Clock, Connectors, Ids, LoadedRun, Polling, RunStore as _, Unlimited},
    start_run,
};
use connectors::{
    CircuitBreaker, ConnectorSet,
    egress::{Egress, EgressPolicy},
};
use domain::{Priority, RunId, RunStatus, TeamId, WorkflowId};
use serde_json::Value;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::timeout,
};

use self::{at_once::AtOnce, crew::Crew, queue::Bell};
use super::{Client, System};
use crate::{
    cpu,
    failure::{Failure, PATIENCE},
    peak,
    spent::{self, Cpu, Spent},
    workloads::Workload,
};

/// What the names of Heddle's threads begin with.
const THREADS: &str = "heddle";

/// Longer than a measurement: a thread that ends takes the count of its time along.
const KEEP_THREADS: Duration = Duration::from_hours(1);

/// Messages that are worked on at once, as by `heddle serve`.
const WORKERS: u32 = 16;

/// Who answers the requests of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// The driver's server, over loopback HTTP, by the connectors that are deployed.
    Server,
    /// The connector itself, at once: what is left is the engine's.
    AtOnce,
}

/// Heddle in this process.
pub(crate) struct Memory {
    /// Always there, until it is taken to be shut down.
    runtime: Option<Runtime>,
    heddle: Arc<Heddle>,
}

/// What its threads share.
struct Heddle {
    team: TeamId,
    store: Arc<MemoryRunStore>,
    queue: Arc<Bell>,
    catalog: MemoryCatalog,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    crew: Arc<Crew>,
}

impl Memory {
    /// Starts its threads and its workers.
    pub(crate) fn start(answers: Answers) -> Result<Self, Failure> {
        let heddle = Arc::new(Heddle::new(answers)?);
        let threads = thread::available_parallelism().map_or(1, Into::into);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(THREADS)
            .thread_keep_alive(KEEP_THREADS)
            .enable_all()
            .build()
            .map_err(|error| Failure::Socket { address: "the runtime".to_owned(), error })?;
        for _ in 0..WORKERS {
            runtime.spawn(Arc::clone(&heddle.crew).work(Arc::clone(&heddle.queue)));
        }
        peak::forget();
        Ok(Self { runtime: Some(runtime), heddle })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Waiting for its threads would block the driver's.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Heddle {
    fn new(answers: Answers) -> Result<Self, Failure> {
        let (clock, ids) = (Arc::new(runtime::SystemClock), Arc::new(runtime::TimeOrderedIds));
        let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(Bell::default()));
        let timers = Arc::new(MemoryTimers::new(clock.clone()));
        let chance = Arc::new(runtime::SystemChance);
        let admissions = Arc::new(MemoryAdmissions::default());
        let conductor =
            Conductor::new(store.clone(), queue.clone(), timers, admissions, clock.clone(), chance);
        let worker = Worker::new(Arc::new(conductor), connectors(answers, clock.clone())?, Arc::new(Polling));
        let crew = Arc::new(Crew::new(worker, clock.clone()));
        Ok(Self { team: fakes::team(), store, queue, catalog: MemoryCatalog::default(), clock, ids, crew })
    }

    /// One run from its start to its result. What it leaves is forgotten, so that memory holds what is under way.
    async fn run(&self, workflow: WorkflowId, inputs: Value) -> Result<Value, Failure> {
        let ports = StartPorts {
            store: self.store.as_ref(),
            queue: self.queue.as_ref(),
            catalog: &self.catalog,
            limits: &Unlimited,
            clock: self.clock.as_ref(),
            ids: self.ids.as_ref(),
        };
        let wish = StartRun {
            team_id: self.team,
            target: Target::Workflow(workflow),
            inputs,
            trigger: fakes::trigger(),
            service: None,
            priority: Priority::Default,
            idempotency_key: None,
        };
        let started = start_run(&ports, wish).await.map_err(wrong)?;
        let id = started.run.id;
        self.ended(id).await?;
        let LoadedRun { run, values, .. } = self.store.load(self.team, id).await.map_err(wrong)?;
        self.store.forget(id);
        match run.status {
            RunStatus::Succeeded => Ok(engine::run_result(&run, &values).unwrap_or_default()),
            status => Err(Failure::Wrong(format!("a run {}: {:?}", status.as_str(), run.error))),
        }
    }

    /// Returns when the run has ended.
    async fn ended(&self, id: RunId) -> Result<(), Failure> {
        let heard = self.crew.listen(id);
        // It may have ended before anybody listened.
        let run = self.store.load_control(self.team, id).await.map_err(wrong)?;
        if run.status.is_terminal() {
            self.crew.forget(id);
            return Ok(());
        }
        let late = || Failure::Wrong(format!("run {id} has not ended within {PATIENCE:?}"));
        timeout(PATIENCE, heard).await.ok().and_then(Result::ok).ok_or_else(late)
    }
}

impl System for Memory {
    type Client = InProcess;

    async fn publish(&self, workload: &Workload) -> Result<String, Failure> {
        let version = fakes::a_version(self.heddle.team, fakes::graph((workload.graph)()));
        engine::compile(Arc::new(version.clone()))
            .map_err(|violations| Failure::Wrong(format!("{}: {violations:?}", workload.name)))?;
        self.heddle.store.put_version(&version).await.map_err(wrong)?;
        let id = version.workflow_id.to_string();
        self.heddle.catalog.put_version(version);
        Ok(id)
    }

    async fn client(&self) -> Result<InProcess, Failure> {
        let runtime = self.runtime.as_ref().map(|runtime| runtime.handle().clone());
        let threads = runtime.ok_or_else(|| Failure::Usage("Heddle was shut down".to_owned()))?;
        Ok(InProcess { threads, heddle: Arc::clone(&self.heddle) })
    }

    async fn spent(&self) -> Result<Spent, Failure> {
        let (all, heddle) = (cpu::seconds_of_tree(process::id())?, cpu::seconds_of_threads(THREADS)?);
        let store = self.heddle.store.requests();
        let mut asked = spent::counted(
            "store",
            [
                ("load", store.loads.into(), 0),
                ("commit", store.commits.into(), 0),
                ("lost commit", store.conflicts.into(), 0),
                ("record", store.records.into(), 0),
            ],
        );
        asked.extend(self.heddle.queue.asked());
        asked.extend(self.heddle.crew.asked());
        Ok(Spent {
            cpu: Cpu { heddle: Some(heddle), driver: all - heddle, ..Cpu::default() },
            peak_mb: spent::peak_of("heddle and driver", peak::mb(process::id())),
            asked: Some(asked),
        })
    }
}

/// Starts runs on Heddle's threads.
pub(crate) struct InProcess {
    threads: Handle,
    heddle: Arc<Heddle>,
}

impl Client for InProcess {
    async fn run(&mut self, workflow: &str, inputs: Value) -> Result<Value, Failure> {
        let workflow = workflow.parse().map_err(wrong)?;
        let heddle = Arc::clone(&self.heddle);
        let run = self.threads.spawn(async move { heddle.run(workflow, inputs).await });
        run.await.map_err(wrong)?
    }
}

/// What is deployed, or what needs no network. Behind the circuit breaker both, which a healthy call passes by.
fn connectors(answers: Answers, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connectors>, Failure> {
    let counters = Arc::new(MemoryCounters::new(clock.clone()));
    Ok(match answers {
        Answers::AtOnce => Arc::new(CircuitBreaker::new(AtOnce, counters, clock)),
        Answers::Server => {
            let policy: EgressPolicy = "127.0.0.1/32".parse().map_err(wrong)?;
            let connectors = ConnectorSet::new(Egress::new(policy), Arc::new(MemoryTeamSecrets::default()));
            Arc::new(CircuitBreaker::new(connectors, counters, clock))
        }
    })
}

fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::Wrong(format!("in memory: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads;

    #[tokio::test]
    async fn every_workload_comes_to_its_result_with_answers_at_once() {
        let memory = Memory::start(Answers::AtOnce).unwrap();
        let mut client = memory.client().await.unwrap();
        for workload in &workloads::ALL {
            let workflow = memory.publish(workload).await.unwrap();
            for n in 0..3 {
                let result = client.run(&workflow, workloads::inputs(n, "http://127.0.0.1:1")).await.unwrap();
                assert_eq!(result, (workload.result)(n), "{}, run {n}", workload.name);
            }
        }
    }

    #[tokio::test]
    async fn what_a_run_asks_of_store_and_queue_is_counted() {
        let memory = Memory::start(Answers::AtOnce).unwrap();
        let chain = workloads::ALL.iter().find(|workload| workload.name == workloads::CHAIN_HTTP).unwrap();
        let workflow = memory.publish(chain).await.unwrap();
        let mut client = memory.client().await.unwrap();
        let before = memory.spent().await.unwrap();
        for n in 0..4 {
            client.run(&workflow, workloads::inputs(n, "http://127.0.0.1:1")).await.unwrap();
        }
        let each = memory.spent().await.unwrap().per_run(&before, 4.0);
        assert_eq!(each.requests("store", "commit"), Some(11.0));
        assert_eq!(each.requests("store", "record"), Some(11.0));
        assert_eq!(each.requests("queue", "send"), Some(1.0));
    }

    #[test]
    fn a_failed_run_is_a_failure() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = Memory::start(Answers::AtOnce).unwrap();
            let workflow = memory.publish(&workloads::ALL[1]).await.unwrap();
            let mut client = memory.client().await.unwrap();
            let inputs = workloads::inputs(1, "no address");
            assert!(matches!(client.run(&workflow, inputs).await, Err(Failure::Wrong(_))));
        });
    }
}
