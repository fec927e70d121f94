//! Segments.

use serde_json::{Value, json};

use crate::world::{World, pointers};

fn shoppers() -> Value {
    json!({"name": "shoppers", "keys": {"type": "object", "required": ["user_id"]}})
}

#[tokio::test]
async fn key_05_a_segment_lives_its_life_in_its_service() {
    let world = World::new().await;
    let (shop, mill) = (world.service("Shop").await, world.service("Mill").await);
    let made = world.send(&world.admin, "POST", &format!("{shop}/segments"), &shoppers()).await;
    assert_eq!((made.code(), &made.body["keys"]), (201, &shoppers()["keys"]));
    let path = made.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    assert_eq!(world.get(&world.viewer, &path).await.body, made.body);
    let changed = world.send(&world.admin, "PATCH", &path, &json!({"name": "buyers"})).await;
    assert_eq!(
        (changed.code(), &changed.body["name"], &changed.body["keys"]),
        (200, &json!("buyers"), &made.body["keys"])
    );
    let again =
        world.send(&world.admin, "POST", &format!("{shop}/segments"), &json!({"name": "buyers"})).await;
    assert_eq!((again.code(), again.problem_code().as_str()), (409, "taken"));
    assert_eq!(
        world
            .send(&world.admin, "POST", &format!("{mill}/segments"), &json!({"name": "buyers"}))
            .await
            .code(),
        201
    );
    let list = world.get(&world.viewer, &format!("{shop}/segments")).await.body;
    assert_eq!((&list["total"], &list["items"]), (&json!(1), &json!([changed.body])));
    let elsewhere = path.replace(shop.as_str(), &mill);
    assert_eq!(world.get(&world.admin, &elsewhere).await.code(), 404, "of another service");
    assert_eq!(world.send(&world.admin, "DELETE", &path, &Value::Null).await.code(), 204);
    assert_eq!(world.get(&world.admin, &path).await.code(), 404);
}

#[tokio::test]
async fn a_segment_whose_keys_are_no_schema_is_refused_with_all_that_is_wrong() {
    let world = World::new().await;
    let shop = world.service("Shop").await;
    let body = json!({"name": " ", "keys": {"type": 7}});
    let refused = world.send(&world.admin, "POST", &format!("{shop}/segments"), &body).await;
    assert_eq!(refused.code(), 422);
    let found = pointers(&refused);
    assert!(found[0].starts_with("/keys") && found.contains(&"/name".to_owned()), "{found:?}");
    let body = json!({"name": "x", "service_id": "x", "team_id": "x"});
    let refused = world.send(&world.admin, "POST", &format!("{shop}/segments"), &body).await;
    assert_eq!(pointers(&refused), ["/service_id", "/team_id"]);
}

#[tokio::test]
async fn a_foreign_segment_does_not_exist_in_any_way() {
    let world = World::new().await;
    let shop = world.service("Shop").await;
    let made = world.send(&world.admin, "POST", &format!("{shop}/segments"), &shoppers()).await;
    let id = made.body["id"].as_str().unwrap();
    let path = format!("{shop}/segments/{{}}");
    let routes = [
        ("GET", path.as_str(), Value::Null),
        ("PATCH", &path, json!({"name": "stolen"})),
        ("DELETE", &path, Value::Null),
    ];
    world.is_not_there(&routes, id).await;
    assert_eq!(world.get(&world.admin, &path.replace("{}", id)).await.body, made.body);
}
