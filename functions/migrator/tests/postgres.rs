//! The function against a real database.

// The lint lets tests unwrap, but not the helpers beside them.
#![allow(clippy::unwrap_used)]

use catalog::Catalog;
use migrator::handle;
use serde_json::{Value, json, to_value};
use test_support::TestDatabase;

async fn invoke(catalog: &Catalog, event: Value) -> Value {
    to_value(handle(catalog, &event).await.unwrap()).unwrap()
}

fn seed(key: u8) -> Value {
    json!({"action": "seed", "api_key_sha256": hex::encode([key; 32]), "api_key_last4": "wxyz"})
}

#[tokio::test]
async fn a_deployment_migrates_seeds_and_does_so_again() {
    let database = TestDatabase::empty().await;
    let catalog = Catalog::new(database.pool().clone());

    let first = invoke(&catalog, json!({"action": "migrate"})).await;
    assert!(!first["applied"].as_array().unwrap().is_empty());
    assert_eq!(invoke(&catalog, json!({})).await, json!({"applied": []}));

    let seeded = invoke(&catalog, seed(1)).await;
    assert!(seeded["team_id"].is_string() && seeded["service_id"].is_string());
    assert_eq!(invoke(&catalog, seed(2)).await, seeded);
}

#[tokio::test]
async fn a_failure_says_why() {
    let database = TestDatabase::empty().await;
    let catalog = Catalog::new(database.pool().clone());

    let failed = handle(&catalog, &seed(1)).await.unwrap_err().to_string();

    assert!(failed.contains("seed failed") && failed.contains("does not exist"), "{failed}");
}
