//! Rules of runs and their commits.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{ErrorClass, Failure, NodeKey, RunStatus, TeamId, Timestamp};
use engine::{Digest, NodeState, Run, StepRecord};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    fakes::{a_run, team},
    ports::{RunStore, StoreError},
};

pub(super) fn morning() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).expect("a time in 2026")
}

/// A run that is stored without a key.
pub(super) async fn stored(store: &dyn RunStore, team: TeamId) -> Run {
    let run = a_run(team, morning());
    assert!(store.create(&run, &json!({"n": 1}), None).await.unwrap().is_new());
    run
}

fn succeeded(node: &str, output: Value) -> StepRecord {
    StepRecord {
        node: node.into(),
        attempt: 1,
        digest: Digest::of(&output),
        output: Some(Arc::new(output)),
        error: None,
        started_on: morning(),
        finished_on: morning() + TimeDelta::milliseconds(34),
        claimed_at: 1,
        settled_at: 1,
        retried: false,
        notes: vec!["GET api.example.com: 200 in 34 ms".to_owned()],
    }
}

fn failed(node: &str, message: &str) -> StepRecord {
    let failure = Failure::new(ErrorClass::Transient, "timeout", message);
    StepRecord {
        digest: Digest::of(&failure),
        output: None,
        error: Some(failure),
        ..succeeded(node, json!(0))
    }
}

/// The run one commit later, with the nodes of these records settled, or ready again where they were retried.
fn with(run: &Run, records: &[StepRecord]) -> Run {
    let mut next = Run { revision: run.revision + 1, status: RunStatus::Running, ..run.clone() };
    for record in records {
        let (attempt, output) = (record.attempt, record.digest.clone());
        let state = match (record.retried, &record.output) {
            (true, _) => NodeState::Ready { attempt: attempt + 1, not_before: None },
            (false, Some(_)) => {
                NodeState::Succeeded { attempt, output, settled_at: record.settled_at, label: None }
            }
            (false, None) => {
                NodeState::Failed { attempt, output, settled_at: record.settled_at, handled: true }
            }
        };
        next.nodes.insert(record.node.clone(), state);
    }
    next
}

/// Commits the records on the run and reads it.
async fn committed(store: &dyn RunStore, run: &Run, records: &[StepRecord]) -> crate::ports::LoadedRun {
    store.commit(&with(run, records), records).await.unwrap();
    store.load(run.team_id, run.id).await.unwrap()
}

pub async fn a_created_run_is_read_back_with_its_inputs(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let loaded = store.load(run.team_id, run.id).await.unwrap();
    assert_eq!((&loaded.run, &*loaded.values.inputs), (&run, &json!({"n": 1})));
    assert!(loaded.records.is_empty() && loaded.values.outputs.is_empty());
    assert_eq!(store.load_control(run.team_id, run.id).await.unwrap(), run);
}

pub async fn a_run_of_another_team_is_not_found(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let (stranger, unknown) = (team(), a_run(run.team_id, morning()).id);
    for (team, id) in [(stranger, run.id), (run.team_id, unknown)] {
        assert!(matches!(store.load(team, id).await, Err(StoreError::NotFound)));
        assert!(matches!(store.load_control(team, id).await, Err(StoreError::NotFound)));
    }
}

pub async fn a_run_is_created_once(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let again = store.create(&run, &json!({"n": 2}), None).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

pub async fn a_commit_replaces_the_state_and_shows_its_records(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let records = [succeeded("a", json!([1])), StepRecord { retried: true, ..failed("b", "slow") }];
    let loaded = committed(store, &run, &records).await;
    assert_eq!((&loaded.run, &loaded.records[..]), (&with(&run, &records), &records[..]));

    let second = [StepRecord { attempt: 2, ..succeeded("b", json!("late")) }];
    let loaded = committed(store, &loaded.run, &second).await;
    assert_eq!(loaded.run.revision, 2);
    assert_eq!(loaded.records.len(), 3, "the retried attempt stays visible");
    assert_eq!(*loaded.values.outputs[&NodeKey::from("b")], json!("late"));
    assert_eq!(*loaded.values.outputs[&NodeKey::from("a")], json!([1]));
}

pub async fn records_are_read_without_their_outputs(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let large = succeeded("a", json!("x".repeat(400_000)));
    let retried = StepRecord { retried: true, ..failed("b", "slow") };
    let continued = StepRecord { error: failed("c", "slow").error, ..succeeded("c", json!(7)) };
    let records = [large, retried, continued, failed("d", "no")];
    let lost = [StepRecord { retried: true, ..failed("b", "lost") }, succeeded("e", json!(1))];
    let loaded = committed(store, &run, &records).await;
    store.commit(&with(&run, &lost), &lost).await.unwrap_err();

    let (control, bare) = store.load_records(run.team_id, run.id).await.unwrap();
    assert_eq!(control, loaded.run);
    let expected: Vec<_> =
        loaded.records.iter().map(|record| StepRecord { output: None, ..record.clone() }).collect();
    assert_eq!((bare.len(), &bare), (4, &expected));
    let foreign = store.load_records(team(), run.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
}

pub async fn a_lost_commit_leaves_nothing_visible(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let won = [succeeded("a", json!("won")), StepRecord { retried: true, ..failed("b", "won") }];
    store.commit(&with(&run, &won), &won).await.unwrap();

    let lost = [
        succeeded("a", json!("lost")),
        StepRecord { retried: true, ..failed("b", "lost") },
        succeeded("c", json!(1)),
    ];
    let refused = store.commit(&with(&run, &lost), &lost).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");

    let loaded = store.load(run.team_id, run.id).await.unwrap();
    assert_eq!(loaded.run, with(&run, &won));
    assert_eq!(loaded.records, won);
    assert_eq!(loaded.values.outputs.len(), 1);
    assert_eq!(*loaded.values.outputs[&NodeKey::from("a")], json!("won"));
}

pub async fn of_equal_commits_at_once_exactly_one_is_accepted(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let next = with(&run, &[]);
    let outcomes = join_all((0..8).map(|_| store.commit(&next, &[]))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|o| matches!(o, Ok(()) | Err(StoreError::Conflict))), "{outcomes:?}");
}

pub async fn a_commit_of_another_team_is_refused(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let foreign = Run { team_id: team(), ..with(&run, &[]) };
    assert!(store.commit(&foreign, &[]).await.is_err());
    assert_eq!(store.load_control(run.team_id, run.id).await.unwrap(), run);
}

pub async fn a_null_output_is_an_output(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let loaded = committed(store, &run, &[succeeded("a", Value::Null)]).await;
    assert_eq!(loaded.records[0].output.as_deref(), Some(&Value::Null));
    assert_eq!(*loaded.values.outputs[&NodeKey::from("a")], Value::Null);
}

pub async fn a_failure_is_seen_as_data_and_a_default_in_its_place(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let continued = StepRecord { error: failed("b", "slow").error, ..succeeded("b", json!(7)) };
    let loaded = committed(store, &run, &[failed("a", "slow"), continued]).await;
    let seen = json!({"class": "transient", "code": "timeout", "message": "slow"});
    assert_eq!(*loaded.values.outputs[&NodeKey::from("a")], seen);
    assert_eq!(*loaded.values.outputs[&NodeKey::from("b")], json!(7));
}

pub async fn numbers_come_back_exactly(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let numbers = json!([0, -1, 9_007_199_254_740_993_u64, u64::MAX, i64::MIN, 5.0, 0.1, 1e300, 1e-7]);
    let loaded = committed(store, &run, &[succeeded("a", numbers.clone())]).await;
    assert_eq!(*loaded.values.outputs[&NodeKey::from("a")], numbers);
}

pub async fn values_of_megabytes_come_back(store: &dyn RunStore) {
    let run = a_run(team(), morning());
    let (inputs, output) = (json!({"text": "ä".repeat(1_000_000)}), json!("x".repeat(3_000_000)));
    store.create(&run, &inputs, None).await.unwrap();
    let twice = [succeeded("a", output.clone()), succeeded("b", output.clone())];
    let loaded = committed(store, &run, &twice).await;
    assert_eq!(*loaded.values.inputs, inputs);
    assert_eq!(loaded.records, twice);
}

pub async fn long_notes_come_back(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let record =
        StepRecord { notes: vec!["n".repeat(1000); 500], ..succeeded("a", json!("x".repeat(255 * 1024))) };
    let loaded = committed(store, &run, std::slice::from_ref(&record)).await;
    assert_eq!(loaded.records, [record]);
}

pub async fn a_commit_may_settle_a_hundred_nodes(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let wide = "w".repeat(20_000);
    let records: Vec<_> = (0..100).map(|n| succeeded(&format!("n{n}"), json!([n, wide]))).collect();
    let loaded = committed(store, &run, &records).await;
    assert_eq!(loaded.records.len(), 100);
    assert_eq!(*loaded.values.outputs[&NodeKey::from("n99")], json!([99, wide]));
}

pub async fn a_run_is_overdue_after_its_check_and_an_ended_one_until_it_is_closed(store: &dyn RunStore) {
    let run = stored(store, team()).await;
    let check = run.next_check_on.expect("an open run is checked");
    let is_named = async |now| store.overdue(now, 1000).await.unwrap().contains(&(run.team_id, run.id));
    assert!(!is_named(check - TimeDelta::minutes(1)).await);
    assert!(is_named(check).await);

    let later = Run { next_check_on: Some(check + TimeDelta::hours(1)), ..with(&run, &[]) };
    store.commit(&later, &[]).await.unwrap();
    assert!(!is_named(check).await);
    assert!(is_named(check + TimeDelta::hours(1)).await);

    let ended = Run { revision: 2, status: RunStatus::Failed, ..later };
    store.commit(&ended, &[]).await.unwrap();
    assert!(is_named(check + TimeDelta::hours(1)).await);
    assert_eq!(store.load_control(run.team_id, run.id).await.unwrap(), ended);

    let closed = Run { revision: 3, next_check_on: None, ..ended };
    store.commit(&closed, &[]).await.unwrap();
    assert!(!is_named(check + TimeDelta::days(365)).await);
    assert_eq!(store.load_control(run.team_id, run.id).await.unwrap(), closed);
}

pub async fn it_answers_a_ping(store: &dyn RunStore) {
    store.ping().await.unwrap();
}
