//! Workers are lost at every point, messages come twice, and workers meet: the result is always the same.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use app::{
    advance_run,
    fakes::{ScriptedConnectors, a_version, graph, team},
    ports::{Clock as _, RunStore as _},
};
use common::{World, effect, flow, hint, pure};
use domain::{ErrorClass, Failure, RunStatus};
use engine::Run;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Effects in a row and side by side, pure nodes between them, a merge, a failure that is retried.
fn a_bit_of_everything() -> Value {
    let nodes = vec![
        pure("prepare", "{\"n\": input.n + 1}"),
        effect("fetch"),
        pure("split", "input.body"),
        effect("left"),
        effect("right"),
        json!({"key": "both", "node_type": "merge"}),
        pure("sum", "$count($keys(input))"),
        effect("store"),
    ];
    let edges = [
        "prepare > fetch",
        "fetch > split",
        "split > left",
        "split > right",
        "left > both",
        "right > both",
        "both > sum",
        "sum > store",
    ];
    flow(nodes, &edges)
}

/// Answers with what it was sent; the first attempt of `right` fails.
fn connectors() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| match (call.node.as_str(), call.attempt) {
        ("right", 1) => Err(Failure::new(ErrorClass::Transient, "http_status", "503")),
        _ => Ok(json!({"from": call.node, "body": call.config["body"]})),
    })
}

/// What must be true of a run of [`a_bit_of_everything`] that ended, whatever happened to it.
async fn check(world: &World, run: &engine::Run, case: &str) {
    let loaded = world.load(run).await;
    assert_eq!(loaded.run.status, RunStatus::Succeeded, "{case}: {:#?}", loaded.run);
    assert_eq!(world.result(run).await, Some(json!({"from": "store", "body": 2})), "{case}");
    let mut settled: Vec<_> =
        loaded.records.iter().filter(|r| !r.retried).map(|r| r.node.to_string()).collect();
    settled.sort();
    let all = ["both", "fetch", "left", "prepare", "right", "split", "store", "sum"];
    assert_eq!(settled, all, "{case}: each node settled once");
    for key in ["fetch", "left", "right", "store"] {
        let calls: Vec<_> =
            world.connectors.calls().into_iter().filter(|call| call.node.as_str() == key).collect();
        assert!(!calls.is_empty() && calls.len() <= 3, "{case}: {} calls of {key}", calls.len());
        assert!(calls.iter().all(|call| call.idempotency_key == calls[0].idempotency_key), "{case}");
    }
}

#[tokio::test]
async fn a_worker_may_be_lost_at_any_point() {
    for point in 1.. {
        let mut world = World::new(connectors());
        let run = world.started(a_bit_of_everything(), json!({"n": 1})).await;
        let began = world.load(&run).await.run.created_on;
        world.switch.arm(point);
        world.drain().await;
        check(&world, &run, &format!("lost at point {point}")).await;
        let finished = world.load(&run).await.run.finished_on.unwrap();
        assert!((finished - began).num_seconds() <= 130, "point {point}: {}", finished - began);
        if !world.switch.has_stopped() {
            assert!(point > 20, "the run has more points than {point}");
            return;
        }
    }
}

#[tokio::test]
async fn two_workers_at_once_on_one_message_end_in_one_result() {
    let mut world = World::new(connectors());
    let run = world.started(a_bit_of_everything(), json!({"n": 1})).await;
    let first = world.messages.remove(0).hint;
    let (one, two) = tokio::join!(world.advance(&first, 1), world.advance(&first, 1));
    assert!(world.store.requests().conflicts > 0, "they did meet");
    assert!(one.is_ok() && two.is_ok());
    world.collect();
    world.drain().await;
    check(&world, &run, "two workers").await;
    assert_eq!(world.connectors.calls().iter().filter(|call| call.node.as_str() == "fetch").count(), 1);
}

#[tokio::test]
async fn a_message_that_is_delivered_again_and_again_changes_nothing() {
    let mut world = World::new(connectors());
    let run = world.started(a_bit_of_everything(), json!({"n": 1})).await;
    world.drain().await;
    let (before, calls) = (world.load(&run).await, world.connectors.calls().len());
    for node in [None, Some("fetch"), Some("right"), Some("store")] {
        for receive_count in 1..4 {
            world.advance(&hint(&run, node), receive_count).await.unwrap();
        }
    }
    let after = world.load(&run).await;
    assert_eq!((before.run, before.records), (after.run, after.records));
    assert_eq!((world.connectors.calls().len(), world.collect().len()), (calls, 0));
}

#[tokio::test]
async fn a_run_fails_by_its_workers_only_when_three_were_lost_and_not_by_a_store() {
    let world = World::new(connectors());
    let version = a_version(team(), graph(a_bit_of_everything()));
    let run = Run { version_id: version.id, ..app::fakes::a_run(version.team_id, world.clock.now()) };
    world.store.create(&run, &json!({"n": 1}), None).await.unwrap();
    assert!(world.advance(&hint(&run, None), 1).await.is_err(), "its version can't be read");
    world.store.put_version(&version).await.unwrap();
    // Each is lost as soon as it is counted. The first of them reads the version, too.
    for (receive_count, point) in [(2, 6), (3, 4), (4, 4)] {
        let delivery = world.delivery(receive_count);
        world.switch.arm(point);
        let lost = world.switch.run(advance_run(&world.worker, &hint(&run, None), &delivery)).await;
        assert!(lost.is_none());
        let counted = world.load(&run).await.run;
        let counts: Vec<_> = counted.lost_deliveries.values().copied().collect();
        assert_eq!((counts, counted.status), (vec![receive_count - 1], RunStatus::Pending));
    }
    let last = world.advance(&hint(&run, None), 5).await.unwrap();
    assert_eq!(last.run_ended, Some(RunStatus::Failed));
    let error = world.load(&run).await.run.error.unwrap();
    assert_eq!((error.failure.class, error.failure.code.as_str()), (ErrorClass::Crashed, "workers_lost"));
}

/// A random graph: node `n` follows one earlier node, or merges up to three, or is a root.
fn any_graph() -> impl Strategy<Value = Value> {
    let node = (0..4_u8, prop::collection::vec(any::<prop::sample::Index>(), 3));
    prop::collection::vec(node, 1..12).prop_map(|plan| {
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        for (n, (kind, parents)) in plan.iter().enumerate() {
            let key = format!("n{n}");
            let mut parents: Vec<_> = match n {
                0 => Vec::new(),
                _ => parents.iter().map(|parent| format!("n{}", parent.index(n))).collect(),
            };
            parents.sort();
            parents.dedup();
            let node = match kind {
                3 => json!({"key": key, "node_type": "merge"}),
                kind => {
                    parents.truncate(usize::from(n % 5 != 4));
                    if *kind == 0 { pure(&key, "[input]") } else { effect(&key) }
                }
            };
            // A merge of nothing is refused, so a root that would be one is pure.
            nodes.push(if parents.is_empty() && *kind == 3 { pure(&key, "input") } else { node });
            edges.extend(parents.into_iter().map(|parent| json!({"from": parent, "to": key})));
        }
        json!({"nodes": nodes, "edges": edges})
    })
}

/// Every third node fails at first; otherwise a call answers with what it was sent.
fn sometimes_failing() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| {
        match (call.node.as_str().len() + call.node.as_str().bytes().map(usize::from).sum::<usize>()) % 3 {
            0 if call.attempt == 1 => Err(Failure::new(ErrorClass::Transient, "http_status", "503")),
            _ => Ok(json!([call.node, call.config["body"]])),
        }
    })
}

/// The result of a run whose messages come in any order, some twice, and whose workers are lost twice.
async fn played(graph_of: &Value, mut choices: impl FnMut(usize) -> usize, faulty: bool) -> Option<Value> {
    let mut world = World::new(sometimes_failing());
    let version = a_version(team(), graph(graph_of.clone()));
    world.catalog.put_version(version.clone());
    let run = world.start(&version, json!({"n": 1}), None).await.unwrap().run;
    world.collect();
    let mut losses = 0;
    for deliveries in 0.. {
        assert!(deliveries < 2000, "messages multiply");
        if world.messages.is_empty() {
            break;
        }
        let next = if faulty {
            let next = choices(world.messages.len());
            if choices(4) == 0 && deliveries < 50 {
                world.messages.push(world.messages[next].clone());
            }
            if choices(4) == 0 && losses < 2 {
                losses += 1;
                world.switch.arm(choices(12) as u64 + 1);
            }
            next
        } else {
            (0..world.messages.len()).min_by_key(|at| world.messages[*at].due).unwrap()
        };
        world.deliver(next).await;
    }
    let ended = world.load(&run).await;
    assert!(ended.run.status.is_terminal(), "{:#?}", ended.run);
    let mut settled: Vec<_> = ended.records.iter().filter(|r| !r.retried).map(|r| &r.node).collect();
    let count = settled.len();
    settled.sort();
    settled.dedup();
    assert_eq!(settled.len(), count, "a node settled twice");
    engine::run_result(&ended.run, &ended.values)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn faults_never_change_a_result(graph in any_graph(), seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut state = seed | 1;
        // xorshift: the same seed makes the same choices.
        let choices = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        let (calm, stormy) = runtime.block_on(async {
            (played(&graph, |_| 0, false).await, played(&graph, choices, true).await)
        });
        prop_assert!(calm.is_some());
        prop_assert_eq!(calm, stormy);
    }
}
