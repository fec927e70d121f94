//! A world in memory: runs, a queue that a test delivers from, a clock that a test moves.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::Arc;

use app::{
    AdvanceError, Advanced, Conductor, Delivery, KnownLimits, MessageName, StartError, StartPorts, StartRun,
    Started, Target, Worker, advance_run,
    fakes::{
        CrashSwitch, Crashing, FixedChance, ManualClock, MemoryAdmissions, MemoryCatalog, MemoryLimits,
        MemoryQueue, MemoryRunStore, MemoryTimers, ScriptedConnectors, SequentialIds, a_version, graph, team,
        trigger,
    },
    ports::{Clock, Hint, LoadedRun, Polling, RunStore},
    start_run,
};
use chrono::TimeDelta;
use domain::{Priority, Timestamp, WorkflowVersion};
use engine::Run;
use serde_json::{Value, json};

/// What the queue waits before it delivers a message again that nobody acknowledged.
const VISIBILITY: TimeDelta = TimeDelta::seconds(90);

/// How long an invocation may take.
const INVOCATION: TimeDelta = TimeDelta::seconds(60);

pub struct World {
    pub store: Arc<MemoryRunStore>,
    pub queue: Arc<MemoryQueue>,
    pub timers: Arc<MemoryTimers>,
    pub admissions: Arc<MemoryAdmissions>,
    /// What teams are limited to. Known for a minute once somebody has asked.
    pub limits: Arc<MemoryLimits>,
    pub known_limits: KnownLimits,
    pub catalog: MemoryCatalog,
    pub clock: Arc<ManualClock>,
    pub ids: SequentialIds,
    pub connectors: Arc<ScriptedConnectors>,
    pub switch: Arc<CrashSwitch>,
    pub conductor: Arc<Conductor>,
    pub worker: Worker,
    /// Messages that were sent and not acknowledged.
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub hint: Hint,
    pub due: Timestamp,
    pub receive_count: u32,
}

impl World {
    pub fn new(connectors: ScriptedConnectors) -> Self {
        let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(MemoryQueue::default()));
        let (clock, switch) = (Arc::new(ManualClock::default()), Arc::new(CrashSwitch::default()));
        let connectors = Arc::new(connectors);
        let timers = Arc::new(MemoryTimers::new(Arc::<ManualClock>::clone(&clock)));
        let (admissions, limits) = (Arc::new(MemoryAdmissions::default()), Arc::new(MemoryLimits::default()));
        let known_limits =
            KnownLimits::new(Arc::<MemoryLimits>::clone(&limits), Arc::<ManualClock>::clone(&clock));
        let conductor = Arc::new(Conductor::new(
            Arc::new(Crashing::new(Arc::clone(&store), Arc::clone(&switch))),
            Arc::new(Crashing::new(Arc::clone(&queue), Arc::clone(&switch))),
            Arc::<MemoryTimers>::clone(&timers),
            Arc::new(Crashing::new(Arc::clone(&admissions), Arc::clone(&switch))),
            Arc::<ManualClock>::clone(&clock),
            Arc::new(FixedChance(0.5)),
        ));
        let worker = Worker::new(
            Arc::clone(&conductor),
            Arc::new(Crashing::new(Arc::clone(&connectors), Arc::clone(&switch))),
            Arc::new(Polling),
        );
        let (catalog, ids, messages) = (MemoryCatalog::default(), SequentialIds::default(), Vec::new());
        Self {
            store,
            queue,
            timers,
            admissions,
            limits,
            known_limits,
            catalog,
            clock,
            ids,
            connectors,
            switch,
            conductor,
            worker,
            messages,
        }
    }

    pub fn ports(&self) -> StartPorts<'_> {
        StartPorts {
            store: &*self.store,
            queue: &*self.queue,
            catalog: &self.catalog,
            limits: &self.known_limits,
            clock: &*self.clock,
            ids: &self.ids,
        }
    }

    /// Publishes a graph, starts it, and keeps its first message.
    pub async fn started(&mut self, nodes_and_edges: Value, inputs: Value) -> Run {
        let version = a_version(team(), graph(nodes_and_edges));
        self.catalog.put_version(version.clone());
        let started = self.start(&version, inputs, None).await.unwrap();
        self.collect();
        started.run
    }

    pub async fn start(
        &self,
        version: &WorkflowVersion,
        inputs: Value,
        key: Option<&str>,
    ) -> Result<Started, StartError> {
        let wish = StartRun {
            team_id: version.team_id,
            target: Target::Workflow(version.workflow_id),
            inputs,
            trigger: trigger(),
            service: None,
            priority: Priority::Default,
            idempotency_key: key.map(str::to_owned),
        };
        start_run(&self.ports(), wish).await
    }

    /// Moves what was sent to the messages; answers it.
    pub fn collect(&mut self) -> Vec<Message> {
        let now = self.clock.now();
        let sent = self.queue.take().into_iter().map(|(hint, delay)| Message {
            hint,
            due: now + TimeDelta::seconds(delay.into()),
            receive_count: 0,
        });
        let sent: Vec<_> = sent.collect();
        self.messages.extend(sent.clone());
        sent
    }

    pub fn delivery(&self, receive_count: u32) -> Delivery {
        let started_on = self.clock.now();
        Delivery {
            message: MessageName::of("message"),
            receive_count,
            started_on,
            deadline: started_on + INVOCATION,
        }
    }

    /// Hands a hint to a worker.
    pub async fn advance(&self, hint: &Hint, receive_count: u32) -> Result<Advanced, AdvanceError> {
        advance_run(&self.worker, hint, &self.delivery(receive_count)).await
    }

    /// Delivers one message at its time. It comes back if its worker failed or was lost. None if so.
    pub async fn deliver(&mut self, at: usize) -> Option<Advanced> {
        let mut message = self.messages.remove(at);
        self.clock.advance_to(message.due);
        message.receive_count += 1;
        let delivery = self.delivery(message.receive_count);
        let done = self.switch.run(advance_run(&self.worker, &message.hint, &delivery)).await;
        self.collect();
        let done = done.and_then(Result::ok);
        if done.is_none() {
            message.due = self.clock.now() + VISIBILITY;
            self.messages.push(message);
        }
        done
    }

    /// Delivers messages in the order of their time until there are none left; answers how many it took.
    pub async fn drain(&mut self) -> usize {
        let mut deliveries = 0;
        while let Some(next) = (0..self.messages.len()).min_by_key(|at| self.messages[*at].due) {
            self.deliver(next).await;
            deliveries += 1;
            assert!(deliveries < 2000, "messages multiply: {:#?}", self.messages);
        }
        deliveries
    }

    pub async fn load(&self, run: &Run) -> LoadedRun {
        self.store.load(run.team_id, run.id).await.unwrap()
    }

    pub async fn result(&self, run: &Run) -> Option<Value> {
        let loaded = self.load(run).await;
        engine::run_result(&loaded.run, &loaded.values)
    }
}

pub fn hint(run: &Run, node: Option<&str>) -> Hint {
    Hint { node: node.map(Into::into), ..Hint::at(run) }
}

/// A node that calls `https://api.example.com/<key>` with its input.
pub fn effect(key: &str) -> Value {
    let metadata = json!({"url": format!("https://api.example.com/{key}"), "body": "{{ input }}"});
    json!({"key": key, "node_type": "post_api", "metadata": metadata})
}

/// A node that evaluates a program.
pub fn pure(key: &str, program: &str) -> Value {
    json!({"key": key, "node_type": "advanced", "metadata": {"program": program}})
}

/// A graph of nodes and of edges like `a > b`.
pub fn flow(nodes: impl Into<Value>, edges: &[&str]) -> Value {
    let edges = edges.iter().map(|edge| edge.split_once(" > ").unwrap());
    let edges: Vec<_> = edges.map(|(from, to)| json!({"from": from, "to": to})).collect();
    json!({"nodes": nodes.into(), "edges": edges})
}
