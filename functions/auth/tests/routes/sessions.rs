//! Sessions over HTTP, of clients that keep their tokens themselves.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::world::{ADA, PASSWORD, World};

async fn login(world: &World) -> Value {
    world.post("login", &json!({"email": ADA, "password": PASSWORD})).await.body
}

async fn refresh(world: &World, tokens: &Value) -> heddle_http::testing::Answer {
    world.post("refresh", &json!({"refresh_token": tokens["refresh_token"]})).await
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

#[tokio::test]
async fn tokens_are_renewed_once_each() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    world.clock.advance(TimeDelta::minutes(20));
    assert_eq!(world.send("GET", "me", access(&first), None).await.code(), 401);
    let second = refresh(&world, &first).await;
    assert_eq!((second.code(), &second.body["user"]["id"]), (200, &first["user"]["id"]));
    assert_eq!(world.send("GET", "me", access(&second.body), None).await.code(), 200);
    let again = refresh(&world, &first).await;
    assert_eq!(again.body["refresh_token"], second.body["refresh_token"], "the answer might have been lost");
    world.clock.advance(TimeDelta::seconds(10));
    assert_eq!(refresh(&world, &first).await.problem_code(), "unauthorized");
    assert_eq!(refresh(&world, &second.body).await.problem_code(), "unauthorized", "the session has ended");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    world.clock.advance(TimeDelta::minutes(1));
    let second = login(&world).await;
    let list = world.send("GET", "sessions", access(&second), None).await;
    let items = list.body["items"].as_array().unwrap();
    let current: Vec<&Value> = items.iter().map(|item| &item["is_current"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)], "{items:?}");
    assert!(items[0]["created_on"].is_string() && items[0]["expires_at"].is_string());
    let other = items[1]["id"].as_str().unwrap();
    let ended = world.send("DELETE", &format!("sessions/{other}"), access(&second), None).await;
    assert_eq!((ended.code(), &ended.body), (204, &Value::Null));
    assert_eq!(refresh(&world, &first).await.code(), 401);
    assert_eq!(refresh(&world, &second).await.code(), 200);
    let again = world.send("DELETE", &format!("sessions/{other}"), access(&second), None).await;
    assert_eq!(again.problem_code(), "not_found");
}

#[tokio::test]
async fn nobody_ends_anothers_session() {
    let world = World::new();
    let ada = world.signed_up(ADA).await;
    let eve = world.signed_up("eve@example.com").await;
    let list = world.send("GET", "sessions", access(&ada), None).await;
    let session = list.body["items"][0]["id"].as_str().unwrap();
    let details = async |id: &str| {
        let answer = world.send("DELETE", &format!("sessions/{id}"), access(&eve), None).await;
        (answer.code(), answer.problem().detail)
    };
    let foreign = details(session).await;
    assert_eq!(foreign.0, 404);
    for unknown in ["01961234-5678-7abc-8def-0123456789ab", "x", "%ff"] {
        assert_eq!(details(unknown).await, foreign);
    }
    assert_eq!(refresh(&world, &ada).await.code(), 200);
}

#[tokio::test]
async fn who_logs_out_is_out() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    let second = login(&world).await;
    for _ in 0..2 {
        assert_eq!(world.send("POST", "logout", access(&first), None).await.code(), 204);
    }
    assert_eq!(refresh(&world, &first).await.code(), 401);
    assert_eq!(refresh(&world, &second).await.code(), 200);
}

#[tokio::test]
async fn each_sign_in_is_a_session_of_its_own() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    let code = world.code(ADA, "login").await;
    // What a client brings along is not taken over.
    let body = json!({"email": ADA, "code": code});
    let mut request = crate::world::with_token("POST", "verify-otp", access(&first), Some(&body));
    let planted = format!("__Host-heddle_refresh={}", first["refresh_token"].as_str().unwrap());
    request.headers_mut().insert("cookie", planted.parse().unwrap());
    let second = heddle_http::testing::call(&world.router, request).await.body;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let list = world.send("GET", "sessions", access(&second), None).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
}
