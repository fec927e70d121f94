//! The drill for dead letters (RUN-14): a message dies with its worker, is seen, is sent again, and its run ends.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde_json::{Value, json};
use test_support::aws::Emulator;

use crate::support::{Stack, api::Api, process, target::Target};

/// The step queue of the stack, whose patience the drill cuts short.
struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    async fn of(stack: &Stack) -> Self {
        let client = Client::new(&Emulator::connect().await.sdk);
        Self { client, url: stack.step_queue_url.clone() }
    }

    /// Has the queue give up a message that was received once and is not done after a second; how it was set before.
    async fn give_up_at_once(&self) -> HashMap<QueueAttributeName, String> {
        let names = [QueueAttributeName::RedrivePolicy, QueueAttributeName::VisibilityTimeout];
        let get = self.client.get_queue_attributes().queue_url(&self.url);
        let got = get.set_attribute_names(Some(names.to_vec())).send().await.expect("the queue");
        let before = got.attributes.expect("attributes");
        let mut policy: Value = serde_json::from_str(&before[&names[0]]).expect("JSON");
        policy["maxReceiveCount"] = json!(1);
        self.set([(names[0].clone(), policy.to_string()), (names[1].clone(), "1".to_owned())].into()).await;
        before
    }

    async fn set(&self, attributes: HashMap<QueueAttributeName, String>) {
        let set = self.client.set_queue_attributes().queue_url(&self.url);
        set.set_attributes(Some(attributes)).send().await.expect("set");
    }
}

#[tokio::test]
async fn a_message_that_died_is_seen_and_redriven_and_its_run_ends() {
    let (api, stack, target) = (Api::on_aws(), Stack::from_env(), Target::start().await);
    let graph = json!({"nodes": [
        {"key": "slow", "node_type": "post_api", "timeout_s": 2, "metadata": {"url": "{{ input.source }}/hold/on"}},
        {"key": "answer", "node_type": "return", "metadata": {"output": "{{ input.body.path }}"}},
    ], "edges": [{"from": "slow", "to": "answer"}]});
    let workflow = api.publish("dies", &graph).await;
    let run = api.start_with_dying_message(&stack, &target, &workflow).await;

    let letter = api.dead_letter_of(&run).await;
    assert_eq!(letter["run_status"], "running", "nobody else looks after the run: {letter:#}");
    target.release();
    let wish = json!({"ids": [letter["id"]]});
    let redriven = api.post("/api/v1/dead-letters/redrive", &wish).await.expect(200);
    assert_eq!(redriven, json!({"redriven": [letter["id"]], "not_found": []}));

    let detail = api.ended(&run).await;
    assert_eq!(
        (&detail["status"], &detail["result"]),
        (&json!("succeeded"), &json!("/hold/on")),
        "{detail:#}"
    );
    let received = target.received();
    assert_eq!(received.len(), 2, "the lost attempt and the next one: {received:?}");
    assert_eq!(received[0].idempotency_key, received[1].idempotency_key);
    let again = api.post("/api/v1/dead-letters/redrive", &wish).await.expect(200);
    assert_eq!(again, json!({"redriven": [], "not_found": [letter["id"]]}));
}

impl Api {
    /// Starts a run and kills its worker; the queue is set to give up its message by that, and then as it was.
    async fn start_with_dying_message(&self, stack: &Stack, target: &Target, workflow: &str) -> String {
        let queue = Queue::of(stack).await;
        let before = queue.give_up_at_once().await;
        let dying = async {
            let run = self.start(workflow, json!({"source": target.url})).await;
            let first = target.arrivals(1).await.remove(0);
            assert!(process::kill(process::owner_of(first.peer)));
            self.dead_letter_of(&run).await;
            run
        };
        let died = tokio::time::timeout(Duration::from_secs(30), dying).await;
        queue.set(before).await;
        died.expect("the message dies")
    }

    /// Looks until there is a dead letter of the run.
    async fn dead_letter_of(&self, run: &str) -> Value {
        loop {
            let letters = self.get("/api/v1/dead-letters?limit=100").await.expect(200);
            let items = letters["items"].as_array().expect("letters");
            if let Some(letter) = items.iter().find(|letter| letter["run_id"] == run) {
                return letter.clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
