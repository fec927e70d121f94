//! A small area through the whole stack of an API.

use std::sync::Arc;

use app::{fakes::ManualClock, ports::StoreError};
use axum::Router;
use domain::{Permission, TeamId};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Api, ApiResult, Caller, Json, Needs, Path, Route, docs,
    testing::{Passes, call, check_openapi, hostile_bodies, request, request_with, through_api_gateway},
};

const KEY: &str = "hdl_0123456789";

const ROUTES: &[Route] = &[
    Route::new("POST", "/things", Needs::Team(Permission::WorkflowsCreate)),
    Route::new("GET", "/things/{id}", Needs::Team(Permission::WorkflowsView)),
];

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    #[schema(example = "a lamp")]
    name: String,
}

/// Echo a thing.
#[utoipa::path(post, path = "/things", tag = "things", operation_id = "echo", request_body = Thing, responses((status = 200, body = Thing), docs::Creating))]
async fn echo(_: Caller, Json(thing): Json<Thing>) -> Json<Thing> {
    Json(thing)
}

/// Fail.
#[utoipa::path(get, path = "/things/{id}", tag = "things", operation_id = "fail",
    params(("id" = Uuid, Path, description = "Whatever.")), responses((status = 200, body = Thing), docs::Reading))]
async fn fail(_: Caller, Path(id): Path<Uuid>) -> ApiResult<Json<Thing>> {
    assert!(!id.is_nil(), "a secret of {id}");
    Err(StoreError::NotFound.into())
}

fn passes() -> Passes {
    let passes = Passes::new(Arc::new(ManualClock::default()));
    passes.service(TeamId::new(Uuid::nil()), KEY);
    passes
}

fn router(ready: bool) -> Router {
    let routes = OpenApiRouter::default().routes(routes!(echo)).routes(routes!(fail));
    let check = move || async move { if ready { Ok(()) } else { Err("password=hunter2") } };
    Api::new("things", "Things.", routes).ready("the shelf", check).build((), passes().gate_before(ROUTES))
}

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&router(true), "things").await;
}

#[tokio::test]
async fn every_hostile_body_gets_its_problem() {
    let router = router(true);
    for body in hostile_bodies() {
        let answer = call(&router, body.request("POST", "/api/v1/things", KEY)).await;
        assert_eq!(
            (answer.code(), answer.problem_code().as_str()),
            (body.status, body.code),
            "{}",
            body.name
        );
    }
}

#[tokio::test]
async fn mistakes_of_form_are_named_with_their_pointer() {
    let body = json!({"nam": 1, "name": 2});
    let problem = call(&router(true), request_with("POST", "/api/v1/things", KEY, &body)).await.problem();
    let mistakes: Vec<_> = problem.errors.iter().map(|e| (e.pointer.as_str(), e.code.as_str())).collect();
    assert_eq!(mistakes, [("/nam", "unknown_field"), ("/name", "invalid_type")]);
}

#[tokio::test]
async fn no_key_two_keys_and_a_wrong_key_are_the_same_401() {
    let path = "/api/v1/things/018f0000-0000-7000-8000-000000000001";
    let two =
        Request::get(path).header("x-api-key", KEY).header("x-api-key", KEY).body(axum::body::Body::empty());
    let mut bodies = Vec::new();
    for request in [request("GET", path, ""), request("GET", path, "hdl_wrong"), two.unwrap()] {
        let answer = call(&router(true), request).await;
        assert!(!answer.header("www-authenticate").is_empty());
        let problem = answer.problem();
        bodies.push((problem.status, problem.kind, problem.title, problem.detail));
    }
    assert_eq!(bodies[0].0, 401);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn what_is_foreign_what_is_no_id_and_what_is_no_route_are_the_same_404() {
    let mut bodies = Vec::new();
    for path in ["things/018f0000-0000-7000-8000-000000000001", "things/not-a-uuid", "things/%ff", "nothing"]
    {
        let problem = call(&router(true), request("GET", &format!("/api/v1/{path}"), KEY)).await.problem();
        bodies.push((problem.status, problem.kind, problem.title, problem.detail));
    }
    assert_eq!(bodies[0].0, 404);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn another_method_is_a_405_that_names_the_right_one() {
    let answer = call(&router(true), request("DELETE", "/api/v1/things", KEY)).await;
    assert_eq!((answer.code(), answer.problem_code().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let answer = call(&router(true), request("GET", &format!("/api/v1/things/{}", Uuid::nil()), KEY)).await;
    assert_eq!((answer.code(), answer.problem_code().as_str()), (500, "internal"));
    assert!(!answer.body.to_string().contains("secret"));
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for path in ["/health", "/nothing", "/api/v1/things/x", "/api/v1/things/openapi.json"] {
        let answer = call(&router(true), request("GET", path, "")).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.header("strict-transport-security").starts_with("max-age="), "{path}");
        assert!(answer.header("x-request-id").parse::<Uuid>().is_ok(), "{path}");
    }
}

#[tokio::test]
async fn readiness_names_the_part_and_not_its_error() {
    for path in ["/health", "/api/v1/things/health", "/health/ready", "/api/v1/things/health/ready"] {
        let answer = call(&router(true), request("GET", path, "")).await;
        assert_eq!((answer.code(), &answer.body["status"]), (200, &json!("ok")), "{path}");
    }
    let problem = call(&router(false), request("GET", "/health/ready", "")).await.problem();
    assert_eq!((problem.status, problem.detail.as_str()), (503, "the shelf is not ready."));
    assert_eq!(call(&router(false), request("GET", "/health", "")).await.code(), 200);
}

#[tokio::test]
async fn readiness_is_not_asked_more_often_than_every_few_seconds() {
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = asked.clone();
    let ask = move || {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async { Ok::<(), StoreError>(()) }
    };
    let router = Api::new("things", "Things.", OpenApiRouter::default().routes(routes!(echo)))
        .ready("x", ask)
        .build((), passes().gate_before(ROUTES));
    let calls = (0..20).map(|_| call(&router, request("GET", "/health/ready", "")));
    futures::future::join_all(calls).await;
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

fn event(stage: &str, path: &str, query: &str) -> String {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "x.example", "x-api-key": KEY, "content-type": "application/json"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "x.example", "domainPrefix": "x",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "t"},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": stage, "time": "x", "timeEpoch": 1,
        },
        "body": "eyJuYW1lIjogImEifQ==", "isBase64Encoded": true,
    })
    .to_string()
}

#[tokio::test]
async fn an_api_gateway_event_keeps_its_id_and_loses_its_stage() {
    for (stage, path) in
        [("$default", "/api/v1/things"), ("dev", "/dev/api/v1/things"), ("dev", "/api/v1/things")]
    {
        let answer = through_api_gateway(router(true), &event(stage, path, "")).await;
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(answer["headers"]["x-request-id"], "JKJaXmPLvHcESHA=");
        assert_eq!(answer["body"], r#"{"name":"a"}"#);
    }
}

#[tokio::test]
async fn no_path_and_no_query_is_too_strange_to_be_answered() {
    for (path, query) in [
        ("/api/v1/things", "a=<script>\"|{}^`\\ é"),
        ("/api/v1/things/<é \"{}|?#", ""),
        ("/%", "%"),
        ("//", "?"),
        ("", ""),
    ] {
        let answer = through_api_gateway(router(true), &event("$default", path, query)).await;
        assert!(answer["statusCode"].as_u64().unwrap() < 500, "{path}?{query}: {answer}");
    }
}
