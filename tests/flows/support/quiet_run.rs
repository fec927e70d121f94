//! Runs that only the test moves.

use std::sync::Arc;

use app::ports::{Hint, RunStore as _};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Priority, TeamId, Timestamp, Trigger, TriggerKind};
use engine::{NewRun, Run};
use runstore::DynamoRunStore;
use runtime::TimeOrderedIds;
use serde_json::{Value, json};
use test_support::aws::Emulator;

use super::{Stack, api::Api};

/// A run in the stack's store that no message announces: only the test's own messages move it.
pub struct QuietRun {
    pub store: DynamoRunStore,
    pub hint: Hint,
}

impl QuietRun {
    pub async fn create(api: &Api, stack: &Stack, graph: &Value, inputs: &Value) -> Self {
        Self::created_on(chrono::Utc::now(), api, stack, graph, inputs).await
    }

    pub async fn created_on(
        created_on: Timestamp,
        api: &Api,
        stack: &Stack,
        graph: &Value,
        inputs: &Value,
    ) -> Self {
        let workflow = api.publish("quiet", graph).await;
        let versions = api.get(&format!("/api/v1/workflows/{workflow}/versions")).await.expect(200);
        let version = versions["items"][0]["id"].as_str().expect("a version").parse().expect("a version id");
        let seen = api.start(&workflow, json!({})).await;
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

    pub async fn control(&self) -> Run {
        self.store.load_control(self.hint.team_id, self.hint.run_id).await.expect("the run")
    }
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
