//! Services themselves.

use heddle_http::testing::{by_token, call, check_openapi, hostile_bodies};
use serde_json::{Value, json};

use crate::world::{World, pointers};

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&World::new().await.router, "services").await;
}

#[tokio::test]
async fn key_09_a_service_is_made_read_renamed_and_deleted() {
    let world = World::new().await;
    let path = world.service("Web shop").await;
    let read = world.get(&world.viewer, &path).await;
    assert_eq!(
        (read.code(), &read.body["name"], &read.body["environment"]),
        (200, &json!("Web shop"), &json!("dev"))
    );
    assert_eq!(read.body["api_key_last4"], Value::Null);
    let renamed = world.send(&world.admin, "PATCH", &path, &json!({"name": "Shop"})).await;
    assert_eq!((renamed.code(), &renamed.body["name"]), (200, &json!("Shop")));
    assert_eq!(world.send(&world.admin, "DELETE", &path, &Value::Null).await.code(), 204);
    assert_eq!(world.get(&world.admin, &path).await.code(), 404);
    assert_eq!(world.told().await[..3], ["service.delete", "service.update", "service.create"]);
}

#[tokio::test]
async fn key_01_a_name_is_taken_once_in_each_environment() {
    let world = World::new().await;
    let path = world.service("Web shop").await;
    let make = async |name: &str, environment: &str| {
        world.send(&world.admin, "POST", "services", &json!({"name": name, "environment": environment})).await
    };
    assert_eq!(make("Web shop", "dev").await.problem_code(), "taken");
    assert_eq!(make("Web shop", "prod").await.code(), 201);
    assert_eq!(make("Mill", "dev").await.code(), 201);
    let renamed = world.send(&world.admin, "PATCH", &path, &json!({"name": "Mill"})).await;
    assert_eq!((renamed.code(), renamed.problem_code().as_str()), (409, "taken"));
}

#[tokio::test]
async fn key_13_services_are_listed_with_what_they_have() {
    let world = World::new().await;
    let (shop, mill) = (world.service("Shop").await, world.service("Mill").await);
    world.send(&world.admin, "POST", &format!("{shop}/segments"), &json!({"name": "shoppers"})).await;
    let key = world.key(&shop, 0).await;
    for user in ["ada", "bob", "ada"] {
        let body = json!({"version": 1, "properties": {"user_id": user}});
        assert_eq!(world.call(&key, "POST", "services/resolve", &body).await.code(), 200);
    }
    let page = world.get(&world.viewer, "services").await.body;
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(2), &json!(20), &json!(0)));
    let none = json!({"experts": 0, "workflows": 0, "segments": 0, "users": 0});
    assert_eq!((&page["items"][0]["name"], &page["items"][0]["counts"]), (&json!("Mill"), &none));
    let some = json!({"experts": 0, "workflows": 0, "segments": 1, "users": 2});
    assert_eq!((&page["items"][1]["name"], &page["items"][1]["counts"]), (&json!("Shop"), &some));
    assert_eq!(world.get(&world.viewer, &shop).await.body["counts"], some);
    assert_eq!(world.get(&world.viewer, &mill).await.body["counts"], none);
    let rest = world.get(&world.viewer, "services?limit=1&offset=1").await.body;
    assert_eq!(rest["items"][0]["name"], "Shop");
}

#[tokio::test]
async fn every_mistake_is_told_at_once_and_nothing_else_is_anybodys_to_choose() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    for (method, path, body, expected) in [
        ("POST", "services", json!({}), vec!["/environment", "/name"]),
        ("POST", "services", json!({"name": " ", "environment": "dev"}), vec!["/name"]),
        (
            "POST",
            "services",
            json!({"name": 1, "environment": "moon", "team_id": "x", "api_key_hash": "x"}),
            vec!["/api_key_hash", "/environment", "/name", "/team_id"],
        ),
        ("PATCH", &path, json!({"name": "x".repeat(201)}), vec!["/name"]),
        ("PATCH", &path, json!({"name": "x", "environment": "prod"}), vec!["/environment"]),
    ] {
        let answer = world.send(&world.admin, method, path, &body).await;
        assert_eq!(
            (answer.code(), pointers(&answer)),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    for bad in ["limit=0", "offset=-1", "x=1"] {
        assert_eq!(world.get(&world.admin, &format!("services?{bad}")).await.problem_code(), "validation");
    }
}

#[tokio::test]
async fn hostile_bodies_get_their_problem() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    let routes = [
        ("POST", "services".to_owned()),
        ("PATCH", path.clone()),
        ("POST", format!("{path}/api-key")),
        ("POST", format!("{path}/segments")),
        ("POST", "services/resolve".to_owned()),
    ];
    for (method, path) in &routes {
        for body in hostile_bodies() {
            let request = body.request(method, &format!("/api/v1/{path}"), "");
            let answer = call(&world.router, by_token(request, &world.admin)).await;
            let name = format!("{method} {path}: {}", body.name);
            assert_eq!((answer.code(), answer.problem_code().as_str()), (body.status, body.code), "{name}");
        }
    }
    assert_eq!(world.told().await.iter().filter(|action| action.starts_with("service.")).count(), 1);
}

#[tokio::test]
async fn who_may_only_look_changes_nothing_and_services_do_not_see_themselves() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    let key = world.key(&path, 0).await;
    let (id, name) = (path.trim_start_matches("services/"), json!({"name": "x"}));
    for (method, path, body) in [
        ("POST", "services".to_owned(), json!({"name": "x", "environment": "dev"})),
        ("PATCH", path.clone(), name.clone()),
        ("DELETE", path.clone(), Value::Null),
        ("POST", format!("{path}/api-key"), json!({})),
        ("POST", format!("{path}/segments"), name.clone()),
        (
            "POST",
            "services/resolve".to_owned(),
            json!({"service_id": id, "version": 1, "properties": {"a": "b"}}),
        ),
    ] {
        for token in [&world.viewer, &world.editor] {
            assert_eq!(world.send(token, method, &path, &body).await.code(), 403, "{method} {path}");
        }
    }
    for path in ["services".to_owned(), path.clone(), format!("{path}/users")] {
        assert_eq!(world.call(&key, "GET", &path, &Value::Null).await.code(), 403, "{path}");
    }
    assert_eq!(world.call(&key, "POST", &format!("{path}/api-key"), &json!({})).await.code(), 403);
}

#[tokio::test]
async fn a_foreign_service_does_not_exist_in_any_way() {
    let world = World::new().await;
    let path = world.service("Shop").await;
    let id = path.trim_start_matches("services/");
    let routes = [
        ("GET", "services/{}", Value::Null),
        ("PATCH", "services/{}", json!({"name": "stolen"})),
        ("DELETE", "services/{}", Value::Null),
        ("POST", "services/{}/api-key", json!({})),
        ("POST", "services/{}/segments", json!({"name": "x"})),
        ("GET", "services/{}/segments", Value::Null),
        ("GET", "services/{}/users", Value::Null),
    ];
    world.is_not_there(&routes, id).await;
    assert_eq!(world.get(&world.admin, &path).await.body["name"], "Shop");
    assert_eq!(world.get(&world.foreigner, "services").await.body["total"], 0);
}
