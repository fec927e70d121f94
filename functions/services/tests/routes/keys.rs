//! The keys of services.

use app::ports::ApiKeys as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{World, pointers};

impl World {
    async fn is_good(&self, key: &str) -> bool {
        let body = json!({"version": 1, "properties": {"user_id": "ada"}});
        match self.call(key, "POST", "services/resolve", &body).await.code() {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn key_02_a_key_is_shown_once_and_kept_as_a_hash_with_its_end() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    let issued = world.send(&world.admin, "POST", &format!("{path}/api-key"), &Value::Null).await;
    let key = issued.body["api_key"].as_str().unwrap();
    assert_eq!((issued.code(), issued.header("cache-control")), (201, "no-store"));
    assert!(key.len() >= 44 && key.starts_with("hdl_"), "{}", key.len());
    assert_eq!(issued.body["previous_key_expires_at"], Value::Null);
    let read = world.get(&world.admin, &path).await.body;
    assert_eq!(read["api_key_last4"], json!(&key[key.len() - 4..]));
    assert!(!read.to_string().contains(key));
    let stored = "select api_key_hash from services";
    let stored: Vec<u8> = sqlx::query_scalar(stored).fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(stored, Sha256::digest(key).to_vec());
    let log = world.catalog.audit_list(world.team, None, 1).await.unwrap();
    assert_eq!(
        (log[0].entry.action.as_str(), &log[0].entry.details["last4"]),
        ("service.issue_key", &read["api_key_last4"])
    );
    assert!(!format!("{log:?}").contains(key));
}

#[tokio::test]
async fn key_03_a_key_that_is_replaced_is_good_for_its_grace_or_not_at_all() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    let first = world.key(&path, 0).await;
    let body = json!({"grace_seconds": 3600});
    let issued = world.send(&world.admin, "POST", &format!("{path}/api-key"), &body).await;
    let second = issued.body["api_key"].as_str().unwrap().to_owned();
    assert!(issued.body["previous_key_expires_at"].is_string());
    assert!(world.is_good(&first).await && world.is_good(&second).await);
    let third = world.key(&path, 0).await;
    assert_eq!(
        [world.is_good(&first).await, world.is_good(&second).await, world.is_good(&third).await],
        [false, false, true]
    );
    world.send(&world.admin, "DELETE", &path, &Value::Null).await;
    assert!(!world.is_good(&third).await, "void with its service");
}

#[tokio::test]
async fn a_grace_is_at_most_a_week() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    world.key(&path, 604_800).await;
    for bad in [json!(604_801), json!(-1), json!(1.5), json!("60"), json!(4_294_967_296_u64)] {
        let refused = world
            .send(
                &world.admin,
                "POST",
                &format!("{path}/api-key"),
                &json!({"grace_seconds": bad, "api_key": "x"}),
            )
            .await;
        assert_eq!(refused.code(), 422, "{bad}");
        assert!(pointers(&refused).contains(&"/api_key".to_owned()), "{refused:?}");
    }
    let refused = world
        .send(&world.admin, "POST", &format!("{path}/api-key"), &json!({"grace_seconds": 604_801}))
        .await;
    assert_eq!(pointers(&refused), ["/grace_seconds"]);
}

#[tokio::test]
async fn of_two_keys_that_are_issued_at_the_same_moment_one_is_the_services() {
    for grace in [0, 60] {
        let world = World::new().await;
        let path = world.service("Shop").await;
        let (one, two) = futures::future::join(world.key(&path, grace), world.key(&path, grace)).await;
        let good = [world.is_good(&one).await, world.is_good(&two).await];
        assert_eq!(good.iter().filter(|is_good| **is_good).count(), if grace == 0 { 1 } else { 2 });
        let last4 = world.get(&world.admin, &path).await.body["api_key_last4"].clone();
        assert!([&one, &two].iter().any(|key| json!(&key[key.len() - 4..]) == last4));
        let found = world.catalog.service_by_key(Sha256::digest(&one).into()).await.unwrap();
        assert_eq!(found.is_some(), good[0]);
    }
}
