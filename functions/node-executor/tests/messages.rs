//! Messages of the steps queue, through the handler that Lambda calls.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::sync::Arc;

use app::{
    StartPorts, StartRun, Target, Worker,
    fakes::{
        ManualClock, MemoryCatalog, MemoryQueue, MemoryRunStore, ScriptedConnectors, SequentialIds,
        a_conductor, a_version, graph, team, trigger,
    },
    ports::{Clock, Hint, Polling, RunStore, Unlimited},
    start_run,
};
use chrono::TimeDelta;
use domain::{Priority, RunStatus};
use engine::Run;
use lambda_runtime::{Context, LambdaEvent};
use node_executor::{State, handle_batch};
use serde_json::{Value, json};

/// A worker on fakes, and a published workflow of one call and a `return`.
struct World {
    state: State,
    store: Arc<MemoryRunStore>,
    queue: Arc<MemoryQueue>,
    catalog: MemoryCatalog,
    clock: Arc<ManualClock>,
    ids: SequentialIds,
}

impl World {
    fn new(connectors: ScriptedConnectors) -> Self {
        let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(MemoryQueue::default()));
        let clock = Arc::new(ManualClock::default());
        let conductor = a_conductor(store.clone(), queue.clone(), clock.clone());
        let worker = Worker::new(conductor, Arc::new(connectors), Arc::new(Polling));
        let state = State { worker, clock: clock.clone() };
        Self { state, store, queue, catalog: MemoryCatalog::default(), clock, ids: SequentialIds::default() }
    }

    /// Starts a run and answers it with its first hint as a message body.
    async fn start(&self) -> (Run, String) {
        let team_id = team();
        let nodes = graph(json!({
            "nodes": [
                {"key": "fetch", "node_type": "get_api", "metadata": {"url": "https://api.example.com/"}},
                {"key": "done", "node_type": "return", "metadata": {"output": "{{ input }}"}},
            ],
            "edges": [{"from": "fetch", "to": "done"}],
        }));
        let version = a_version(team_id, nodes);
        self.store.put_version(&version).await.unwrap();
        self.catalog.put_version(version.clone());
        let ports = StartPorts {
            limits: &Unlimited,
            store: self.store.as_ref(),
            queue: self.queue.as_ref(),
            catalog: &self.catalog,
            clock: self.clock.as_ref(),
            ids: &self.ids,
        };
        let target = Target::Version(version.id);
        let wish = StartRun {
            team_id,
            target,
            inputs: json!({}),
            trigger: trigger(),
            service: None,
            priority: Priority::Default,
            idempotency_key: None,
        };
        let run = start_run(&ports, wish).await.unwrap().run;
        let (hint, _): (Hint, u32) = self.queue.take().remove(0);
        (run, serde_json::to_string(&hint).unwrap())
    }

    /// Delivers a batch and answers the ids of the messages that come back.
    async fn deliver(&self, bodies: &[&str]) -> Vec<String> {
        let record = |(i, body): (usize, &&str)| json!({"messageId": format!("m{i}"), "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}});
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        let mut context = Context::default();
        let deadline = self.clock.now() + TimeDelta::seconds(120);
        context.deadline = deadline.timestamp_millis().unsigned_abs();
        let event = serde_json::from_value(json!({"Records": records})).unwrap();
        let answer = handle_batch(&self.state, LambdaEvent::new(event, context)).await;
        answer.batch_item_failures.into_iter().map(|item| item.item_identifier).collect()
    }

    async fn status(&self, run: &Run) -> RunStatus {
        self.store.load_control(run.team_id, run.id).await.unwrap().status
    }
}

#[tokio::test]
async fn a_hint_moves_its_run_on_to_its_end() {
    let world = World::new(ScriptedConnectors::echo());
    let (run, hint) = world.start().await;
    assert_eq!(world.deliver(&[&hint]).await, Vec::<String>::new());
    assert_eq!(world.status(&run).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn the_same_hint_twice_in_one_batch_ends_in_one_result() {
    let world = World::new(ScriptedConnectors::echo());
    let (run, hint) = world.start().await;
    assert_eq!(world.deliver(&[&hint, &hint]).await, Vec::<String>::new());
    assert_eq!(world.status(&run).await, RunStatus::Succeeded);
    let records = world.store.load(run.team_id, run.id).await.unwrap().records;
    assert_eq!(records.len(), 2, "one of each node: {records:?}");
}

#[tokio::test]
async fn what_is_no_hint_is_left_for_the_dead_letters_and_disturbs_no_other() {
    let world = World::new(ScriptedConnectors::echo());
    let (run, hint) = world.start().await;
    assert_eq!(world.deliver(&["{}", &hint, "\u{0}", "[1", ""]).await, ["m0", "m2", "m3", "m4"]);
    assert_eq!(world.status(&run).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_connector_that_panics_costs_its_own_message_only() {
    let world = World::new(ScriptedConnectors::new(|call| {
        assert!(call.attempt > 1, "the first attempt is a bug");
        Ok(json!("fine"))
    }));
    let (run, hint) = world.start().await;
    assert_eq!(world.deliver(&[&hint]).await, ["m0"]);
    assert_eq!(world.status(&run).await, RunStatus::Running, "its claim holds until the lease ends");
}

#[tokio::test]
async fn a_hint_for_a_run_that_does_not_exist_is_dropped() {
    let world = World::new(ScriptedConnectors::echo());
    let (run, _) = world.start().await;
    let hint = Hint { team_id: team(), ..Hint::at(&run) };
    assert_eq!(world.deliver(&[&serde_json::to_string(&hint).unwrap()]).await, Vec::<String>::new());
    assert_eq!(world.status(&run).await, RunStatus::Pending, "a foreign team moves nothing");
}

#[tokio::test]
async fn the_sample_event_is_understood() {
    let world = World::new(ScriptedConnectors::echo());
    let event = serde_json::from_str(include_str!("../../../events/sqs-step.json")).unwrap();
    let answer = handle_batch(&world.state, LambdaEvent::new(event, Context::default())).await;
    assert_eq!(answer.batch_item_failures.len(), 0, "its runs don't exist, so there is nothing to do");
}
