//! Runs that run others: `for_each` in chunks, `workflow`, and what waits in them. Whatever is lost on the way, every item is done
//! once, the order is kept, and what was cancelled starts nothing more.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use app::{
    CancelError, DecideError, Decider, HintSink, RetryRun, cancel_run, decide_approval,
    decide_approval::Decision,
    fakes::{MemoryQueue, ScriptedConnectors, a_version, graph, team, trigger},
    ports::{Hint, RunFilter, RunStore, StepQueue},
    preview_retry, remind_runs, retry_run,
};
use chrono::TimeDelta;
use common::{World, effect, flow, pure};
use domain::{ErrorClass, Failure, RunStatus, TriggerKind, UsedVersion, WorkflowVersion};
use engine::{RetryFrom, Run, child_id};
use serde_json::{Value, json};

/// A `for_each` over the inputs' items.
#[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
fn each(more: Value) -> Value {
    let mut metadata = json!({"items": "base.params.items"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"key": "each", "node_type": "for_each", "metadata": metadata})
}

fn send() -> Value {
    json!({"key": "send", "node_type": "post_api", "metadata": {"url": "https://api.example.com/", "body": "{{ item }}"}})
}

fn items(count: usize) -> Value {
    json!({"items": (0..count).collect::<Vec<_>>()})
}

/// Answers with what it was sent.
fn echo() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| Ok(call.config["body"].clone()))
}

fn permanent() -> Failure {
    Failure::new(ErrorClass::Permanent, "http_status", "404")
}

/// A team with a workflow that another one runs.
struct Family {
    child: WorkflowVersion,
    parent: WorkflowVersion,
}

/// A child that calls, waits and calls; a parent that runs it beside a loop.
fn family() -> Family {
    let team = team();
    let wait = json!({"key": "pause", "node_type": "wait", "metadata": {"seconds": 60}});
    let nodes = vec![effect("first"), wait, effect("second")];
    let child = a_version(team, graph(flow(nodes, &["first > pause", "pause > second"])));
    let run = json!({"key": "run", "node_type": "workflow", "metadata": {"workflow_id": child.workflow_id, "input": {"from": "parent"}}});
    let nodes = vec![
        pure("begin", "input"),
        run,
        each(json!({"body": [send()], "max_concurrency": 2})),
        json!({"key": "both", "node_type": "merge"}),
        effect("report"),
    ];
    let edges = ["begin > run", "begin > each", "run > both", "each > both", "both > report"];
    let mut parent = a_version(team, graph(flow(nodes, &edges)));
    let (workflow_id, version_id) = (child.workflow_id, child.id);
    parent.uses.push(UsedVersion { workflow_id, number: None, version_id });
    Family { child, parent }
}

impl Family {
    async fn start(&self, world: &mut World, inputs: Value) -> Run {
        world.store.put_version(&self.child).await.unwrap();
        world.catalog.put_version(self.parent.clone());
        let run = world.start(&self.parent, inputs, None).await.unwrap().run;
        world.collect();
        run
    }
}

/// How often each effect was executed, by idempotency key.
fn effects(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in world.connectors.calls() {
        *counts.entry(call.idempotency_key).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn items_are_done_once_each_in_any_order_and_given_in_theirs() {
    let mut world = World::new(echo());
    let nodes = vec![each(json!({"body": [send(), pure("twice", "input * 2")], "max_concurrency": 7}))];
    let run = world.started(flow(nodes, &[]), items(103)).await;
    world.drain().await;
    let expected: Vec<_> = (0..103).map(|n| n * 2).collect();
    assert_eq!(world.result(&run).await, Some(json!(expected)));
    let effects = effects(&world);
    assert_eq!((effects.len(), effects.values().max()), (103, Some(&1)));
    let listed = world.store.list(run.team_id, &RunFilter::default(), None, 50).await.unwrap();
    assert_eq!(listed.items.len(), 1, "chunks are no runs of their own");
    assert_eq!(world.load(&run).await.run.steps, 103 * 2 + 1);
}

#[tokio::test]
async fn a_worker_may_be_lost_at_any_point_of_a_family() {
    for point in 1.. {
        let mut world = World::new(echo());
        let run = family().start(&mut world, items(5)).await;
        world.switch.arm(point);
        world.drain().await;
        let loaded = world.load(&run).await;
        assert_eq!(loaded.run.status, RunStatus::Succeeded, "lost at point {point}: {:#?}", loaded.run);
        let expected = json!({"run": {"from": "parent"}, "each": [0, 1, 2, 3, 4]});
        assert_eq!(world.result(&run).await, Some(expected), "lost at point {point}");
        let effects = effects(&world);
        assert_eq!(effects.len(), 8, "lost at point {point}: {effects:?}");
        assert!(effects.values().all(|times| *times <= 2), "lost at point {point}: {effects:?}");
        if !world.switch.has_stopped() {
            assert!(point > 60, "the family has more points than {point}");
            return;
        }
    }
}

#[tokio::test]
async fn hints_may_all_be_lost() {
    let mut world = World::new(echo());
    let run = family().start(&mut world, items(30)).await;
    for _ in 0..200 {
        world.messages.clear();
        world.clock.advance(TimeDelta::seconds(60));
        let queue: &MemoryQueue = &world.queue;
        remind_runs(&*world.store, queue, app::ports::Clock::now(&*world.clock), 100).await.unwrap();
        for message in world.collect() {
            world.advance(&message.hint, 1).await.unwrap();
        }
        if world.load(&run).await.run.status.is_terminal() {
            break;
        }
    }
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
    assert!(effects(&world).values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_failed_item_fails_skips_or_is_collected() {
    for (mode, expected) in [
        ("fail", None),
        ("skip", Some(json!([0, 1, 3]))),
        (
            "collect",
            Some(
                json!([0, 1, {"error": {"class": "permanent", "code": "http_status", "message": "404"}}, 3]),
            ),
        ),
    ] {
        let script = |call: &engine::Call| {
            if call.config["body"] == 2 { Err(permanent()) } else { Ok(call.config["body"].clone()) }
        };
        let mut world = World::new(ScriptedConnectors::new(script));
        let nodes = vec![each(json!({"body": [send()], "on_item_error": mode, "max_concurrency": 1}))];
        let run = world.started(flow(nodes, &[]), items(4)).await;
        world.drain().await;
        assert_eq!(world.result(&run).await, expected, "{mode}");
        if mode == "fail" {
            let error = world.load(&run).await.run.error.unwrap();
            assert_eq!((error.node, error.failure.message.as_str()), (Some("each".into()), "send.2: 404"));
            assert_eq!(world.connectors.calls().len(), 3, "nothing starts after the failure");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_family_starts_nothing_more() {
    for steps in 0.. {
        let mut world = World::new(echo());
        let family = family();
        let run = family.start(&mut world, items(60)).await;
        for _ in 0..steps {
            if world.messages.is_empty() {
                break;
            }
            world.deliver(0).await;
        }
        match cancel_run(&world.conductor, run.team_id, run.id).await {
            Ok(cancelled) => assert_eq!(cancelled.status, RunStatus::Cancelled),
            Err(CancelError::Ended(_)) => return assert!(steps > 4, "{steps}"),
            Err(error) => panic!("{error}"),
        }
        let calls = world.connectors.calls().len();
        world.collect();
        world.drain().await;
        assert_eq!(world.connectors.calls().len(), calls, "cancelled after {steps} messages");
        for (node, child) in [("run", 0), ("each", 0)] {
            if let Ok(child) =
                world.store.load_control(run.team_id, child_id(run.id, &node.into(), child)).await
            {
                assert!(child.status.is_terminal(), "cancelled after {steps} messages: {child:#?}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_child_is_not_given_rightly_fails_its_node() {
    let mut world = World::new(echo());
    let mut family = family();
    family.child.input_params = json!({"type": "object", "required": ["id"]}).as_object().unwrap().clone();
    let run = family.start(&mut world, items(0)).await;
    world.drain().await;
    let error = world.load(&run).await.run.error.unwrap();
    assert_eq!((error.node, error.failure.code.as_str()), (Some("run".into()), "invalid_inputs"));
}

#[tokio::test]
async fn a_retry_does_again_only_what_failed() {
    // The third item and `second` of the child fail until somebody mends the other side.
    let mended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let mut world = World::new(ScriptedConnectors::new(move |call| {
        let fails = call.config["body"] == 3 && !is_mended.load(std::sync::atomic::Ordering::SeqCst);
        if fails { Err(permanent()) } else { Ok(call.config["body"].clone()) }
    }));
    let family = family();
    let first = family.start(&mut world, items(5)).await;
    world.drain().await;
    assert_eq!(world.load(&first).await.run.status, RunStatus::Failed);
    let preview = preview_retry(&world.conductor, first.team_id, first.id).await.unwrap();
    assert_eq!(
        preview.repeats.iter().map(domain::NodeKey::as_str).collect::<Vec<_>>(),
        ["run", "each", "report"]
    );
    let before = world.connectors.calls().len();

    mended.store(true, std::sync::atomic::Ordering::SeqCst);
    let wish = RetryRun {
        team_id: first.team_id,
        run_id: first.id,
        from: RetryFrom::Failed,
        latest_version: false,
        inputs: None,
        trigger: trigger(),
        service: None,
    };
    let second = retry_run(&world.ports(), &world.conductor, wish.clone()).await.unwrap();
    let hint = Hint::at(&second);
    let (one, other) = tokio::join!(world.advance(&hint, 1), world.advance(&hint, 1));
    assert!(one.is_ok() && other.is_ok());
    let loaded = world.load(&second).await;
    let taken_over: Vec<_> = loaded.records.iter().filter(|record| record.node.as_str() == "begin").collect();
    assert_eq!((taken_over.len(), taken_over[0].settled_at), (1, 1), "by two workers at once, and by one");
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&second).await.run.status, RunStatus::Succeeded);
    let expected = json!({"run": {"from": "parent"}, "each": [0, 1, 2, 3, 4]});
    assert_eq!(world.result(&second).await, Some(expected));
    let again: Vec<_> =
        world.connectors.calls()[before..].iter().map(|call| call.config["body"].clone()).collect();
    assert!(
        !again.contains(&json!(0)) && !again.contains(&json!(1)),
        "items that were done are kept: {again:?}"
    );

    let from = RetryFrom::Node("report".into());
    let third =
        retry_run(&world.ports(), &world.conductor, RetryRun { run_id: second.id, from, ..wish.clone() })
            .await
            .unwrap();
    let before = world.connectors.calls().len();
    world.collect();
    world.drain().await;
    assert_eq!(world.connectors.calls().len(), before + 1, "only the node itself");
    assert_eq!(world.load(&third).await.run.status, RunStatus::Succeeded);

    let from = RetryFrom::Node("each".into());
    let wish = RetryRun { run_id: second.id, from, ..wish };
    let fourth = retry_run(&world.ports(), &world.conductor, wish).await.unwrap();
    let before = world.connectors.calls().len();
    world.collect();
    world.drain().await;
    assert_eq!(world.connectors.calls().len(), before + 6, "every item, and the node after them");
    assert_eq!(world.load(&fourth).await.run.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn the_failure_of_a_run_starts_its_error_workflow_once() {
    let mut world = World::new(ScriptedConnectors::new(|_| Err(permanent())));
    let team = team();
    let errors = a_version(
        team,
        graph(flow(vec![pure("told", "input.error.message & ' in ' & input.workflow.name")], &[])),
    );
    world.store.put_version(&errors).await.unwrap();
    let mut version = a_version(team, graph(flow(vec![effect("call")], &[])));
    version.settings.error_workflow_id = Some(errors.workflow_id);
    version.uses.push(UsedVersion { workflow_id: errors.workflow_id, number: None, version_id: errors.id });
    world.catalog.put_version(version.clone());
    let run = world.start(&version, json!({}), None).await.unwrap().run;
    world.collect();
    world.drain().await;
    for receive_count in 1..3 {
        world.advance(&Hint::at(&run), receive_count).await.unwrap();
    }
    world.collect();
    world.drain().await;
    let filter = RunFilter { workflow_id: Some(errors.workflow_id), ..RunFilter::default() };
    let told = world.store.list(team, &filter, None, 10).await.unwrap().items;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].trigger, told[0].status), (TriggerKind::Error, RunStatus::Succeeded));
    let told = world.store.load(team, told[0].id).await.unwrap();
    assert_eq!(
        engine::run_result(&told.run, &told.values),
        Some(json!(format!("404 in {}", version.workflow_name)))
    );
}

#[tokio::test]
async fn a_long_wait_is_a_timer() {
    let mut world = World::new(echo());
    let wait = json!({"key": "wait", "node_type": "wait", "metadata": {"seconds": 86_400}});
    let run = world.started(flow(vec![wait], &[]), json!({})).await;
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Waiting);
    let sink = HintSink(Arc::<MemoryQueue>::clone(&world.queue) as Arc<dyn StepQueue>);
    world.timers.fire_due(&sink).await.unwrap();
    assert_eq!(world.collect(), []);
    world.clock.advance(TimeDelta::days(1));
    world.timers.fire_due(&sink).await.unwrap();
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_decision_lets_the_run_go_on_and_only_those_who_may_decide() {
    let mut world = World::new(echo());
    let metadata =
        json!({"title": "Go?", "approvers": {"members": ["ann", "starter"]}, "self_approval": false});
    let ask = json!({"key": "ask", "node_type": "approval", "metadata": metadata});
    let edges = json!([{"from": "ask", "to": "send", "label": "approved"}]);
    let nodes = json!({"nodes": [ask, effect("send")], "edges": edges});
    let run = world.started(nodes, json!({})).await;
    world.drain().await;
    let yes = || Decision { approves: true, form: json!(null) };
    let by = |id: &str| Decider { id: id.to_owned(), role: None };
    let decide = |who: Decider, node: &'static str| {
        let conductor = &world.conductor;
        async move { decide_approval(conductor, run.team_id, run.id, &node.into(), &who, yes()).await }
    };
    assert!(matches!(decide(by("bob"), "ask").await, Err(DecideError::NotAllowed)));
    assert!(matches!(decide(by("ann"), "send").await, Err(DecideError::NotFound)));
    assert!(matches!(decide(by("ann"), "gone").await, Err(DecideError::NotFound)));
    assert_eq!(decide(by("ann"), "ask").await.unwrap().status, RunStatus::Running);
    assert!(matches!(decide(by("ann"), "ask").await, Err(DecideError::TooLate(_))));
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
}

/// The size of what every commit rewrites, as it is stored.
async fn control_bytes(world: &World, run: &Run) -> usize {
    let control = world.store.load_control(run.team_id, run.id).await.unwrap();
    serde_json::to_vec(&control).unwrap().len()
}

#[tokio::test]
async fn ten_thousand_items_keep_their_order_and_swell_nothing() {
    let mut world = World::new(echo());
    let nodes = vec![each(json!({"body": [send(), pure("next", "input + 1")], "max_concurrency": 100}))];
    let run = world.started(flow(nodes, &[]), items(10_000)).await;
    let mut largest = 0;
    while !world.messages.is_empty() {
        let message = world.messages[0].hint.clone();
        world.deliver(0).await;
        largest = largest.max(control_bytes(&world, &run).await);
        let other = Run { id: message.run_id, ..run.clone() };
        largest = largest.max(control_bytes(&world, &other).await);
    }
    let expected: Vec<_> = (1..=10_000).collect();
    assert_eq!(world.result(&run).await, Some(json!(expected)));
    assert!(effects(&world).values().all(|times| *times == 1));
    assert!(largest < 64 * 1024, "{largest} bytes");
}
