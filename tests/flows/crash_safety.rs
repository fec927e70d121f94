//! Duplicates, races and dead workers: whatever happens to the worker, a run ends once, with the right result.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use app::ports::{Hint, RunStore, StepQueue};
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::{Priority, TeamId, Timestamp, Trigger, TriggerKind};
use engine::{NewRun, NodeState, Run};
use runstore::DynamoRunStore;
use runtime::TimeOrderedIds;
use serde_json::{Value, json};
use test_support::aws::Emulator;

use crate::support::{
    Stack,
    api::Api,
    process,
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

/// A run in the stack's store that no message announces: only the test's own messages move it.
struct QuietRun {
    store: DynamoRunStore,
    hint: Hint,
}

impl QuietRun {
    async fn create(api: &Api, stack: &Stack, inputs: &Value) -> Self {
        Self::created_on(chrono::Utc::now(), api, stack, inputs).await
    }

    async fn created_on(created_on: Timestamp, api: &Api, stack: &Stack, inputs: &Value) -> Self {
        let workflow = api.publish("crash safety", &two_effects()).await;
        let versions = api.get(&format!("/api/v1/workflows/{workflow}/versions")).await.expect(200);
        let version = versions["items"][0]["id"].as_str().expect("a version").parse().expect("a version id");
        let seen = api.start(&workflow, json!({"source": "http://127.0.0.1:1"})).await;
        let store = store(stack).await;
        let team_id = team_of(stack, &seen).await;
        let sibling = store.load_control(team_id, seen.parse().expect("a run id")).await.expect("the run");

        let id = uuid::Uuid::now_v7().into();
        let run = Run::start(NewRun {
            id,
            team_id,
            workflow_id: sibling.workflow_id,
            version_id: version,
            trigger: Trigger { kind: TriggerKind::Api, by: None },
            priority: Priority::Default,
            created_on,
        });
        store.create(&run, inputs, None).await.expect("a stored run");
        Self { store, hint: Hint::at(&run) }
    }

    async fn control(&self) -> Run {
        self.store.load_control(self.hint.team_id, self.hint.run_id).await.expect("the run")
    }
}

#[tokio::test]
async fn the_same_message_many_times_gives_one_result() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let run = QuietRun::create(&api, &stack, &json!({"source": target.url})).await;

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
    let run = QuietRun::create(&api, &stack, &json!({"source": target.url})).await;
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
    let run = QuietRun::create(&api, &stack, &json!({"source": target.url})).await;

    // The commit claims one effect; the message for the other never reaches the queue.
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
    assert_eq!(detail["result"], json!(["/left", "/right"]), "{detail:#}");
    assert_eq!(calls(&target), ["/left", "/right"], "each effect happened once");
}

#[tokio::test]
async fn a_run_whose_hint_was_lost_is_found_by_maintenance() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let long_ago = chrono::Utc::now() - TimeDelta::minutes(5);
    let run = QuietRun::created_on(long_ago, &api, &stack, &json!({"source": target.url})).await;

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

async fn store(stack: &Stack) -> DynamoRunStore {
    let sdk = Emulator::connect().await.sdk;
    let blobs = Arc::new(aws::s3_blobs(&sdk, &stack.blob_bucket).expect("the bucket"));
    DynamoRunStore::new(
        aws_sdk_dynamodb::Client::new(&sdk),
        &stack.run_table,
        blobs,
        Arc::new(TimeOrderedIds),
    )
}

/// The team that a run of the API belongs to: answers don't name it, its control item does.
async fn team_of(stack: &Stack, run: &str) -> TeamId {
    let key = |text: &str| AttributeValue::S(text.to_owned());
    let dynamodb = aws_sdk_dynamodb::Client::new(&Emulator::connect().await.sdk);
    let get = dynamodb.get_item().table_name(&stack.run_table);
    let got =
        get.key("pk", key(&format!("RUN#{run}"))).key("sk", key("RUN")).send().await.expect("an answer");
    let item = got.item.expect("the run's control item");
    item["team_id"].as_s().expect("text").parse().expect("a team id")
}

fn calls(target: &Target) -> Vec<String> {
    let mut paths: Vec<_> = target.received().into_iter().map(|Received { path, .. }| path).collect();
    paths.sort();
    paths
}
