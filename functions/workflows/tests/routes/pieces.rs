//! Nodes and edges one at a time (WF-02, WF-15), on Postgres.

use domain::graph::MAX_NODES;
use serde_json::{Value, json};

use crate::world::{World, graph, id_of};

/// A node with this key and its path.
async fn add(world: &World, path: &str, node: &Value) -> (Value, String) {
    let made = world.send("POST", &format!("{path}/nodes"), node).await;
    assert_eq!(made.code(), 201, "{made:?}");
    let at = made.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    (made.body, at)
}

async fn connect(world: &World, path: &str, from: &str, to: &str) -> String {
    let made = world.send("POST", &format!("{path}/edges"), &json!({"from": from, "to": to})).await;
    assert_eq!(made.code(), 201, "{made:?}");
    made.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["violations"].as_array().unwrap().iter().map(|found| found["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn wf_15_a_workflow_is_built_piece_by_piece_until_it_is_published() {
    let world = World::new().await;
    let path = world.create("a").await;
    let nodes = graph()["nodes"].as_array().unwrap().clone();
    let (fetch, _) = add(&world, &path, &nodes[0]).await;
    assert_eq!((&fetch["revision"], codes(&fetch)), (&json!(2), vec![]), "{fetch}");
    assert_eq!(fetch["node"]["metadata"], nodes[0]["metadata"]);

    // What it needs may come later; until then it is told of the whole.
    let (empty, at) = add(&world, &path, &json!({"key": "large", "node_type": "filter"})).await;
    assert!(codes(&empty).contains(&"missing_field"), "{empty}");
    let changed = world.send("PATCH", &at, &json!({"metadata": nodes[1]["metadata"]})).await;
    assert_eq!((changed.code(), &changed.body["violations"]), (200, &json!([])), "{changed:?}");
    add(&world, &path, &nodes[2]).await;
    connect(&world, &path, "fetch", "large").await;
    connect(&world, &path, "large", "done").await;
    let published = world.send("POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!(published.code(), 201, "{published:?}");
}

#[tokio::test]
async fn wf_15_pieces_are_listed_and_read_with_the_drafts_tag() {
    let world = World::new().await;
    let path = world.create("a").await;
    let put = world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let nodes = world.get(&format!("{path}/nodes?limit=2&offset=1")).await;
    assert_eq!((nodes.header("etag"), &nodes.body["total"]), (put.header("etag"), &json!(3)));
    assert_eq!(nodes.body["items"], json!([put.body["graph"]["nodes"][1], put.body["graph"]["nodes"][2]]));
    let id = nodes.body["items"][0]["id"].as_str().unwrap();
    let node = world.get(&format!("{path}/nodes/{id}")).await;
    assert_eq!((node.header("etag"), &node.body), (put.header("etag"), &nodes.body["items"][0]));

    let edges = world.get(&format!("{path}/edges")).await;
    assert_eq!((edges.header("etag"), &edges.body["total"]), (put.header("etag"), &json!(2)));
    let first = &edges.body["items"][0];
    assert_eq!((&first["from"], &first["to"]), (&json!("fetch"), &json!("large")));
    let edge = world.get(&format!("{path}/edges/{}", first["id"].as_str().unwrap())).await;
    assert_eq!((edge.header("etag"), &edge.body), (put.header("etag"), first));
    for kind in ["nodes", "edges"] {
        assert_eq!(world.get(&format!("{path}/{kind}?limit=0")).await.problem_code(), "validation");
        assert_eq!(world.get(&format!("{path}/{kind}/{}", id_of(&path))).await.problem_code(), "not_found");
    }
}

#[tokio::test]
async fn wf_15_an_edge_that_stays_keeps_its_id_over_edits_of_the_whole() {
    let world = World::new().await;
    let path = world.create("a").await;
    let mut body = world.send("PUT", &format!("{path}/graph"), &graph()).await.body["graph"].clone();
    let edges = world.get(&format!("{path}/edges")).await.body["items"].clone();
    // Another order, another key, one edge less and one more.
    body["nodes"].as_array_mut().unwrap().reverse();
    body["nodes"][2]["key"] = json!("fetched");
    body["edges"] = json!([{"from": "fetched", "to": "done"}, {"from": "fetched", "to": "large"}]);
    let put = world.send("PUT", &format!("{path}/graph"), &body).await;
    assert_eq!(put.code(), 200, "{put:?}");
    let after = world.get(&format!("{path}/edges")).await.body["items"].clone();
    assert_eq!(after[1]["id"], edges[0]["id"]);
    assert!(after[0]["id"] != edges[0]["id"] && after[0]["id"] != edges[1]["id"]);
}

#[tokio::test]
async fn wf_15_a_node_under_a_new_key_keeps_its_edges_and_goes_with_them() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let nodes = world.get(&format!("{path}/nodes")).await.body["items"].clone();
    let edges = world.get(&format!("{path}/edges")).await.body["items"].clone();
    let large = format!("{path}/nodes/{}", nodes[1]["id"].as_str().unwrap());
    let renamed = world.send("PATCH", &large, &json!({"key": "renamed"})).await;
    assert_eq!((renamed.code(), &renamed.body["node"]["id"]), (200, &nodes[1]["id"]), "{renamed:?}");
    let after = world.get(&format!("{path}/edges")).await.body["items"].clone();
    assert_eq!((&after[0]["id"], &after[0]["to"]), (&edges[0]["id"], &json!("renamed")));
    assert_eq!((&after[1]["id"], &after[1]["from"]), (&edges[1]["id"], &json!("renamed")));

    let gone = world.edit(None, "DELETE", &large, &Value::Null).await;
    assert_eq!((gone.code(), &gone.body["revision"]), (200, &json!(4)), "{gone:?}");
    assert_eq!(gone.header("etag"), "\"4\"");
    assert_eq!(world.get(&format!("{path}/edges")).await.body["total"], 0);
    assert_eq!(world.get(&large).await.problem_code(), "not_found");
    let (told, details) = world.told(1).await.remove(0);
    assert_eq!(told, "workflow.edit");
    let counts = |removed| json!({"added": 0, "changed": 0, "removed": removed});
    assert_eq!(details, json!({"revision": 4, "nodes": counts(1), "edges": counts(2)}), "TEN-11");
}

#[tokio::test]
async fn null_takes_away_what_may_be_absent_and_what_is_absent_stays() {
    let world = World::new().await;
    let path = world.create("a").await;
    let whole = json!({
        "key": "a", "name": "A", "node_type": "return", "metadata": {"output": 1}, "structured_output": {"type": "number"},
        "retry": {"max_retries": 1}, "timeout_s": 5, "on_error": {"action": "continue", "default": 2}, "position": {"x": 1.5, "y": 2.0},
    });
    let (made, at) = add(&world, &path, &whole).await;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(&made["node"][field], value, "{field}");
    }
    let same = world.send("PATCH", &at, &json!({})).await.body;
    assert_eq!(same["node"], made["node"]);
    let none = json!({"structured_output": null, "retry": null, "timeout_s": null, "position": null});
    let bare = world.send("PATCH", &at, &none).await.body["node"].clone();
    for field in none.as_object().unwrap().keys() {
        assert_eq!(bare.get(field), None, "{field}");
    }
    assert_eq!((&bare["name"], &bare["on_error"]), (&whole["name"], &whole["on_error"]));
}

#[tokio::test]
async fn an_edge_gets_another_label_and_keeps_its_id() {
    let world = World::new().await;
    let path = world.create("a").await;
    let check =
        json!({"key": "check", "node_type": "if_else", "metadata": {"condition": "{{ input.n > 1 }}"}});
    add(&world, &path, &check).await;
    add(&world, &path, &json!({"key": "yes", "node_type": "return", "metadata": {"output": 1}})).await;
    let edge = connect(&world, &path, "check", "yes").await;
    let labelled = world.send("PATCH", &edge, &json!({"label": "true"})).await;
    assert_eq!((labelled.code(), &labelled.body["edge"]["label"]), (200, &json!("true")), "{labelled:?}");
    assert_eq!(labelled.body["edge"]["id"], id_of(&edge));
    assert_eq!(world.send("PATCH", &edge, &json!({})).await.body["edge"]["label"], "true");
    let bare = world.send("PATCH", &edge, &json!({"label": null})).await.body;
    assert_eq!(bare["edge"].get("label"), None);
    assert!(codes(&bare).contains(&"missing_label"), "{bare}");
    let gone = world.edit(None, "DELETE", &edge, &Value::Null).await;
    assert_eq!(gone.code(), 200, "{gone:?}");
    assert_eq!(world.get(&edge).await.problem_code(), "not_found");
}

#[tokio::test]
async fn wf_02_09_what_no_other_piece_can_mend_is_refused_and_not_stored() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let before = world.get(&path).await;
    let node = format!("{path}/nodes/{}", before.body["graph"]["nodes"][0]["id"].as_str().unwrap());
    let edges = world.get(&format!("{path}/edges")).await.body["items"].clone();
    let edge = format!("{path}/edges/{}", edges[0]["id"].as_str().unwrap());
    let (nodes, edges) = (format!("{path}/nodes"), format!("{path}/edges"));
    let cases = [
        ("POST", &nodes, json!({"key": "fetch", "node_type": "map"}), vec![("duplicate_key", "/key")]),
        (
            "POST",
            &nodes,
            json!({"key": "Bad key", "node_type": "teleport"}),
            vec![("wrong_key", "/key"), ("unknown_type", "/node_type")],
        ),
        (
            "POST",
            &nodes,
            json!({"id": "x", "key": 7, "node_type": "map"}),
            vec![("unknown_field", "/id"), ("invalid_type", "/key")],
        ),
        (
            "POST",
            &nodes,
            json!({"key": "n", "node_type": "map", "name": "x".repeat(201)}),
            vec![("length", "/name")],
        ),
        ("PATCH", &node, json!({"key": "done"}), vec![("duplicate_key", "/key")]),
        ("PATCH", &node, json!({"node_type": "teleport"}), vec![("unknown_type", "/node_type")]),
        ("PATCH", &node, json!({"name": "x".repeat(201)}), vec![("length", "/name")]),
        (
            "POST",
            &edges,
            json!({"from": "x", "to": "y"}),
            vec![("unknown_node", "/from"), ("unknown_node", "/to")],
        ),
        ("POST", &edges, json!({"from": "fetch", "to": "large"}), vec![("duplicate_edge", "")]),
        ("POST", &edges, json!({"from": "done", "to": "fetch"}), vec![("cycle", "")]),
        ("POST", &edges, json!({"from": "fetch", "to": "done", "label": ""}), vec![("length", "/label")]),
        ("PATCH", &edge, json!({"label": "x".repeat(201)}), vec![("length", "/label")]),
    ];
    for (method, path, body, expected) in cases {
        let answer = world.send(method, path, &body).await;
        let problem = answer.problem();
        let found: Vec<_> = problem.errors.iter().map(|e| (e.code.as_str(), e.pointer.as_str())).collect();
        assert_eq!((problem.status, found), (422, expected), "{method} {path} {body}");
    }
    let itself = world.send("POST", &edges, &json!({"from": "done", "to": "done"})).await;
    assert_eq!(itself.problem().errors[0].code, "self_edge");
    let after = world.get(&path).await;
    assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
}

#[tokio::test]
async fn a_draft_has_500_nodes_and_no_more() {
    let world = World::new().await;
    let path = world.create("a").await;
    let node = |i: usize| json!({"key": format!("n{i}"), "node_type": "return"});
    let nodes: Vec<Value> = (0..MAX_NODES - 1).map(node).collect();
    let put = world.send("PUT", &format!("{path}/graph"), &json!({"nodes": nodes})).await;
    assert_eq!(put.code(), 200, "{:?}", put.body["errors"]);
    add(&world, &path, &node(MAX_NODES)).await;
    let more = world.send("POST", &format!("{path}/nodes"), &node(MAX_NODES + 1)).await;
    assert_eq!(more.problem().errors[0].code, "too_many_nodes");
}

#[tokio::test]
async fn a_piece_is_edited_at_the_present_revision_only_where_one_is_named() {
    let world = World::new().await;
    let path = world.create("a").await;
    let tag = world.get(&path).await.header("etag").to_owned();
    let (_, node) = add(&world, &path, &json!({"key": "a", "node_type": "return"})).await;
    add(&world, &path, &json!({"key": "b", "node_type": "return"})).await;
    let edge = connect(&world, &path, "a", "b").await;
    let (nodes, edges) = (format!("{path}/nodes"), format!("{path}/edges"));
    for (method, path, body) in [
        ("POST", &nodes, json!({"key": "c", "node_type": "return"})),
        ("PATCH", &node, json!({"name": "late"})),
        ("DELETE", &node, Value::Null),
        ("POST", &edges, json!({"from": "b", "to": "a"})),
        ("PATCH", &edge, json!({"label": "late"})),
        ("DELETE", &edge, Value::Null),
    ] {
        let stale = world.edit(Some(&tag), method, path, &body).await;
        assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"), "{method} {path}");
    }
    let present = world.get(&path).await.header("etag").to_owned();
    let renamed = world.edit(Some(&present), "PATCH", &node, &json!({"name": "in time"})).await;
    assert_eq!((renamed.code(), &renamed.body["node"]["name"]), (200, &json!("in time")));
    assert_eq!(world.get(&format!("{path}/drafts")).await.body["total"], 0, "a piece is not a draft");
}

#[tokio::test]
async fn editors_of_different_pieces_at_the_same_moment_both_win() {
    let world = World::new().await;
    let path = world.create("a").await;
    let nodes = format!("{path}/nodes");
    let bodies: Vec<Value> = (0..8).map(|i| json!({"key": format!("n{i}"), "node_type": "return"})).collect();
    let adds = bodies.iter().map(|node| world.send("POST", &nodes, node));
    for made in futures::future::join_all(adds).await {
        assert_eq!(made.code(), 201, "{made:?}");
    }
    let after = world.get(&path).await;
    assert_eq!(after.body["graph"]["nodes"].as_array().unwrap().len(), 8);
    assert_eq!(after.header("etag"), "\"9\"");
}
