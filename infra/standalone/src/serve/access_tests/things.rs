//! An example of everything that a team can have.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use heddle_http::{
    BASE,
    testing::{by_token, call, request, request_with},
};
use serde_json::{Value, json};

use super::world::{Team, World};

/// What a team has, by the names that paths have for it; made through the API, as its owner would.
pub(super) async fn things_of(world: &World, team: &Team) -> BTreeMap<&'static str, String> {
    let token = world.token(team.members["owner"], TimeDelta::zero()).await;
    let post = async |path: &str, body: Value| {
        let made = by_token(request_with("POST", &format!("{BASE}{path}"), "", &body), &token);
        let answer = call(&world.router, made).await;
        assert!(answer.status.is_success(), "POST {path}: {answer:?}");
        answer.body
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let workflow = text(&post("/workflows", json!({"name": "theirs"})).await["id"]);
    let graph = json!({"nodes": [{"key": "done", "node_type": "return"}], "edges": []});
    let put = request_with("PUT", &format!("{BASE}/workflows/{workflow}/graph"), "", &graph);
    assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 200);
    post(&format!("/workflows/{workflow}/publish"), json!({})).await;
    let run = text(&post("/runs", json!({"workflow_id": workflow})).await["run_id"]);
    let invite = json!({"email": "ada@example.com", "role": "viewer"});
    let invitation = text(&post(&format!("/teams/{}/invite", team.id), invite).await["id"]);
    let service = text(&post("/services", json!({"name": "theirs", "environment": "prod"})).await["id"]);
    let segment = post(&format!("/services/{service}/segments"), json!({"name": "theirs"})).await;
    let key = json!({"service_id": service, "version": 1, "properties": {"user_id": "ada"}});
    let user = text(&post("/services/resolve", key).await["id"]);
    let secret = request_with("PUT", &format!("{BASE}/secrets/SHOP"), "", &json!({"value": "sk-live"}));
    assert_eq!(call(&world.router, by_token(secret, &token)).await.code(), 201);
    let expert = text(&post("/experts", json!({"name": "theirs", "model_name": "m"})).await["id"]);
    for link in [format!("workflows/{workflow}"), format!("services/{service}")] {
        let put = request_with("PUT", &format!("{BASE}/experts/{expert}/{link}"), "", &Value::Null);
        assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 204, "{link}");
    }
    let put =
        request_with("PUT", &format!("{BASE}/workflows/{workflow}/services/{service}"), "", &Value::Null);
    assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 204);
    let map = json!({"key": "shape", "node_type": "map"});
    let node = post(&format!("/workflows/{workflow}/nodes"), map).await["node"].clone();
    let edge = json!({"from": "shape", "to": "done"});
    let edge = post(&format!("/workflows/{workflow}/edges"), edge).await["edge"].clone();
    let mut late = request_with("PUT", &format!("{BASE}/workflows/{workflow}/graph"), "", &graph);
    late.headers_mut().insert("if-match", "\"1\"".parse().unwrap());
    assert_eq!(call(&world.router, by_token(late, &token)).await.code(), 412);
    let drafts = request("GET", &format!("{BASE}/workflows/{workflow}/drafts"), "");
    let drafts = call(&world.router, by_token(drafts, &token)).await.body;
    BTreeMap::from([
        ("name", "SHOP".to_owned()),
        ("node_id", text(&node["id"])),
        ("edge_id", text(&edge["id"])),
        ("draft_id", text(&drafts["items"][0]["id"])),
        ("invitation_id", invitation),
        ("service_id", service),
        ("segment_id", text(&segment["id"])),
        ("service_user_id", user),
        ("expert_id", expert),
        ("workflow_id", workflow),
        ("number", "1".to_owned()),
        ("other", "draft".to_owned()),
        ("run_id", run),
        ("node", "done".to_owned()),
        ("member_id", team.members["viewer"].to_string()),
    ])
}
