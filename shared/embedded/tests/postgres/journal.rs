//! Group commit: what is written at once, and what is not.

use app::{
    fakes::{a_run, team},
    ports::{Created, IdempotencyKey, RunStore as _, StepInbox as _, StoreError},
};
use chrono::TimeDelta;
use domain::{RunStatus, Timestamp};
use engine::{Digest, Run};
use futures::future::join_all;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::support::World;

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).unwrap()
}

fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey { key: key.to_owned(), request: Digest::of("x"), expires_on: now() + TimeDelta::hours(1) }
}

#[tokio::test]
async fn runs_that_commit_at_once_share_transactions() {
    let world = World::new().await;
    let (store, team) = (&world.embedded.store, team());
    let (runs, inputs): (Vec<Run>, _) = ((0..64).map(|_| a_run(team, now())).collect(), json!({}));
    for created in join_all(runs.iter().map(|run| store.create(run, &inputs, None))).await {
        assert_eq!(created.unwrap(), Created::Announced);
    }
    let next = |run: &Run| Run { revision: 1, status: RunStatus::Running, ..run.clone() };
    for committed in join_all(runs.iter().map(async |run| store.commit(&next(run), &[]).await)).await {
        committed.unwrap();
    }
    let transactions: i64 =
        sqlx::query_scalar("select count(distinct xmin::text) from embedded.runs where revision = 1")
            .fetch_one(world.database.pool())
            .await
            .unwrap();
    assert!((1..=8).contains(&transactions), "64 commits took {transactions} transactions");
}

#[tokio::test]
async fn a_run_and_its_first_hint_become_durable_together() {
    let world = World::new().await;
    let run = a_run(team(), now());
    world.embedded.store.create(&run, &json!({}), Some(&key("k"))).await.unwrap();
    let same: bool = sqlx::query_scalar(
        "select runs.xmin = messages.xmin and runs.xmin = idempotency_keys.xmin
        from embedded.runs, embedded.messages, embedded.idempotency_keys",
    )
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    assert!(same);
}

#[tokio::test]
async fn a_start_that_is_refused_leaves_no_message() {
    let world = World::new().await;
    let (store, team) = (&world.embedded.store, team());
    let (first, second) = (a_run(team, now()), a_run(team, now()));
    store.create(&first, &json!({}), Some(&key("k"))).await.unwrap();
    assert_eq!(
        store.create(&second, &json!({}), Some(&key("k"))).await.unwrap(),
        Created::Existing(first.id)
    );
    let of: Vec<uuid::Uuid> = sqlx::query_scalar("select run_id from embedded.messages")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(of, [first.id.uuid()]);
}

#[tokio::test]
async fn what_the_database_refuses_harms_no_other() {
    let world = World::new().await;
    let (store, team) = (&world.embedded.store, team());
    let runs: Vec<Run> = (0..12).map(|_| a_run(team, now())).collect();
    // Postgres takes no NUL in a text.
    let poison = key("\0");
    let (inputs, keys) = (json!({}), |n| (n == 5).then_some(&poison));
    let creating = runs.iter().enumerate().map(|(n, run)| store.create(run, &inputs, keys(n)));
    for (n, created) in join_all(creating).await.into_iter().enumerate() {
        match created {
            Ok(created) => assert!(n != 5 && created.is_new()),
            Err(error) => assert!(n == 5 && matches!(error, StoreError::Unavailable { .. }), "{n}: {error}"),
        }
    }
}

#[tokio::test]
async fn stores_whose_connections_broke_work_again() {
    let mut world = World::new().await;
    world.embedded.start();
    let store = &world.embedded.store;
    store.create(&a_run(team(), now()), &json!({}), None).await.unwrap();
    let mut other = PgConnection::connect(&world.database.url()).await.unwrap();
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .execute(&mut other)
        .await
        .unwrap();

    // Some callers are told that it failed; it must not last.
    let mut last = a_run(team(), now());
    for attempt in 0.. {
        match store.create(&last, &json!({}), None).await {
            Ok(_) => break,
            Err(error) => assert!(attempt < 20, "{error}"),
        }
        last = a_run(team(), now());
    }
    loop {
        let message = world.embedded.workers.next().await;
        world.embedded.queue.done(&message.receipt).await.unwrap();
        if message.hint.run_id == last.id {
            break;
        }
    }
}
