//! A run's story grows commit by commit: no event changes its id, none is lost, none comes between those that were told.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use app::{
    fakes::{ScriptedConnectors, a_conductor},
    ports::{Clock as _, LoadedRun},
    story::{self, Event, EventId, Happened, Order},
};
use chrono::TimeDelta;
use common::{World, effect, flow, hint, pure};
use domain::{ErrorClass, Failure, Graph, RunStatus};
use futures::future::join_all;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// An event as a client knows it, but for the time of a retry that is still to come.
type Told = (EventId, &'static str, Option<String>, Option<u32>, domain::Timestamp);

fn told(event: &Event<'_>) -> Told {
    let node = event.what.node().map(ToString::to_string);
    (event.id, event.what.kind(), node, event.what.attempt(), event.at)
}

fn story_of(loaded: &LoadedRun, order: &Order) -> Vec<Told> {
    story::of(&loaded.run, &loaded.records, order).iter().map(told).collect()
}

fn order_of(graph: &Value) -> Order {
    Order::of(&serde_json::from_value::<Graph>(graph.clone()).unwrap())
}

/// `id kind node`, a line each.
fn lines(loaded: &LoadedRun, order: &Order) -> Vec<String> {
    let line = |(id, kind, node, ..): &Told| format!("{id} {kind} {}", node.as_deref().unwrap_or_default());
    story_of(loaded, order).iter().map(|told| line(told).trim_end().to_owned()).collect()
}

fn transient() -> Failure {
    Failure::new(ErrorClass::Transient, "http_status", "api.example.com answered 503")
}

#[tokio::test]
async fn a_run_is_told_from_its_acceptance_to_its_end_causes_first() {
    let graph = json!({
        "nodes": [
            {"key": "a_last", "node_type": "return", "metadata": {"output": "{{ input }}"}},
            pure("z_first", "input"),
            {"key": "which", "node_type": "if_else", "metadata": {"condition": "{{ true }}"}},
            effect("fetch"),
            pure("never", "1"),
        ],
        "edges": [
            {"from": "z_first", "to": "which"},
            {"from": "which", "to": "fetch", "label": "true"},
            {"from": "which", "to": "never", "label": "false"},
            {"from": "fetch", "to": "a_last"},
        ],
    });
    let mut world = World::new(ScriptedConnectors::new(|call| match call.attempt {
        1 => Err(transient()),
        _ => Ok(json!(1)),
    }));
    let run = world.started(graph.clone(), json!({})).await;
    world.drain().await;
    let order = order_of(&graph);
    let loaded = world.load(&run).await;
    let expected = [
        "0.1 run.accepted",
        "1.1 run.started",
        "1.2 step.started z_first",
        "1.3 step.succeeded z_first",
        "1.4 step.started which",
        "1.5 step.succeeded which",
        "1.6 step.skipped never",
        "1.7 step.started fetch",
        "2.1 step.retrying fetch",
        "3.1 step.started fetch",
        "4.1 step.succeeded fetch",
        "4.2 step.started a_last",
        "4.3 step.succeeded a_last",
        "4.4 run.succeeded",
    ];
    assert_eq!(lines(&loaded, &order), expected);

    let events = story::of(&loaded.run, &loaded.records, &order);
    let skipped = events.iter().find(|event| event.what.kind() == "step.skipped").unwrap();
    assert_eq!(skipped.at, loaded.run.started_on.unwrap(), "the time of its commit");
    let chosen = events.iter().find_map(|event| match event.what {
        Happened::StepSucceeded { label, .. } => label,
        _ => None,
    });
    assert_eq!(chosen, Some("true"));

    // While the retry is to come, its time is told.
    let waiting = &world.store.history(run.id)[2];
    let events = story::of(&waiting.run, &waiting.records, &order);
    let Some(Happened::StepRetrying { retry_on: Some(then), .. }) = events.last().map(|event| event.what)
    else {
        panic!("{events:#?}");
    };
    assert!(then > waiting.run.created_on + TimeDelta::seconds(2), "{then}");
}

#[tokio::test]
async fn a_node_that_waits_says_so_while_it_does_and_for_ever() {
    let wait = json!({"key": "pause", "node_type": "wait", "metadata": {"seconds": 30}});
    let graph = flow(vec![wait, pure("after", "1")], &["pause > after"]);
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(graph.clone(), json!({})).await;
    world.deliver(0).await.unwrap();
    let order = order_of(&graph);
    let waiting = world.load(&run).await;
    let told = ["0.1 run.accepted", "1.1 run.started", "1.2 step.started pause", "1.3 step.waiting pause"];
    assert_eq!(lines(&waiting, &order), told);
    let events = story::of(&waiting.run, &waiting.records, &order);
    let until = Some(waiting.run.started_on.unwrap() + TimeDelta::seconds(30));
    assert!(
        matches!(events[3].what, Happened::StepWaiting { until: then, .. } if then == until),
        "{events:#?}"
    );

    world.drain().await;
    let ended = world.load(&run).await;
    assert_eq!(lines(&ended, &order)[..4], told);
    assert_eq!(lines(&ended, &order)[4], "2.1 step.succeeded pause");
}

#[tokio::test]
async fn what_an_end_leaves_undone_is_told_before_it() {
    let graph = flow(vec![effect("a"), effect("b"), pure("c", "1")], &["a > c"]);
    let failing = |_: &engine::Call| Err(Failure::new(ErrorClass::Permanent, "refused", "no"));
    let mut world = World::new(ScriptedConnectors::new(failing));
    let run = world.started(graph.clone(), json!({})).await;
    world.drain().await;
    let expected = [
        "0.1 run.accepted",
        "1.1 run.started",
        "1.2 step.started a",
        "1.3 step.started b",
        "2.1 step.failed a",
        "2.2 step.cancelled b",
        "2.3 step.cancelled c",
        "2.4 run.failed",
    ];
    assert_eq!(lines(&world.load(&run).await, &order_of(&graph)), expected);
}

#[tokio::test]
async fn a_run_that_is_cancelled_before_anybody_looked_never_started() {
    let graph = flow(vec![effect("a")], &[]);
    let mut world = World::new(ScriptedConnectors::echo());
    let run = world.started(graph.clone(), json!({})).await;
    app::cancel_run(&world.conductor, run.team_id, run.id).await.unwrap();
    let expected = ["0.1 run.accepted", "1.1 step.cancelled a", "1.2 run.cancelled"];
    assert_eq!(lines(&world.load(&run).await, &order_of(&graph)), expected);
}

/// A graph of up to eight nodes: each but the first hangs on an earlier one, some on two; effects and data steps; every way to
/// treat a failure.
fn any_graph() -> impl Strategy<Value = Value> {
    let node = (any::<Index>(), any::<Index>(), 0..12_u8, 0..3_u8);
    proptest::collection::vec(node, 2..9).prop_map(|nodes| {
        let (mut keyed, mut edges) = (Vec::new(), Vec::new());
        // The document's order is not that of the edges.
        let key = |i: usize| format!("n{}", 9 - i);
        for (i, (parent, other, kind, on_error)) in nodes.into_iter().enumerate() {
            let parents: Vec<usize> = match (i, kind) {
                (0, _) => vec![],
                (_, 9..) if parent.index(i) != other.index(i) => vec![parent.index(i), other.index(i)],
                _ => vec![parent.index(i)],
            };
            let mut node = match (parents.len(), kind) {
                (2, _) => json!({"key": key(i), "node_type": "merge"}),
                (_, 0..2) => pure(&key(i), "input.body"),
                (_, 2) => pure(&key(i), "$error('e')"),
                _ => effect(&key(i)),
            };
            node["on_error"] = [
                json!({"action": "fail"}),
                json!({"action": "continue", "default": 0}),
                json!({"action": "branch"}),
            ][usize::from(on_error)]
            .clone();
            keyed.insert(0, node);
            edges.extend(parents.into_iter().map(|parent| (key(parent), key(i))));
        }
        let mut graph = flow(keyed, &[]);
        graph["edges"] = edges.into_iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
        graph
    })
}

/// Answers by node and attempt, as `chances` say.
fn moody(chances: Vec<u8>) -> ScriptedConnectors {
    ScriptedConnectors::new(move |call| {
        let node: usize = call.node.as_str()[1..].parse().unwrap();
        match chances[(node * 7 + call.attempt as usize) % chances.len()] {
            0..50 => Err(transient()),
            50..60 => Err(Failure::new(ErrorClass::Permanent, "refused", "no")),
            _ => Ok(json!({"body": node})),
        }
    })
}

/// Delivers up to three messages at once, loses workers now and then, perhaps cancels, until nothing is left.
async fn play(world: &mut World, run: &engine::Run, chances: &[u8]) {
    let mut turns = chances.iter().cycle();
    for turn in 0..500 {
        let chance = *turns.next().unwrap();
        if world.messages.is_empty() {
            return;
        }
        if turn == 2 && chance.is_multiple_of(4) {
            // By a caller that is not lost with the workers.
            let conductor = a_conductor(world.store.clone(), world.queue.clone(), world.clock.clone());
            let _ = app::cancel_run(&conductor, run.team_id, run.id).await;
        }
        world.messages.sort_by_key(|message| message.due);
        let at_once = world.messages.len().min(usize::from(chance % 3) + 1);
        let mut taken: Vec<_> = world.messages.drain(..at_once).collect();
        world.clock.advance_to(taken[at_once - 1].due);
        world.clock.advance(TimeDelta::milliseconds(7));
        if chance.is_multiple_of(11) {
            world.switch.arm(u64::from(chance % 13) + 1);
        }
        for message in &mut taken {
            message.receive_count += 1;
        }
        let deliveries = taken.iter().map(|message| world.advance(&message.hint, message.receive_count));
        let done = world.switch.run(join_all(deliveries)).await;
        let is_done: Vec<bool> = match done {
            Some(done) => done.iter().map(Result::is_ok).collect(),
            None => vec![false; taken.len()],
        };
        world.collect();
        let back = taken.into_iter().zip(is_done).filter(|(_, is_done)| !is_done);
        for (mut message, _) in back.collect::<Vec<_>>() {
            message.due = world.clock.now() + TimeDelta::seconds(90);
            world.messages.push(message);
        }
    }
    // Whoever is left over is looked after by a last hint, as maintenance would send it.
    world.clock.advance(TimeDelta::seconds(1000));
    world.messages =
        vec![common::Message { hint: hint(run, None), due: world.clock.now(), receive_count: 1 }];
    world.drain().await;
}

/// Plays a run and checks its story at each of its commits against the whole.
async fn check(graph: &Value, chances: Vec<u8>) -> Result<(), TestCaseError> {
    let mut world = World::new(moody(chances.clone()));
    let run = world.started(graph.clone(), json!({"body": 1})).await;
    play(&mut world, &run, &chances).await;

    let (order, last) = (order_of(graph), world.load(&run).await);
    let whole = story_of(&last, &order);
    prop_assert!(whole.is_sorted_by(|one, next| one.0 < next.0), "{whole:#?}");
    let mut by_commits = Vec::new();
    for then in &world.store.history(run.id) {
        let revision = then.run.revision;
        let expected: Vec<_> = whole.iter().filter(|told| told.0.revision <= revision).cloned().collect();
        prop_assert_eq!(&story_of(then, &order), &expected);
        let settled: Vec<_> = then.records.iter().filter(|r| r.settled_at == revision).cloned().collect();
        by_commits.extend(story::of_commit(&then.run, &settled, &order).iter().map(told));
    }
    prop_assert_eq!(&by_commits, &whole);
    let end = match last.run.status {
        RunStatus::Succeeded => "run.succeeded",
        RunStatus::Cancelled => "run.cancelled",
        RunStatus::Failed => "run.failed",
        open => panic!("the run is {open:?}"),
    };
    prop_assert_eq!(whole.last().map(|told| told.1), Some(end));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn each_commit_adds_to_the_story_and_changes_nothing_of_it(
        graph in any_graph(),
        chances in proptest::collection::vec(any::<u8>(), 40),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(&graph, chances))?;
    }
}
