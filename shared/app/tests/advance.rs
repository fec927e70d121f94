//! What one message does to a run.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::sync::Arc;

use app::{
    AdvanceError, Advanced, Delivery, StepOutcome, advance_run,
    fakes::{Requests, ScriptedConnectors, a_version, graph, team},
    ports::{Clock, Hint},
};
use chrono::TimeDelta;
use common::{World, effect, flow, hint, pure};
use domain::{ErrorClass, Failure, RunStatus};
use engine::{NodeState, Run};
use serde_json::{Value, json};

fn chain(keys: &[&str], node: impl Fn(&str) -> Value) -> Value {
    let edges: Vec<_> = keys.windows(2).map(|pair| format!("{} > {}", pair[0], pair[1])).collect();
    flow(
        keys.iter().map(|key| node(key)).collect::<Vec<_>>(),
        &edges.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

fn sent(world: &mut World) -> Vec<(Option<String>, i64)> {
    let now = world.clock.now();
    let sent = world.collect();
    sent.into_iter().map(|m| (m.hint.node.map(|key| key.to_string()), (m.due - now).num_seconds())).collect()
}

#[tokio::test]
async fn ten_pure_nodes_in_a_row_take_one_message_and_one_commit() {
    let mut world = World::new(ScriptedConnectors::echo());
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let run = world.started(chain(&keys, |key| pure(key, "input + 1")), json!(0)).await;
    assert_eq!(world.drain().await, 1);
    assert_eq!(world.store.requests(), Requests { loads: 1, commits: 1, conflicts: 0, records: 10 });
    assert_eq!(world.result(&run).await, Some(json!(10)));
}

#[tokio::test]
async fn a_chain_of_four_effects_takes_one_message_and_five_commits() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(chain(&["a", "b", "c", "d"], effect), json!({"n": 1})).await;
    let advanced = world.deliver(0).await.unwrap();
    assert_eq!(world.store.requests(), Requests { loads: 1, commits: 5, conflicts: 0, records: 4 });
    let expected = Advanced {
        commits: 5,
        calls: 4,
        steps: [(("post_api".to_owned(), StepOutcome::Succeeded), 4)].into(),
        run_ended: Some(RunStatus::Succeeded),
        ..Advanced::default()
    };
    assert_eq!((advanced, world.messages.len()), (expected, 0));
    assert_eq!(world.load(&run).await.records.len(), 4);
}

/// So many effects side by side, from `n0` on.
fn side_by_side(effects: usize) -> Value {
    let nodes: Vec<Value> = (0..effects).map(|i| effect(&format!("n{i}"))).collect();
    flow(nodes, &[])
}

#[tokio::test]
async fn twenty_effects_side_by_side_take_one_message_and_two_commits() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(side_by_side(20), json!({})).await;
    let advanced = world.deliver(0).await.unwrap();
    assert_eq!((advanced.calls, advanced.hints, world.messages.len()), (20, 0, 0));
    assert_eq!(world.store.requests(), Requests { loads: 1, commits: 2, conflicts: 0, records: 20 });
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn what_one_worker_can_not_take_goes_to_others_in_groups() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(side_by_side(45), json!({})).await;
    let first = hint(&run, None);
    world.messages.clear();
    world.advance(&first, 1).await.unwrap();
    assert_eq!(sent(&mut world), [(Some("n20".into()), 0), (Some("n40".into()), 0)]);
}

#[tokio::test]
async fn hints_that_were_lost_with_their_worker_are_sent_by_its_successor() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(side_by_side(45), json!({})).await;
    world.messages.clear();
    // The load, the version and the commit each have a point before and after; the seventh is before the hints.
    world.switch.arm(7);
    let first = hint(&run, None);
    assert_eq!(world.switch.run(world.advance(&first, 1)).await.map(drop), None);
    assert!(world.load(&run).await.run.nodes.contains_key("n44"), "lost after the commit");
    assert!(world.collect().is_empty(), "lost before the hints");

    world.advance(&first, 2).await.unwrap();
    let hints: Vec<_> = sent(&mut world).into_iter().filter_map(|(node, _)| node).collect();
    assert_eq!(hints, ["n40", "n0"], "it takes the rest itself, and looks after what the lost one holds");
}

#[tokio::test]
async fn a_failed_attempt_comes_back_when_its_retry_is_due() {
    let mut world = World::new(ScriptedConnectors::new(|call| match call.attempt {
        1 => Err(Failure::new(ErrorClass::Transient, "http_status", "503")),
        _ => Ok(json!("late")),
    }));
    let run = world.started(flow(vec![effect("a")], &[]), json!({})).await;
    world.messages.clear();
    let advanced = world.advance(&hint(&run, None), 1).await.unwrap();
    assert_eq!(
        (advanced.steps[&("post_api".to_owned(), StepOutcome::Retried)], advanced.run_ended),
        (1, None)
    );
    let waits = sent(&mut world);
    assert_eq!(waits, [(Some("a".into()), 3)], "half of five seconds, rounded up to whole ones");

    let stray = world.advance(&hint(&run, Some("a")), 1).await.unwrap();
    assert_eq!((stray.commits, stray.hints), (0, 0), "the hint of the retry is on its way");
    world.clock.advance(TimeDelta::seconds(1));
    let early = world.advance(&hint(&run, Some("a")), 1).await.unwrap();
    assert_eq!((early.commits, early.hints), (0, 1), "it may be this one, which then waits for the time");
    world.messages.clear();
    world.collect();
    world.drain().await;
    assert_eq!(world.result(&run).await, Some(json!("late")));
    let attempts: Vec<_> = world.load(&run).await.records.iter().map(|r| (r.attempt, r.retried)).collect();
    assert_eq!(attempts, [(1, true), (2, false)]);
}

#[tokio::test]
async fn a_hint_for_a_run_that_does_not_exist_is_acknowledged() {
    let world = World::new(ScriptedConnectors::echo());
    let unknown = Hint::at(&app::fakes::a_run(team(), world.clock.now()));
    assert_eq!(world.advance(&unknown, 1).await.unwrap(), Advanced::default());
}

#[tokio::test]
async fn a_run_without_its_version_is_left_for_the_dead_letters() {
    let mut world = World::new(ScriptedConnectors::echo());
    let version = a_version(team(), graph(flow(vec![pure("a", "1")], &[])));
    let run = Run { version_id: version.id, ..app::fakes::a_run(version.team_id, world.clock.now()) };
    app::ports::RunStore::create(&*world.store, &run, &json!({}), None).await.unwrap();
    let answer = world.advance(&hint(&run, None), 1).await;
    assert!(matches!(answer, Err(AdvanceError::VersionMissing(id)) if id == version.id), "{answer:?}");
    assert!(world.collect().is_empty());
}

/// A world in which a worker was lost while it held `a`, which `b` follows; with the message of its run.
async fn with_a_lost_worker() -> (World, Run) {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(chain(&["a", "b"], effect), json!({})).await;
    world.switch.arm(7);
    assert_eq!(world.deliver(0).await, None);
    assert!(matches!(world.load(&run).await.run.nodes["a"], NodeState::Running { attempt: 1, .. }));
    assert!(world.connectors.calls().is_empty(), "lost before the call");
    (world, run)
}

#[tokio::test]
async fn a_hint_for_a_node_that_another_worker_holds_waits_for_the_end_of_its_lease() {
    let (mut world, run) = with_a_lost_worker().await;
    for node in [Some("a"), None] {
        let advanced = world.advance(&hint(&run, node), 1).await.unwrap();
        assert_eq!((advanced.commits, advanced.hints), (0, 1));
        assert_eq!(sent(&mut world), [(Some("a".into()), 35)], "30 s of the call and 5 s of grace");
    }
}

#[tokio::test]
async fn a_lost_workers_node_is_claimed_again_when_its_lease_has_ended() {
    let (mut world, run) = with_a_lost_worker().await;
    let copy = hint(&run, Some("a"));
    world.advance(&copy, 1).await.unwrap();
    world.collect();
    let started = world.clock.now();
    while world.result(&run).await.is_none() {
        let next = (0..world.messages.len()).min_by_key(|at| world.messages[*at].due).unwrap();
        world.deliver(next).await;
    }
    assert_eq!((world.clock.now() - started).num_seconds(), 35);
    let attempts: Vec<_> =
        world.connectors.calls().iter().map(|call| (call.node.to_string(), call.attempt)).collect();
    assert_eq!(attempts, [("a".into(), 2), ("b".into(), 1)]);
}

#[tokio::test]
async fn a_late_result_of_a_lost_claim_changes_nothing() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(chain(&["a", "b"], effect), json!({})).await;
    world.messages.clear();
    let first = hint(&run, None);
    // The first worker is put to sleep while it executes; a second one takes over when the lease has ended.
    let sleeper = Sleeper::default();
    let asleep = app::Worker::new(
        Arc::clone(&world.conductor),
        Arc::new(sleeper.clone()),
        Arc::new(app::ports::Polling),
    );
    let delivery = world.delivery(1);
    let (late, ()) = tokio::join!(advance_run(&asleep, &first, &delivery), async {
        sleeper.asleep.notified().await;
        world.clock.advance(TimeDelta::seconds(36));
        let taken_over = world.advance(&first, 1).await.unwrap();
        assert_eq!(taken_over.run_ended, Some(RunStatus::Succeeded));
        sleeper.wake.notify_one();
    });
    assert_eq!(late.unwrap().commits, 1, "only its claim");
    let records = world.load(&run).await.records;
    let outputs: Vec<_> = records.iter().filter_map(|record| record.output.as_deref()).collect();
    assert_eq!(outputs.len(), 2);
    assert!(outputs.iter().all(|output| **output != json!("late")));
}

/// Connectors that fall asleep over their call and answer `late`.
#[derive(Clone, Default)]
struct Sleeper {
    asleep: Arc<tokio::sync::Notify>,
    wake: Arc<tokio::sync::Notify>,
}

#[async_trait::async_trait]
impl app::ports::Connectors for Sleeper {
    async fn execute(&self, _: &engine::Call, _: std::time::Duration) -> app::ports::Executed {
        self.asleep.notify_one();
        self.wake.notified().await;
        app::ports::Executed { outcome: Ok(json!("late")), notes: Vec::new() }
    }
}

#[tokio::test]
async fn a_call_that_does_not_fit_into_the_rest_of_an_invocation_gets_its_own() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(chain(&["a", "b"], effect), json!({})).await;
    world.messages.clear();
    let now = world.clock.now();
    // Half of the time is gone, and 30 s of timeout do not fit into what is left.
    let late = Delivery {
        message: app::MessageName::of("late"),
        receive_count: 1,
        started_on: now - TimeDelta::seconds(30),
        deadline: now + TimeDelta::seconds(30),
    };
    let advanced = advance_run(&world.worker, &hint(&run, None), &late).await.unwrap();
    assert_eq!((advanced.commits, advanced.calls), (1, 0));
    assert_eq!(sent(&mut world), [(Some("a".into()), 0)]);
    let again = advance_run(&world.worker, &hint(&run, Some("a")), &late).await.unwrap();
    assert_eq!((again.commits, again.calls), (0, 0));
    assert_eq!(sent(&mut world), [(Some("a".into()), 0)], "the node keeps a message");
}

#[tokio::test]
async fn a_fresh_invocation_takes_any_call_and_cuts_it_short() {
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(flow(vec![effect("a")], &[]), json!({})).await;
    let now = world.clock.now();
    let short = Delivery {
        message: app::MessageName::of("short"),
        receive_count: 1,
        started_on: now,
        deadline: now + TimeDelta::seconds(10),
    };
    world.switch.arm(7);
    world.switch.run(advance_run(&world.worker, &hint(&run, None), &short)).await;
    let NodeState::Running { lease_until, .. } = world.load(&run).await.run.nodes["a"] else {
        panic!("not claimed")
    };
    assert_eq!((lease_until - now).num_seconds(), 13, "8 s for the call and 5 s of grace");
}
