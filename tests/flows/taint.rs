//! What is in a secret reaches the other side of a call and nothing else (SCR-02, SCR-05): after calls that succeed, fail and echo it, it is
//! looked for in everything that is stored or logged, as it is and in other forms.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    Stack,
    api::{Answer, Api},
    standalone::Standalone,
    traces::{Traces, of_aws, of_folder, of_postgres},
};

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that tells everybody what it was told. What is below `/deny/` it refuses, `/busy/` it refuses for now.
async fn echo() -> (String, Seen) {
    async fn answer(State(seen): State<Seen>, request: Request) -> (StatusCode, HeaderMap, Json<Value>) {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
        seen.lock().unwrap().push(head.headers.clone());
        let status = match head.uri.path().split('/').nth(1) {
            Some("deny") => StatusCode::UNAUTHORIZED,
            Some("busy") => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        let mut echoed = HeaderMap::new();
        for (name, echo) in [("x-key", "echo-x-key"), ("authorization", "echo-authorization")] {
            if let Some(value) = head.headers.get(name) {
                echoed.insert(echo, value.clone());
            }
        }
        let told = json!({"headers": format!("{:?}", head.headers), "body": String::from_utf8_lossy(&body),
            "bytes": BASE64_STANDARD.encode(format!("{:?}", head.headers))});
        (status, echoed, Json(told))
    }
    let seen = Seen::default();
    let app = Router::new().route("/{*path}", any(answer)).with_state(Arc::clone(&seen));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, seen)
}

/// Calls that are echoed in a success, in refusals, in an item of a loop, and one that is tried again.
fn graph(name: &str) -> Value {
    let secret = format!("{{{{ secret.{name} }}}}");
    let call = |key: &str, node_type: &str, auth: Value| {
        json!({"key": key, "node_type": node_type,
            "retry": {"max_retries": 1, "delays_s": [0]}, "on_error": {"action": "continue", "default": null},
            "metadata": {"url": format!("{{{{ base.params.source }}}}/{key}/x"), "headers": {"x-key": format!("Key {secret}")}, "auth": auth}})
    };
    let bearer = json!({"type": "bearer", "token": secret});
    let basic = json!({"type": "basic", "username": "shop", "password": secret});
    let body = json!([{"key": "call", "node_type": "post_api",
        "metadata": {"url": "{{ base.params.source }}/item/x", "headers": {"x-key": secret}, "body": {"n": "{{ item }}"}}}]);
    json!({
        "nodes": [
            call("fetch", "get_api", bearer.clone()),
            call("send", "post_api", basic.clone()),
            call("deny", "post_api", basic),
            call("busy", "get_api", bearer),
            {"key": "each", "node_type": "for_each", "metadata": {"items": "{{ [1..3] }}", "body": body}},
            {"key": "all", "node_type": "merge"},
            {"key": "answer", "node_type": "return", "metadata": {"output": "{{ base.nodes }}"}},
        ],
        "edges": [
            {"from": "fetch", "to": "all"}, {"from": "send", "to": "all"}, {"from": "deny", "to": "all"},
            {"from": "busy", "to": "all"}, {"from": "each", "to": "all"}, {"from": "all", "to": "answer"},
        ],
    })
}

/// Puts a secret, has a workflow use it in every way, and answers its value and what was told over the API meanwhile.
async fn use_a_secret(api: &Api) -> (String, String) {
    let (url, seen) = echo().await;
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let (name, value) = (format!("SHOP_{}", &unique[..8]), format!("sk-\"live\"/{unique}+?"));
    let path = format!("/api/v1/secrets/{name}");
    let kept = api.put(&path, &json!({"value": format!("old {value}")})).await.expect(201);
    let rotated = api.post(&format!("{path}/rotate"), &json!({"value": value})).await.expect(200);
    assert_eq!((&kept["version"], &rotated["version"]), (&json!(1), &json!(2)));
    let refused = api.put(&path, &json!({"value": [value], "more": 1})).await.expect_problem(422);

    let workflow = api.publish("secretive", &graph(&name)).await;
    let run = api.start(&workflow, json!({"source": url})).await;
    let detail = api.ended(&run).await;
    assert_eq!(detail["status"], "succeeded", "{detail:#}");
    let replayed = api.post(&format!("/api/v1/runs/{run}/replay"), &json!({})).await.expect(200);
    let logs = api.get(&format!("/api/v1/runs/{run}/logs")).await.expect(200);

    let without = graph(&name).to_string().replace(&format!("secret.{name}"), "secret.SHOP_NONE");
    let without: Value = serde_json::from_str(&without).unwrap();
    let draft = json!({"name": "without", "is_api": true});
    let draft = api.post("/api/v1/workflows", &draft).await.expect(201);
    let id = draft["id"].as_str().unwrap();
    let unknown = api.put(&format!("/api/v1/workflows/{id}/graph"), &without).await.expect_problem(422);
    assert!(unknown["errors"].to_string().contains("unknown_reference"), "{unknown:#}");

    let in_use = Answer::of(api.request(Method::DELETE, &path)).await.expect_problem(409);
    assert!(in_use["errors"][0]["detail"].as_str().unwrap().contains("secretive"), "{in_use:#}");
    let list = api.get("/api/v1/secrets?limit=100").await.expect(200);
    assert!(list.to_string().contains(&name));

    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 8, "each once, what was busy twice, and the three of the loop");
    let is_right = |headers: &HeaderMap| {
        let key = headers["x-key"].to_str().unwrap();
        key == value || key == format!("Key {value}")
    };
    assert!(seen.iter().all(is_right), "each saw the value in use");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("shop:{value}")));
    assert!(seen.iter().any(|headers| headers.get("authorization").is_some_and(|auth| *auth == *basic)));
    let told = [kept, rotated, refused, detail, replayed, logs, unknown, in_use, list];
    (value, json!(told).to_string())
}

/// Nothing of the value in what was told or left behind; a canary shows that the search would find it.
fn assert_untainted(value: &str, told: &str, traces: &Traces) {
    let mut all = Traces::default();
    all.add("answers of the API", told.as_bytes());
    for form in [value.to_owned(), format!("shop:{value}"), format!("old {value}")] {
        assert_eq!(traces.holding(&form), Vec::<String>::new());
        assert_eq!(all.holding(&form), Vec::<String>::new());
        all.add("canary", format!("x{}", BASE64_STANDARD.encode(&form)).as_bytes());
        assert_eq!(all.holding(&form), ["canary"]);
        all = Traces::default();
    }
    for place in ["SHOP_", "[secret SHOP_"] {
        assert!(!traces.with_text(place).is_empty(), "the search does not see what is stored: {place}");
    }
}

#[tokio::test]
async fn a_secret_leaves_no_trace_on_aws() {
    let (stack, database) = (Stack::from_env(), crate::support::database().await);
    let api = Api::on_aws().acting_as_owner(&database).await;
    let (value, told) = use_a_secret(&api).await;
    let mut traces = of_aws(&stack).await;
    of_postgres(&database, &mut traces).await;
    assert_untainted(&value, &told, &traces);
    assert!(!traces.with_text("SECRET#").is_empty(), "workers read a sealed copy");
}

#[tokio::test]
async fn a_secret_leaves_no_trace_in_one_process() {
    let heddle = Standalone::start_logging("trace").await;
    let (value, told) = use_a_secret(&heddle.api().acting_as_owner(heddle.database()).await).await;
    let mut traces = Traces::default();
    // Logs, large values, keys and mails.
    of_folder(heddle.directory(), &mut traces);
    of_postgres(heddle.database(), &mut traces).await;
    assert_untainted(&value, &told, &traces);
}
