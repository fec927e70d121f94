//! The run store: the rules of its port, and what it does beyond them.

use app::{
    fakes::{a_run, team},
    ports::{IdempotencyKey, RunStore as _},
};
use chrono::TimeDelta;
use domain::Timestamp;
use engine::Digest;
use serde_json::json;

use crate::support::World;

mod rules {
    use embedded::EmbeddedRunStore;

    use crate::support::World;

    fn store(world: &World) -> &EmbeddedRunStore {
        &world.embedded.store
    }

    app::run_store_suite!(World::new(), store);
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
