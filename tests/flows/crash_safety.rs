//! Duplicates, races and dead workers: whatever happens to the worker, a run ends once, with the right result.

use std::{collections::BTreeSet, time::Duration};

use app::ports::StepQueue;
use chrono::TimeDelta;
use engine::NodeState;
use serde_json::{Value, json};
use test_support::aws::Emulator;

use crate::support::{
    Stack,
    api::Api,
    process,
    quiet_run::QuietRun,
    target::{Received, Target},
    worker::{BlackHole, Worker},
};

/// Two effects side by side, joined.
fn two_effects() -> Value {
    json!({
        "nodes": [
            {"key": "left", "node_type": "post_api", "timeout_s": 10, "metadata": {"url": "{{ base.params.source }}/left"}},
            {"key": "right", "node_type": "post_api", "timeout_s": 10, "metadata": {"url": "{{ base.params.source }}/right"}},
            {"key": "both", "node_type": "merge"},
            {"key": "answer", "node_type": "return", "metadata": {"output": ["{{ input.left.body.path }}", "{{ input.right.body.path }}"]}},
        ],
        "edges": [{"from": "left", "to": "both"}, {"from": "right", "to": "both"}, {"from": "both", "to": "answer"}],
    })
}

/// So many effects side by side, counted.
fn side_by_side(effects: usize) -> Value {
    let effect = |i: usize| json!({"key": format!("n{i}"), "node_type": "post_api", "timeout_s": 10, "metadata": {"url": format!("{{{{ base.params.source }}}}/n{i}")}});
    let mut nodes: Vec<_> = (0..effects).map(effect).collect();
    nodes.push(json!({"key": "all", "node_type": "merge"}));
    nodes.push(
        json!({"key": "answer", "node_type": "return", "metadata": {"output": "{{ $count($keys(input)) }}"}}),
    );
    let mut edges: Vec<_> = (0..effects).map(|i| json!({"from": format!("n{i}"), "to": "all"})).collect();
    edges.push(json!({"from": "all", "to": "answer"}));
    json!({ "nodes": nodes, "edges": edges })
}

#[tokio::test]
async fn the_same_message_many_times_gives_one_result() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let run = QuietRun::create(&api, &stack, &two_effects(), &json!({"source": target.url})).await;

    let queue = aws::SqsStepQueue::new(&Emulator::connect().await.sdk, &stack.step_queue_url);
    let same: Vec<_> = (0..6).map(|_| (run.hint.clone(), 0)).collect();
    queue.send(&same).await.expect("sent");

    let detail = api.ended(&run.hint.run_id.to_string()).await;
    assert_eq!(detail["result"], json!(["/left", "/right"]), "{detail:#}");
    assert_eq!(calls(&target), ["/left", "/right"], "each effect happened once");
}

#[tokio::test]
async fn two_workers_with_the_same_message_give_one_result() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let run = QuietRun::create(&api, &stack, &two_effects(), &json!({"source": target.url})).await;
    let patience = Duration::from_secs(20);
    let (one, two) =
        (Worker::start(&stack, patience, None).await, Worker::start(&stack, patience, None).await);

    let acknowledged = tokio::join!(one.deliver(&run.hint, 1), two.deliver(&run.hint, 1));
    assert_eq!(acknowledged, (true, true), "losing a race is an ordinary event");

    let detail = api.ended(&run.hint.run_id.to_string()).await;
    assert_eq!(detail["result"], json!(["/left", "/right"]), "{detail:#}");
    assert_eq!(calls(&target), ["/left", "/right"], "each effect happened once");
}

#[tokio::test]
async fn a_worker_killed_between_commit_and_dispatch_loses_nothing() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let run = QuietRun::create(&api, &stack, &side_by_side(25), &json!({"source": target.url})).await;

    // The commit claims as many effects as one worker takes; the message for the others never reaches the queue.
    let hole = BlackHole::start().await;
    let doomed = Worker::start(&stack, Duration::from_secs(6), Some(&hole.url)).await;
    doomed.send(&run.hint, 1);
    hole.touched().await;
    doomed.kill();

    let left_behind = run.control().await;
    let states: Vec<_> = left_behind.nodes.values().collect();
    assert!(states.iter().any(|state| matches!(state, NodeState::Running { .. })), "{states:?}");
    assert!(states.iter().any(|state| matches!(state, NodeState::Ready { .. })), "{states:?}");
    assert!(target.received().is_empty(), "no effect had started");

    // The queue brings the message again.
    let heir = Worker::start(&stack, Duration::from_secs(20), None).await;
    assert!(heir.deliver(&run.hint, 2).await);

    let detail = api.ended(&run.hint.run_id.to_string()).await;
    assert_eq!(detail["result"], 25, "{detail:#}");
    let once: BTreeSet<_> = calls(&target).into_iter().collect();
    assert_eq!((calls(&target).len(), once.len()), (25, 25), "each effect happened once");
}

#[tokio::test]
async fn a_run_whose_hint_was_lost_is_found_by_maintenance() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let long_ago = chrono::Utc::now() - TimeDelta::minutes(5);
    let run =
        QuietRun::created_on(long_ago, &api, &stack, &two_effects(), &json!({"source": target.url})).await;

    let kept = stack.invoke("maintenance", &json!({})).await;
    assert!(kept["reminded"].as_u64().is_some_and(|reminded| reminded >= 1), "{kept}");

    let detail = api.ended(&run.hint.run_id.to_string()).await;
    assert_eq!(detail["result"], json!(["/left", "/right"]), "{detail:#}");
    assert_eq!(calls(&target), ["/left", "/right"], "each effect happened once");
}

#[tokio::test]
async fn the_deployed_worker_killed_in_the_middle_of_an_effect_is_replaced() {
    let (api, target) = (Api::on_aws(), Target::start().await);
    let graph = json!({
        "nodes": [
            {"key": "slow", "node_type": "post_api", "timeout_s": 5, "metadata": {"url": "{{ input.source }}/hold/on"}},
            {"key": "answer", "node_type": "return", "metadata": {"output": "{{ input.body.path }}"}},
        ],
        "edges": [{"from": "slow", "to": "answer"}],
    });
    let workflow = api.publish("killed", &graph).await;
    let run = api.start(&workflow, json!({"source": target.url})).await;

    let first = target.arrivals(1).await.remove(0);
    assert!(process::kill(process::owner_of(first.peer)));
    target.release();

    let detail = api.ended(&run).await;
    assert_eq!(detail["result"], "/hold/on", "{detail:#}");
    let keys: BTreeSet<_> = target.received().into_iter().map(|call| call.idempotency_key).collect();
    assert_eq!(keys.len(), 1, "every attempt carries the same idempotency key: {keys:?}");
}

fn calls(target: &Target) -> Vec<String> {
    let mut paths: Vec<_> = target.received().into_iter().map(|Received { path, .. }| path).collect();
    paths.sort();
    paths
}
