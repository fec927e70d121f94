//! How much memory a worker needs at most, as the kernel counts it for the process of the deployed binary.

use std::time::Duration;

use app::ports::{RunStore as _, StepQueue as _};
use aws::SqsStepQueue;
use domain::RunStatus;
use serde_json::{Value, json};
use test_support::aws::Emulator;

use crate::support::{Stack, api::Api, quiet_run::QuietRun, target::Target, worker::Worker};

const MB: u64 = 1_000_000;

/// A run that one worker alone moves to its end, by a queue that nobody else reads.
struct Alone {
    run: QuietRun,
    worker: Worker,
}

impl Alone {
    async fn ended(graph: &Value, inputs: &Value) -> Self {
        let (api, emulator) = (Api::on_aws(), Emulator::connect().await);
        let stack = Stack { step_queue_url: emulator.queue().await, ..Stack::from_env() };
        let run = QuietRun::create(&api, &stack, graph, inputs).await;
        let queue = SqsStepQueue::new(&emulator.sdk, &stack.step_queue_url);
        let worker = Worker::start(&stack, Duration::from_secs(20), None).await;
        queue.send(&[(run.hint.clone(), 0)]).await.expect("sent");
        while !run.control().await.status.is_terminal() {
            worker.deliver_from(&queue).await;
        }
        Self { run, worker }
    }

    async fn result(&self) -> Option<Value> {
        let loaded = self.run.store.load(self.run.hint.team_id, self.run.hint.run_id).await.expect("the run");
        assert_eq!(loaded.run.status, RunStatus::Succeeded, "{:?}", loaded.run.error);
        engine::run_result(&loaded.run, &loaded.values)
    }
}

/// The answer and its body are two values of 100 MB. The nodes after them hand the body on, in two messages.
#[tokio::test]
async fn a_hundred_megabytes_pass_through_ten_nodes_of_a_small_function() {
    let nodes = json!([
        {"key": "fetch", "node_type": "get_api", "metadata": {"url": "{{ input.source }}/large/99999000", "max_bytes": 100_000_000}},
        {"key": "texts", "node_type": "map", "metadata": {"mapping": "{{ input.body }}"}},
        {"key": "are_many", "node_type": "if_else", "metadata": {"condition": "{{ $count(input) > 1 }}"}},
        {"key": "joined", "node_type": "merge", "metadata": {"mode": "any"}},
        {"key": "pause", "node_type": "wait", "metadata": {"seconds": 1}},
        {"key": "same", "node_type": "advanced", "metadata": {"program": "input"}},
        {"key": "told", "node_type": "post_api", "metadata": {"url": "{{ base.params.source }}/told", "body": "{{ $count(input) }}"}},
        {"key": "again", "node_type": "map", "metadata": {"mapping": "{{ base.nodes.same }}"}},
        {"key": "count", "node_type": "map", "metadata": {"mapping": {"texts": "{{ $count(input) }}", "length": "{{ $sum(input.$length()) }}"}}},
        {"key": "answer", "node_type": "return", "metadata": {"output": "{{ input }}"}},
    ]);
    let keys: Vec<_> = nodes.as_array().into_iter().flatten().map(|node| node["key"].clone()).collect();
    let edge = |pair: &[Value]| match pair[0].as_str() {
        Some("are_many") => json!({"from": pair[0], "to": pair[1], "label": "true"}),
        _ => json!({"from": pair[0], "to": pair[1]}),
    };
    let edges: Vec<_> = keys.windows(2).map(edge).collect();
    assert_eq!(keys.len(), 10);

    let target = Target::start().await;
    let graph = json!({ "nodes": nodes, "edges": edges });
    let alone = Alone::ended(&graph, &json!({"source": target.url})).await;
    let peak = alone.worker.peak_memory();
    println!("peak: {} MB", peak / MB);
    assert_eq!(alone.result().await, Some(json!({"texts": 10, "length": 99_999_000})));
    assert!(peak < 512 * MB, "the worker had {} MB", peak / MB);
}

/// A worker has ten messages at a time, and so all hundred calls.
#[tokio::test]
async fn ten_thousand_items_with_a_hundred_in_flight_pass_through_a_small_function() {
    let target = Target::start().await;
    let graph = json!({"nodes": [{"key": "each", "node_type": "for_each", "metadata": {
        "items": "{{ [1..input.items] }}",
        "max_concurrency": 100,
        "body": [
            {"key": "call", "node_type": "post_api", "metadata": {"url": "{{ base.params.source }}/item/{{ item }}"}},
            {"key": "keep", "node_type": "map", "metadata": {"mapping": "{{ input.body.path }}"}},
        ],
    }}]});
    let alone = Alone::ended(&graph, &json!({"source": target.url, "items": 10_000})).await;
    let peak = alone.worker.peak_memory();
    println!("peak: {} MB", peak / MB);
    let expected: Vec<_> = (1..=10_000).map(|n| format!("/item/{n}")).collect();
    assert_eq!(alone.result().await, Some(json!(expected)));
    assert!(peak < 256 * MB, "the worker had {} MB", peak / MB);
}
