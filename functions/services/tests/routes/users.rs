//! End users of services.

use serde_json::{Value, json};

use crate::world::{UNKNOWN, World, pointers};

fn key(user: &str) -> Value {
    json!({"version": 1, "properties": {"user_id": user, "client_id": "1"}})
}

#[tokio::test]
async fn key_08_the_same_key_means_the_same_end_user_whoever_asks() {
    let world = World::new().await;
    let shop = world.service("Shop").await;
    let id = shop.trim_start_matches("services/");
    let api_key = world.key(&shop, 0).await;
    let resolve = async |body: &Value| world.call(&api_key, "POST", "services/resolve", body).await;
    let ada = resolve(&key("ada")).await;
    assert_eq!((ada.code(), &ada.body["service_id"]), (200, &json!(id)));
    assert_eq!(ada.body["segment_key"], key("ada"));
    let turned = json!({"properties": {"client_id": "1", "user_id": "ada"}, "version": 1});
    assert_eq!(resolve(&turned).await.body, ada.body);
    let mut named = key("ada");
    named["service_id"] = json!(id);
    assert_eq!(resolve(&named).await.body, ada.body);
    assert_eq!(world.send(&world.admin, "POST", "services/resolve", &named).await.body, ada.body);
    assert_ne!(resolve(&key("bob")).await.body["user_id"], ada.body["user_id"]);
    let mut newer = key("ada");
    newer["version"] = json!(2);
    assert_ne!(resolve(&newer).await.body["id"], ada.body["id"]);
}

#[tokio::test]
async fn a_service_resolves_for_no_other_and_a_member_names_one_of_their_team() {
    let world = World::new().await;
    let (shop, mill) = (world.service("Shop").await, world.service("Mill").await);
    let api_key = world.key(&shop, 0).await;
    let named = |service: &str| {
        let mut body = key("ada");
        body["service_id"] = json!(service.trim_start_matches("services/"));
        body
    };
    let mut details = Vec::new();
    for answer in [
        world.call(&api_key, "POST", "services/resolve", &named(&mill)).await,
        world.call(&api_key, "POST", "services/resolve", &named(UNKNOWN)).await,
        world.send(&world.foreigner, "POST", "services/resolve", &named(&shop)).await,
        world.send(&world.foreigner, "POST", "services/resolve", &named(UNKNOWN)).await,
    ] {
        details.push((answer.code(), answer.problem().detail));
    }
    assert!(details.iter().all(|detail| detail.0 == 404 && *detail == details[0]), "{details:?}");
    let unnamed = world.send(&world.admin, "POST", "services/resolve", &key("ada")).await;
    assert_eq!((unnamed.code(), pointers(&unnamed)), (422, vec!["/service_id".to_owned()]));
    assert_eq!(world.get(&world.admin, &format!("{mill}/users")).await.body["total"], 0);
}

#[tokio::test]
async fn two_who_are_the_first_to_ask_get_the_same_end_user() {
    let world = World::new().await;
    let shop = world.service("Shop").await;
    let api_key = world.key(&shop, 0).await;
    let body = key("ada");
    let resolve = || world.call(&api_key, "POST", "services/resolve", &body);
    let (one, two) = futures::future::join(resolve(), resolve()).await;
    assert_eq!((one.code(), &one.body), (200, &two.body));
}

#[tokio::test]
async fn what_is_wrong_with_a_segment_key_is_told_at_once() {
    let world = World::new().await;
    for (body, expected) in [
        (json!({"version": 0, "properties": {}}), vec!["/properties", "/service_id", "/version"]),
        (json!({}), vec!["/properties", "/service_id", "/version"]),
        (
            json!({"service_id": UNKNOWN, "version": 1, "properties": {"": "x", "a/b": "x".repeat(501)}}),
            vec!["/properties/", "/properties/a~1b"],
        ),
        (
            json!({"service_id": UNKNOWN, "version": 70_000, "properties": {"a": 1}, "user_id": "x"}),
            vec!["/properties/a", "/user_id", "/version"],
        ),
    ] {
        let answer = world.send(&world.admin, "POST", "services/resolve", &body).await;
        assert_eq!(
            (answer.code(), pointers(&answer)),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn end_users_are_listed_and_forgotten() {
    let world = World::new().await;
    let shop = world.service("Shop").await;
    let api_key = world.key(&shop, 0).await;
    let mut known = Vec::new();
    for user in ["ada", "bob"] {
        known.push(world.call(&api_key, "POST", "services/resolve", &key(user)).await.body);
    }
    let list = world.get(&world.viewer, &format!("{shop}/users")).await.body;
    assert_eq!((&list["total"], &list["items"]), (&json!(2), &json!([known[1], known[0]])));
    let path = format!("{shop}/users/{{}}");
    let ada = known[0]["id"].as_str().unwrap();
    world.is_not_there(&[("DELETE", &path, Value::Null)], ada).await;
    let one = path.replace("{}", ada);
    assert_eq!(world.send(&world.viewer, "DELETE", &one, &Value::Null).await.code(), 403);
    assert_eq!(world.send(&world.admin, "DELETE", &one, &Value::Null).await.code(), 204);
    assert_eq!(world.send(&world.admin, "DELETE", &one, &Value::Null).await.code(), 404);
    let again = world.call(&api_key, "POST", "services/resolve", &key("ada")).await.body;
    assert_ne!(again["id"], known[0]["id"]);
    assert_eq!(world.told().await[0], "service_user.delete");
}
