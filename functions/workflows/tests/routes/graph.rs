//! Graphs and versions over HTTP, on Postgres: replace, validate, publish.

use std::collections::BTreeSet;

use crate::world::{World, graph};
use app::ports::RunStore as _;
use serde_json::{Value, json};

/// A cycle, two parents on a node that is no merge, an unknown type, a bad expression and a foreign reference.
fn five_mistakes() -> Value {
    json!({
        "nodes": [
            {"key": "a", "node_type": "map", "metadata": {"mapping": "{{ input }}"}},
            {"key": "b", "node_type": "map", "metadata": {"mapping": "{{ input }}"}},
            {"key": "c", "node_type": "get_api", "metadata": {"url": "https://api.example.com/"}},
            {"key": "d", "node_type": "teleport"},
            {"key": "e", "node_type": "map", "metadata": {"mapping": "{{ input.( }}"}},
            {"key": "f", "node_type": "job", "metadata": {"expert_id": "01961234-5678-7abc-8def-0123456789ab"}},
        ],
        "edges": [
            {"from": "a", "to": "b"}, {"from": "b", "to": "a"}, {"from": "c", "to": "b"}, {"from": "c", "to": "d"},
            {"from": "c", "to": "e"}, {"from": "c", "to": "f"},
        ],
    })
}

#[tokio::test]
async fn a_graph_with_five_mistakes_is_one_422_that_lists_all_and_is_not_stored() {
    let world = World::new().await;
    let path = world.create("a").await;
    let before = world.get(&path).await;
    let answer = world.send("PUT", &format!("{path}/graph"), &five_mistakes()).await;
    let problem = answer.problem();
    assert_eq!((problem.status, answer.problem_code().as_str()), (422, "validation"));
    let codes: BTreeSet<&str> = problem.errors.iter().map(|error| error.code.as_str()).collect();
    for pointer in ["/nodes/3/node_type", "/nodes/4/metadata/mapping", "/nodes/5/metadata/expert_id"] {
        assert!(
            problem.errors.iter().any(|error| error.pointer == pointer),
            "{pointer}: {:?}",
            problem.errors
        );
    }
    assert!(codes.len() >= 5, "{codes:?}");
    let expression =
        problem.errors.iter().find(|error| error.pointer == "/nodes/4/metadata/mapping").unwrap();
    assert_eq!(expression.node.as_deref(), Some("e"));
    assert!(expression.offset.is_some());
    let after = world.get(&path).await;
    assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
}

#[tokio::test]
async fn a_graph_is_replaced_and_read_back_and_nodes_keep_their_ids() {
    let world = World::new().await;
    let path = world.create("a").await;
    let first = world.send("PUT", &format!("{path}/graph"), &graph()).await;
    assert_eq!(first.code(), 200, "{first:?}");
    let read = world.get(&path).await;
    assert_eq!((&read.body["graph"], read.header("etag")), (&first.body["graph"], first.header("etag")));
    let again = world.send("PUT", &format!("{path}/graph"), &graph()).await;
    assert_eq!(again.body["graph"], first.body["graph"]);
}

#[tokio::test]
async fn nobody_overwrites_a_newer_draft_unseen() {
    let world = World::new().await;
    let path = world.create("a").await;
    let graph_path = format!("{path}/graph");
    let tag = world.get(&path).await.header("etag").to_owned();
    assert_eq!(world.send_if(&tag, "PUT", &graph_path, &graph()).await.code(), 200);
    let stale = world
        .send_if(&tag, "PUT", &graph_path, &json!({"nodes": [{"key": "x", "node_type": "return"}]}))
        .await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    assert_eq!(world.get(&path).await.body["graph"]["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(world.send_if("*", "PUT", &graph_path, &graph()).await.code(), 200);
    assert_eq!(world.send_if("\"one\"", "PUT", &graph_path, &graph()).await.code(), 412);
    assert_eq!(
        world.send_if("\"1\", \"2\"", "PUT", &graph_path, &graph()).await.problem_code(),
        "invalid_header"
    );
}

#[tokio::test]
async fn a_node_id_of_another_workflow_is_refused() {
    let world = World::new().await;
    let (one, other) = (world.create("a").await, world.create("b").await);
    let stored = world.send("PUT", &format!("{one}/graph"), &graph()).await.body["graph"].clone();
    let answer = world.send("PUT", &format!("{other}/graph"), &stored).await;
    assert_eq!(answer.problem().errors[0].code, "unknown_node_id");
}

#[tokio::test]
async fn mistakes_of_form_inside_a_graph_are_found_by_their_pointer() {
    let world = World::new().await;
    let path = world.create("a").await;
    let body = json!({"nodes": [{"key": "a", "node_type": "map", "timeout": 3}, {"key": 7, "node_type": "map"}], "edgez": []});
    let problem = world.send("PUT", &format!("{path}/graph"), &body).await.problem();
    let pointers: Vec<&str> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/nodes/0/timeout", "/nodes/1/key", "/edgez"]);
}

#[tokio::test]
async fn validation_judges_and_stores_nothing() {
    let world = World::new().await;
    let path = world.create("a").await;
    let before = world.get(&path).await.body;
    let good = world.send("POST", "workflows/validate", &json!({"graph": graph()})).await;
    assert_eq!((good.code(), &good.body["valid"]), (200, &json!(true)), "{good:?}");
    let bad = world.send("POST", "workflows/validate", &json!({"graph": five_mistakes()})).await;
    assert_eq!((bad.code(), &bad.body["valid"]), (200, &json!(false)));
    assert!(bad.body["violations"].as_array().unwrap().len() >= 5);
    let other = world.send("POST", &format!("{path}/validate"), &json!({"graph": graph()})).await;
    assert_eq!(other.body["valid"], true);
    let draft = world.send("POST", &format!("{path}/validate"), &json!({})).await;
    assert_eq!(draft.body["violations"][0]["code"], "no_nodes");
    assert_eq!(world.get(&path).await.body, before);
}

#[tokio::test]
async fn a_draft_is_published_and_both_stores_know_the_version() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let first = world.send("POST", &format!("{path}/publish"), &json!({"note": "first"})).await;
    assert_eq!((first.code(), &first.body["number"]), (201, &json!(1)), "{first:?}");
    assert_eq!(first.header("location"), format!("/api/v1/{path}/versions/1"));
    let id = first.body["version_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.store.version(world.team, id).await.unwrap().number, 1);
    let second = world.send("POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!(second.body["number"], 2);
    let told = &world.catalog.audit_list(world.team, None, 1).await.unwrap()[0].entry;
    assert_eq!((told.action.as_str(), &told.details["number"]), ("workflow.publish", &json!(2)), "TEN-11");
    assert_eq!(told.request_id.as_deref(), Some(second.header("x-request-id")));
    assert!(matches!(told.actor, app::ports::Actor::Service(_)), "{told:?}");

    let list = world.get(&format!("{path}/versions")).await.body;
    assert_eq!((&list["total"], &list["items"][1]["note"]), (&json!(2), &json!("first")));
    let version = world.get(&format!("{path}/versions/1")).await.body;
    assert_eq!((&version["id"], &version["number"]), (&first.body["version_id"], &json!(1)));
    assert_eq!(version["graph"]["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(world.get(&format!("{path}/versions/3")).await.problem_code(), "not_found");
    assert_eq!(world.get(&format!("{path}/versions/one")).await.problem_code(), "not_found");
    let workflow = world.get(&path).await.body;
    assert_eq!(
        (&workflow["status"], &workflow["published_version_id"]),
        (&json!("published"), &second.body["version_id"])
    );
}

#[tokio::test]
async fn an_empty_draft_and_a_stale_tag_are_not_published() {
    let world = World::new().await;
    let path = world.create("a").await;
    let empty = world.send("POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!(empty.problem().errors[0].code, "no_nodes");
    let tag = world.get(&path).await.header("etag").to_owned();
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let stale = world.send_if(&tag, "POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    assert_eq!(world.get(&format!("{path}/versions")).await.body["total"], 0);
}
