//! The run store on the emulated DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::{
    fakes::{ManualClock, MemoryBlobs, MemoryQueue, ScriptedConnectors, SequentialIds},
    fakes::{a_conductor, a_run, a_version, graph, team},
    ports::{Blobs, Clock, Counters as _, Created, EndedRuns as _, Hint, Polling, RunStore, StoreError},
    {Delivery, MessageName, Worker, advance_run},
};
use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use chrono::TimeDelta;
use domain::{RunId, RunStatus, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Digest, NodeState, Run, StepRecord};
use runstore::{DynamoCounters, DynamoRunStore};
use serde_json::{Value, json};
use test_support::aws::{Emulator, Requests};

/// A store on a table of its own.
struct World {
    store: Arc<DynamoRunStore>,
    blobs: Arc<MemoryBlobs>,
    requests: Arc<Requests>,
    client: Client,
    table: String,
}

async fn world() -> World {
    let emulator = Emulator::connect().await;
    let (table, client) = (emulator.run_table().await, Client::new(&emulator.sdk));
    let blobs = Arc::new(MemoryBlobs::default());
    let ids = Arc::new(SequentialIds::default());
    let store = DynamoRunStore::new(client.clone(), &table, Arc::<MemoryBlobs>::clone(&blobs), ids);
    World { store: Arc::new(store), blobs, requests: emulator.requests, client, table }
}

mod conformance {
    use super::{DynamoRunStore, world};

    pub(super) async fn store() -> DynamoRunStore {
        std::sync::Arc::into_inner(world().await.store).unwrap()
    }

    app::run_store_suite!(store());
}

mod ended_runs {
    use super::conformance::store;

    app::ended_runs_suite!(store());
}

mod admissions {
    use aws_sdk_dynamodb::Client;
    use runstore::DynamoAdmissions;
    use test_support::aws::Emulator;

    async fn admissions() -> DynamoAdmissions {
        let emulator = Emulator::connect().await;
        let table = emulator.run_table().await;
        DynamoAdmissions::new(Client::new(&emulator.sdk), table)
    }

    app::admissions_suite!(admissions());
    app::step_slots_suite!(admissions());
}

mod counters {
    use std::sync::Arc;

    use app::fakes::ManualClock;
    use aws_sdk_dynamodb::Client;
    use runstore::DynamoCounters;
    use test_support::aws::Emulator;

    async fn with_clock() -> (DynamoCounters, Arc<ManualClock>) {
        let emulator = Emulator::connect().await;
        let clock = Arc::new(ManualClock::default());
        let table = emulator.run_table().await;
        (DynamoCounters::new(Client::new(&emulator.sdk), table, clock.clone()), clock)
    }

    app::counters_suite!(with_clock());
}

mod kept_answers {
    use aws_sdk_dynamodb::Client;
    use runstore::DynamoAnswers;
    use test_support::aws::Emulator;

    async fn answers() -> DynamoAnswers {
        let emulator = Emulator::connect().await;
        let table = emulator.run_table().await;
        DynamoAnswers::new(Client::new(&emulator.sdk), table)
    }

    app::kept_answers_suite!(answers());
}

mod challenges {
    use aws_sdk_dynamodb::Client;
    use runstore::DynamoChallenges;
    use test_support::aws::Emulator;

    async fn challenges() -> DynamoChallenges {
        let emulator = Emulator::connect().await;
        let table = emulator.run_table().await;
        DynamoChallenges::new(Client::new(&emulator.sdk), table)
    }

    app::challenges_suite!(challenges());
}

mod secret_copies {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use app::{
        conformance::sealed_secrets::SealedWorld,
        ports::{DataKey, SealedSecret, SealedSecrets, SecretCopies as _},
    };
    use async_trait::async_trait;
    use aws_sdk_dynamodb::Client;
    use domain::{DataKeyId, TeamId};
    use runstore::DynamoSecrets;
    use test_support::aws::{Emulator, Requests};
    use uuid::Uuid;

    use super::counts;

    struct Copies(DynamoSecrets, AtomicI64, Arc<Requests>);

    async fn copies() -> Copies {
        let emulator = Emulator::connect().await;
        let table = emulator.run_table().await;
        let secrets = DynamoSecrets::new(Client::new(&emulator.sdk), table);
        Copies(secrets, AtomicI64::new(1), emulator.requests)
    }

    #[async_trait]
    impl SealedWorld for Copies {
        fn sealed(&self) -> &dyn SealedSecrets {
            &self.0
        }

        fn teams(&self) -> [TeamId; 2] {
            [TeamId::new(Uuid::from_u128(1)), TeamId::new(Uuid::from_u128(2))]
        }

        async fn put(&self, team: TeamId, secret: &SealedSecret, key: &DataKey) {
            self.0.put(team, self.1.fetch_add(1, Ordering::Relaxed), secret, key).await.unwrap();
        }

        async fn delete(&self, team: TeamId, name: &str) {
            self.0.remove(team, self.1.fetch_add(1, Ordering::Relaxed), name).await.unwrap();
        }
    }

    app::sealed_secrets_suite!(copies());
    app::secret_copies_suite!(async { copies().await.0 });

    #[tokio::test]
    async fn a_secret_is_one_read_and_the_largest_has_room() {
        let world = copies().await;
        let [team, _] = world.teams();
        let key =
            DataKey { id: DataKeyId::new(team.uuid()), wrapped: vec![1; 60], master_key_id: "m".to_owned() };
        let ciphertext = vec![255; 65_552];
        let secret =
            SealedSecret { name: "PEM".to_owned(), version: 1, ciphertext, nonce: [0; 12], key_id: key.id };
        world.put(team, &secret, &key).await;
        world.2.take();
        assert_eq!(world.0.sealed(team, "PEM").await.unwrap(), (secret, key));
        assert_eq!(world.2.take(), counts([("GetItem", 1)]));
    }
}

fn morning() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).unwrap()
}

fn counts<const N: usize>(expected: [(&str, u32); N]) -> BTreeMap<String, u32> {
    expected.map(|(operation, count)| (operation.to_owned(), count)).into()
}

fn settled(run: &Run, nodes: usize) -> (Run, Vec<StepRecord>) {
    let mut next = Run { revision: run.revision + 1, status: RunStatus::Running, ..run.clone() };
    let records: Vec<_> = (0..nodes)
        .map(|n| StepRecord {
            node: format!("n{n}").as_str().into(),
            attempt: 1,
            digest: Digest::of(&n),
            output: Some(Arc::new(json!(n))),
            error: None,
            started_on: morning(),
            finished_on: morning(),
            claimed_at: 1,
            settled_at: 1,
            retried: false,
            notes: Vec::new(),
        })
        .collect();
    for record in &records {
        let state =
            NodeState::Succeeded { attempt: 1, output: record.digest.clone(), settled_at: 1, label: None };
        next.nodes.insert(record.node.clone(), state);
    }
    (next, records)
}

impl World {
    async fn created(&self) -> Run {
        let run = a_run(team(), morning());
        assert_eq!(self.store.create(&run, &json!({}), None).await.unwrap(), Created::New);
        self.requests.forget();
        run
    }

    async fn control_item(&self, run: RunId) -> std::collections::HashMap<String, AttributeValue> {
        let key = |sk: &str| AttributeValue::S(sk.to_owned());
        let get = self.client.get_item().table_name(&self.table).key("pk", key(&format!("RUN#{run}")));
        get.key("sk", key("RUN")).consistent_read(true).send().await.unwrap().item.unwrap()
    }

    async fn index_entries(&self, run: RunId) -> i32 {
        let shard = AttributeValue::S(format!("open#{}", run.uuid().as_u128() % 8));
        let query = self.client.query().table_name(&self.table).index_name("by_check");
        let query =
            query.key_condition_expression("check_pk = :shard").expression_attribute_values(":shard", shard);
        query.send().await.unwrap().count()
    }
}

#[tokio::test]
async fn requests_are_as_few_as_designed() {
    let world = world().await;
    let run = a_run(team(), morning());
    world.store.create(&run, &json!({}), None).await.unwrap();
    assert_eq!(world.requests.take(), counts([("PutItem", 2)]), "a start without a key");

    let (one, records) = settled(&run, 1);
    world.store.commit(&one, &records).await.unwrap();
    assert_eq!(world.requests.take(), counts([("PutItem", 1), ("UpdateItem", 1)]), "one step");

    let (ten, records) = settled(&one, 10);
    world.store.commit(&ten, &records).await.unwrap();
    assert_eq!(world.requests.take(), counts([("BatchWriteItem", 1), ("UpdateItem", 1)]), "ten steps");

    world.store.load(run.team_id, run.id).await.unwrap();
    assert_eq!(world.requests.take(), counts([("Query", 1)]), "a load");

    world.store.load_control(run.team_id, run.id).await.unwrap();
    assert_eq!(world.requests.take(), counts([("GetItem", 1)]), "a look at the state");

    let version = a_version(team(), graph(json!({"nodes": []})));
    world.store.put_version(&version).await.unwrap();
    world.requests.forget();
    for _ in 0..3 {
        world.store.version(version.team_id, version.id).await.unwrap();
    }
    assert_eq!(world.requests.take(), counts([("GetItem", 1)]), "a version is read once");
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_has_succeeded() {
    let world = world().await;
    let (next, records) = settled(&world.created().await, 2);
    world.requests.lose_answer_of("UpdateItem");
    world.store.commit(&next, &records).await.unwrap();
    assert_eq!(world.requests.take()["UpdateItem"], 2, "the SDK repeats it");
    assert_eq!(world.store.load_control(next.team_id, next.id).await.unwrap(), next);

    let again = world.store.commit(&next, &records).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "an equal decision of another worker: {again:?}");
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_has_succeeded() {
    let world = world().await;
    let run = a_run(team(), morning());
    world.store.put_version(&a_version(run.team_id, graph(json!({"nodes": []})))).await.unwrap();
    world.requests.lose_answer_of("PutItem");
    assert_eq!(world.store.create(&run, &json!({}), None).await.unwrap(), Created::New);

    let keyed = a_run(team(), morning());
    let key = app::ports::IdempotencyKey {
        key: "k".to_owned(),
        request: Digest::of("r"),
        expires_on: morning() + TimeDelta::hours(1),
    };
    world.requests.lose_answer_of("TransactWriteItems");
    assert_eq!(world.store.create(&keyed, &json!({}), Some(&key)).await.unwrap(), Created::New);
}

#[tokio::test]
async fn an_open_run_is_found_by_its_next_check_until_it_ends() {
    let world = world().await;
    let run = world.created().await;
    assert_eq!(world.index_entries(run.id).await, 1);
    let ended = Run { revision: 1, status: RunStatus::Succeeded, next_check_on: None, ..run.clone() };
    world.store.commit(&ended, &[]).await.unwrap();
    assert_eq!(world.index_entries(run.id).await, 0);
}

#[tokio::test]
async fn an_ordinary_commit_changes_nothing_that_an_index_holds() {
    let world = world().await;
    let run = world.created().await;
    let running = |run: &Run, check: i64| Run {
        revision: run.revision + 1,
        status: RunStatus::Running,
        next_check_on: Some(morning() + TimeDelta::seconds(check)),
        ..run.clone()
    };
    let first = running(&run, 36);
    world.store.commit(&first, &[]).await.unwrap();
    let before = world.control_item(run.id).await;
    world.store.commit(&running(&first, 44), &[]).await.unwrap();
    let after = world.control_item(run.id).await;
    for indexed in ["summary", "team_id", "workflow_id", "created_sk", "check_pk", "check_at"] {
        assert_eq!(before[indexed], after[indexed], "{indexed}");
    }
    assert_ne!(before["state"], after["state"]);
}

#[tokio::test]
async fn a_large_value_is_one_blob_however_often_it_is_passed_on() {
    let world = world().await;
    let (mut next, mut records) = settled(&world.created().await, 3);
    let large = Arc::new(Value::from("x".repeat(300_000)));
    for record in &mut records {
        record.output = Some(Arc::clone(&large));
        record.digest = Digest::of(&large);
        let state =
            NodeState::Succeeded { attempt: 1, output: record.digest.clone(), settled_at: 1, label: None };
        next.nodes.insert(record.node.clone(), state);
    }
    world.store.commit(&next, &records).await.unwrap();
    assert_eq!(world.blobs.sizes(), [300_002]);
    assert_eq!(world.store.load(next.team_id, next.id).await.unwrap().records, records);

    world.blobs.corrupt();
    let broken = world.store.load(next.team_id, next.id).await;
    assert!(
        matches!(broken, Err(StoreError::Unavailable { .. })),
        "a value with another digest is never handed out"
    );
}

/// Blobs that are gone.
struct NoBlobs;

#[async_trait]
impl Blobs for NoBlobs {
    async fn put(&self, _: TeamId, _: &Digest, _: Vec<u8>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn get(&self, _: TeamId, _: &Digest) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::NotFound)
    }
}

#[tokio::test]
async fn a_missing_blob_is_not_a_missing_run() {
    let world = world().await;
    let ids = Arc::new(SequentialIds::default());
    let store = DynamoRunStore::new(world.client.clone(), &world.table, Arc::new(NoBlobs), ids);
    let run = a_run(team(), morning());
    store.create(&run, &json!("x".repeat(300_000)), None).await.unwrap();
    let answer = store.load(run.team_id, run.id).await;
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

/// `a` to `j`, each adding one to what it gets.
fn ten_pure_nodes(team: TeamId) -> WorkflowVersion {
    let keys: Vec<_> = ('a'..='j').map(String::from).collect();
    let nodes: Vec<_> = keys
        .iter()
        .map(|key| json!({"key": key, "node_type": "advanced", "metadata": {"program": "input + 1"}}))
        .collect();
    let edges: Vec<_> = keys.windows(2).map(|pair| json!({"from": pair[0], "to": pair[1]})).collect();
    a_version(team, graph(json!({"nodes": nodes, "edges": edges})))
}

#[tokio::test]
async fn ten_pure_nodes_in_a_row_take_one_message_and_one_commit() {
    let world = world().await;
    let version = ten_pure_nodes(team());
    world.store.put_version(&version).await.unwrap();
    let run = Run {
        version_id: VersionId::new(version.id.uuid()),
        workflow_id: version.workflow_id,
        ..a_run(version.team_id, morning())
    };
    world.store.create(&run, &json!(0), None).await.unwrap();
    world.requests.forget();

    let (queue, clock) = (Arc::new(MemoryQueue::default()), Arc::new(ManualClock::default()));
    let conductor = a_conductor(world.store.clone(), queue.clone(), clock.clone());
    let worker = Worker::new(conductor, Arc::new(ScriptedConnectors::echo()), Arc::new(Polling));
    let hint = Hint::at(&run);
    let (now, deadline) = (clock.now(), clock.now() + TimeDelta::seconds(60));
    let delivery = Delivery { message: MessageName::of("1"), receive_count: 1, started_on: now, deadline };
    let advanced = advance_run(&worker, &hint, &delivery).await.unwrap();

    let expected = counts([("Query", 1), ("GetItem", 1), ("BatchWriteItem", 1), ("UpdateItem", 1)]);
    assert_eq!(
        world.requests.take(),
        expected,
        "read the run and its version, write ten records, commit once"
    );
    assert_eq!((advanced.run_ended, queue.take()), (Some(RunStatus::Succeeded), vec![]));
    let loaded = world.store.load(run.team_id, run.id).await.unwrap();
    assert_eq!(engine::run_result(&loaded.run, &loaded.values), Some(json!(10)));
}

#[tokio::test]
async fn an_addition_is_one_request_and_expires_with_its_window() {
    let emulator = Emulator::connect().await;
    let (client, table) = (Client::new(&emulator.sdk), emulator.run_table().await);
    let counters = DynamoCounters::new(client.clone(), &table, Arc::new(ManualClock::default()));
    let count = counters.add("10.0.0.1", 2, Duration::from_mins(1)).await.unwrap();
    assert_eq!(emulator.requests.take(), BTreeMap::from([("UpdateItem".to_owned(), 1)]));

    let items = client.scan().table_name(&table).send().await.unwrap().items.unwrap();
    let [item] = &items[..] else { panic!("{items:?}") };
    assert_eq!(item["pk"].as_s().unwrap(), "COUNT#10.0.0.1");
    assert_eq!(*item["expires_at"].as_n().unwrap(), count.ends_on.timestamp().to_string());
}

/// Every item of a run that is left.
async fn items_of(world: &World, run: &Run) -> usize {
    let query = world.client.query().table_name(&world.table).consistent_read(true);
    let query = query.key_condition_expression("pk = :pk");
    let pk = AttributeValue::S(format!("RUN#{}", run.id));
    let found = query.expression_attribute_values(":pk", pk).send().await.unwrap();
    found.items().len()
}

#[tokio::test]
async fn a_deleted_run_leaves_no_item_behind_and_a_lost_deletion_is_made_good() {
    let world = world().await;
    let run = world.created().await;
    let (next, records) = settled(&run, 60);
    let next = Run {
        status: RunStatus::Succeeded,
        finished_on: Some(morning() + TimeDelta::hours(1)),
        next_check_on: None,
        ..next
    };
    world.store.commit(&next, &records).await.unwrap();
    // A lost race leaves records that no control state names.
    let (lost, strange) = settled(&run, 70);
    assert!(world.store.commit(&lost, &strange[60..]).await.is_err());
    assert_eq!(items_of(&world, &run).await, 72);

    world.store.mark_exported(run.team_id, run.id).await.unwrap();
    world.requests.lose_answer_of("DeleteItem");
    world.store.purge(run.team_id, run.id).await.unwrap();
    assert_eq!(items_of(&world, &run).await, 0);
    world.store.purge(run.team_id, run.id).await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_deleted_in_part_is_found_again() {
    let world = world().await;
    let run = world.created().await;
    let (next, records) = settled(&run, 3);
    let next = Run { status: RunStatus::Failed, finished_on: Some(morning()), next_check_on: None, ..next };
    world.store.commit(&next, &records).await.unwrap();
    world.store.mark_exported(run.team_id, run.id).await.unwrap();
    let inputs = [("pk", format!("RUN#{}", run.id)), ("sk", "RUN#INPUTS".to_owned())];
    let key = inputs.map(|(name, text)| (name.to_owned(), AttributeValue::S(text)));
    world.client.delete_item().table_name(&world.table).set_key(Some(key.into())).send().await.unwrap();

    let later = morning() + TimeDelta::days(1);
    assert_eq!(world.store.ended_before(run.team_id, later, 10).await.unwrap(), [run.id]);
    assert_eq!(world.store.exported(run.team_id, &[run.id]).await.unwrap(), [run.id].into());
    world.store.purge(run.team_id, run.id).await.unwrap();
    assert_eq!(items_of(&world, &run).await, 0);
}
