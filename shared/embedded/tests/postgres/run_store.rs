//! The run store: the rules of its port, and what it does beyond them.

use std::time::{Duration, Instant};

use app::{
    fakes::{a_run, team},
    ports::{IdempotencyKey, RunMoves as _, RunStore as _, StoreError},
};
use chrono::TimeDelta;
use domain::{RunStatus, Timestamp};
use engine::{Digest, Run};
use serde_json::json;

use crate::support::{IMPATIENT, World, open};

mod rules {
    use embedded::EmbeddedRunStore;

    use crate::support::World;

    fn store(world: &World) -> &EmbeddedRunStore {
        &world.embedded.store
    }

    app::run_store_suite!(World::new(), store);
}

mod ended_runs {
    use embedded::EmbeddedRunStore;

    use crate::support::World;

    fn store(world: &World) -> &EmbeddedRunStore {
        &world.embedded.store
    }

    app::ended_runs_suite!(World::with_workers(), store);
}

/// The same rules where the store knows what it wrote, because the run was handed to a worker of its own process.
mod rules_with_workers {
    use embedded::EmbeddedRunStore;

    use crate::support::World;

    fn store(world: &World) -> &EmbeddedRunStore {
        &world.embedded.store
    }

    app::run_store_suite!(World::with_workers(), store);
}

#[tokio::test]
async fn a_commit_of_another_process_is_never_overwritten_and_then_seen() {
    let world = World::with_workers().await;
    let (store, other) = (&world.embedded.store, open(&world.database, IMPATIENT).await);
    let run = a_run(team(), Timestamp::from_timestamp(1_770_000_000, 0).unwrap());
    store.create(&run, &json!({}), None).await.unwrap();
    let theirs = Run { revision: 1, status: RunStatus::Cancelled, next_check_on: None, ..run.clone() };
    other.store.commit(&theirs, &[]).await.unwrap();

    let ours = Run { revision: 1, status: RunStatus::Running, ..run.clone() };
    let refused = store.commit(&ours, &[]).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.load(run.team_id, run.id).await.unwrap().run, theirs);
    assert_eq!(store.load_control(run.team_id, run.id).await.unwrap(), theirs);
}

#[tokio::test]
async fn a_commit_is_told_to_who_follows_its_run() {
    let world = World::new().await;
    let (store, moves) = (&world.embedded.store, &world.embedded.moves);
    let run = a_run(team(), Timestamp::from_timestamp(1_770_000_000, 0).unwrap());
    store.create(&run, &json!({}), None).await.unwrap();
    let mut following = moves.follow(run.id);
    let next = Run { revision: 1, status: RunStatus::Running, ..run.clone() };
    let (begin, long) = (Instant::now(), Duration::from_mins(1));
    let (committed, ()) = tokio::join!(store.commit(&next, &[]), following.moved(long));
    committed.unwrap();
    assert!(begin.elapsed() < long, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn expired_idempotency_keys_are_forgotten_and_others_kept() {
    let world = World::new().await;
    let (store, ours) = (&world.embedded.store, team());
    let now = Timestamp::from_timestamp(1_770_000_000, 0).unwrap();
    for (key, hours) in [("short", 1), ("long", 3)] {
        let expires_on = now + TimeDelta::hours(hours);
        let key = IdempotencyKey { key: key.to_owned(), request: Digest::of("x"), expires_on };
        store.create(&a_run(ours, now), &json!({}), Some(&key)).await.unwrap();
    }
    assert_eq!(store.forget_keys(now + TimeDelta::hours(2)).await.unwrap(), 1);
    let left: Vec<String> = sqlx::query_scalar("select key from embedded.idempotency_keys")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(left, ["long"]);
}
