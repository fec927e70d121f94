//! What a client can get wrong: each the right problem+json, never a 5xx, and nothing stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Answer, Api};

on_each_target![
    every_mistake_of_a_graph_is_listed_in_one_answer,
    malformed_bodies_get_a_problem_and_store_nothing,
    a_body_of_ten_megabytes_is_too_large,
    without_a_valid_key_nothing_is_told,
    an_unknown_id_is_not_found_on_every_route,
    health_and_readiness_answer_without_a_key,
];

async fn workflow(api: &Api) -> String {
    let created = api.post("/api/v1/workflows", &json!({"name": "bad input"})).await.expect(201);
    created["id"].as_str().expect("an id").to_owned()
}

async fn every_mistake_of_a_graph_is_listed_in_one_answer(api: Api) {
    let id = workflow(&api).await;
    let graph = json!({
        "nodes": [
            {"key": "loop_a", "node_type": "advanced", "metadata": {"program": "input"}},
            {"key": "loop_b", "node_type": "advanced", "metadata": {"program": "input"}},
            {"key": "left", "node_type": "advanced", "metadata": {"program": "1"}},
            {"key": "right", "node_type": "advanced", "metadata": {"program": "2"}},
            {"key": "two_parents", "node_type": "advanced", "metadata": {"program": "input"}},
            {"key": "strange", "node_type": "teleport"},
            {"key": "broken", "node_type": "filter", "metadata": {"items": "{{ input }}", "condition": "{{ item.a = }}"}},
            {"key": "foreign", "node_type": "workflow", "metadata": {"workflow_id": uuid::Uuid::now_v7()}},
        ],
        "edges": [
            {"from": "loop_a", "to": "loop_b"}, {"from": "loop_b", "to": "loop_a"},
            {"from": "left", "to": "two_parents"}, {"from": "right", "to": "two_parents"},
        ],
    });

    let problem = api.put(&format!("/api/v1/workflows/{id}/graph"), &graph).await.expect_problem(422);
    let errors = problem["errors"].as_array().expect("errors");
    let has = |code: &str, node: Option<&str>| {
        errors.iter().any(|e| e["code"] == code && node.is_none_or(|node| e["node"] == node))
    };
    assert!(has("cycle", None), "{problem:#}");
    assert!(has("several_parents", Some("two_parents")), "{problem:#}");
    assert!(has("unknown_type", Some("strange")), "{problem:#}");
    assert!(errors.iter().any(|e| e["node"] == "broken" && e["offset"].is_u64()), "{problem:#}");
    assert!(has("unknown_reference", Some("foreign")), "{problem:#}");

    let stored = api.get(&format!("/api/v1/workflows/{id}")).await.expect(200);
    assert_eq!(stored["graph"]["nodes"], json!([]), "nothing is stored");
}

async fn malformed_bodies_get_a_problem_and_store_nothing(api: Api) {
    let nested = format!("{{\"name\": {}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    // Invalid UTF-8 is tested on the routers: the emulated gateway repairs it before a function sees it.
    let cases: [(&str, Vec<u8>, &str, &[u16]); 6] = [
        ("1 MB of nesting", nested.into_bytes(), "application/json", &[400, 413, 422]),
        ("wrong type", br#"{"name": 7}"#.to_vec(), "application/json", &[422]),
        ("unknown field", br#"{"name": "x", "team_id": "y"}"#.to_vec(), "application/json", &[422]),
        ("not JSON", b"name=x".to_vec(), "application/json", &[400]),
        ("no JSON type", br#"{"name": "x"}"#.to_vec(), "text/plain", &[415]),
        ("empty", Vec::new(), "application/json", &[400]),
    ];
    let before = total(&api).await;
    for (case, body, content_type, expected) in cases {
        let request =
            api.request(Method::POST, "/api/v1/workflows").header("content-type", content_type).body(body);
        let answer = Answer::of(request).await;
        let status = answer.status.as_u16();
        assert!(expected.contains(&status), "{case}: {status} {:#}", answer.body);
        answer.expect_problem(status);
    }
    // Other tests create workflows at the same time, none of them with these names.
    assert!(total(&api).await >= before);
    let stored = api.get("/api/v1/workflows?search=x&limit=100").await.expect(200);
    assert!(stored["items"].as_array().unwrap().iter().all(|w| w["name"] != "x"), "{stored:#}");
}

async fn total(api: &Api) -> u64 {
    api.get("/api/v1/workflows").await.expect(200)["total"].as_u64().expect("a total")
}

async fn a_body_of_ten_megabytes_is_too_large(api: Api) {
    let body = json!({"name": "x".repeat(10_000_000)});
    api.post("/api/v1/workflows", &body).await.expect_problem(413);
}

async fn without_a_valid_key_nothing_is_told(api: Api) {
    let id = workflow(&api).await;
    for path in ["/api/v1/workflows", &format!("/api/v1/workflows/{id}"), "/api/v1/runs"] {
        let missing = Answer::of(api.anonymous(Method::GET, path)).await.expect_problem(401);
        let wrong = Answer::of(api.anonymous(Method::GET, path).header("x-api-key", "hk_wrong"))
            .await
            .expect_problem(401);
        assert_eq!(without_instance(missing), without_instance(wrong));
    }
}

async fn an_unknown_id_is_not_found_on_every_route(api: Api) {
    let id = uuid::Uuid::now_v7();
    for path in
        ["workflows/{id}", "workflows/{id}/versions", "runs/{id}", "runs/{id}/steps", "runs/{id}/logs"]
    {
        api.get(&format!("/api/v1/{}", path.replace("{id}", &id.to_string()))).await.expect_problem(404);
    }
    api.post(&format!("/api/v1/workflows/{id}/publish"), &json!({})).await.expect_problem(404);
    api.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})).await.expect_problem(404);
    api.post("/api/v1/runs", &json!({"workflow_id": id})).await.expect_problem(404);
    api.get("/api/v1/runs/not-an-id").await.expect_problem(404);
}

async fn health_and_readiness_answer_without_a_key(api: Api) {
    for path in ["/health", "/health/ready", "/api/v1/workflows/health/ready", "/api/v1/runs/health/ready"] {
        Answer::of(api.anonymous(Method::GET, path)).await.expect(200);
    }
}

fn without_instance(mut problem: Value) -> Value {
    problem.as_object_mut().expect("an object").remove("instance");
    problem
}
