//! Two editors of one draft: what either made can be had, and nothing is lost. On Postgres.

use futures::future::join;
use heddle_http::testing::Answer;
use serde_json::{Value, json};

use crate::world::{World, graph, id_of};

/// A graph of one node.
fn one(key: &str) -> Value {
    json!({"nodes": [{"key": key, "node_type": "return"}], "edges": []})
}

fn keys(graph: &Value) -> Vec<&str> {
    graph["nodes"].as_array().unwrap().iter().map(|node| node["key"].as_str().unwrap()).collect()
}

/// The path of the draft that a problem names.
fn kept_at(answer: &Answer) -> String {
    let problem = answer.problem();
    assert_eq!((problem.status, answer.problem_code().as_str()), (412, "stale"));
    assert_eq!(problem.errors[0].code, "draft_kept");
    let path = problem.errors[0].detail.split_once("/api/v1/").unwrap().1.to_owned();
    assert_eq!(answer.header("link"), format!("</api/v1/{path}>; rel=\"related\""));
    path
}

#[tokio::test]
async fn of_two_editors_at_the_same_moment_one_wins_and_both_drafts_can_be_had() {
    let world = World::new().await;
    let path = world.create("a").await;
    let (put, tag) = (format!("{path}/graph"), world.get(&path).await.header("etag").to_owned());
    let (left, right) = (one("left"), one("right"));
    let (by_key, by_editor) =
        join(world.send_if(&tag, "PUT", &put, &left), world.edit(Some(&tag), "PUT", &put, &right)).await;

    let (won, lost, winner, loser) = match (by_key.code(), by_editor.code()) {
        (200, 412) => (by_key, by_editor, "left", "right"),
        (412, 200) => (by_editor, by_key, "right", "left"),
        both => panic!("{both:?}"),
    };
    let draft = world.get(&path).await;
    assert_eq!((keys(&draft.body["graph"]), draft.header("etag")), (vec![winner], won.header("etag")));
    let kept = world.get(&kept_at(&lost)).await.body;
    assert_eq!(
        (keys(&kept["graph"]), &kept["reason"], &kept["based_on"]),
        (vec![loser], &json!("refused"), &json!(1))
    );
    let listed = world.get(&format!("{path}/drafts")).await.body;
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &kept["id"]));
}

#[tokio::test]
async fn a_graph_that_comes_too_late_is_kept_once_as_its_author_sent_it() {
    let world = World::new().await;
    let path = world.create("a").await;
    let put = format!("{path}/graph");
    world.send("PUT", &put, &graph()).await;
    // Wrong as it is: it may be mended.
    let late = json!({"nodes": [{"key": "x", "node_type": "teleport"}], "edges": []});
    let refused = world.edit(Some("\"1\""), "PUT", &put, &late).await;
    let at = kept_at(&refused);
    assert_eq!(kept_at(&world.edit(Some("\"1\""), "PUT", &put, &late).await), at, "sent again, kept once");
    assert_ne!(kept_at(&world.send_if("\"1\"", "PUT", &put, &late).await), at, "by somebody else");

    let kept = world.get(&at).await.body;
    assert_eq!(kept["actor"], json!({"kind": "member", "id": world.editor.0.to_string()}));
    assert_eq!(kept["graph"]["nodes"][0]["node_type"], "teleport");
    let kept_draft = world.told(2).await.remove(1);
    assert_eq!(
        kept_draft,
        ("workflow.keep_draft".to_owned(), json!({"draft_id": kept["id"], "based_on": 1}))
    );
    let tags = ["\"0\"", "\"-3\"", "\"one\""];
    for tag in tags {
        let answer = world.edit(Some(tag), "PUT", &put, &late).await;
        assert_eq!((answer.code(), answer.problem().errors.len()), (412, 0), "{tag}");
    }
    assert_eq!(world.get(&format!("{path}/drafts")).await.body["total"], 2);
}

#[tokio::test]
async fn a_draft_of_somebody_else_is_kept_when_another_takes_its_place_unseen() {
    let world = World::new().await;
    let path = world.create("a").await;
    let put = format!("{path}/graph");
    let total = async || world.get(&format!("{path}/drafts")).await.body["total"].clone();
    for body in [graph(), one("mine"), one("still_mine")] {
        assert_eq!(world.send("PUT", &put, &body).await.code(), 200);
    }
    assert_eq!(total().await, 0, "nobody else's, or nothing to lose");
    let same = world.get(&path).await.body["graph"].clone();
    assert_eq!(world.edit(None, "PUT", &put, &same).await.code(), 200);
    assert_eq!(total().await, 0, "the same draft");
    assert_eq!(world.send_if("\"5\"", "PUT", &put, &one("seen")).await.code(), 200);
    assert_eq!(total().await, 0, "it was seen");

    assert_eq!(world.edit(None, "PUT", &put, &one("theirs")).await.code(), 200);
    let list = world.get(&format!("{path}/drafts")).await.body;
    let kept = &list["items"][0];
    assert_eq!(
        (&list["total"], &kept["reason"], &kept["based_on"]),
        (&json!(1), &json!("replaced"), &json!(6))
    );
    assert_eq!(kept["actor"]["kind"], "service");
    let id = kept["id"].as_str().unwrap();
    assert_eq!(world.told(1).await[0].1["kept_draft_id"], id);
    let whole = world.get(&format!("{path}/drafts/{id}")).await.body;
    assert_eq!(keys(&whole["graph"]), ["seen"]);
}

#[tokio::test]
async fn a_piece_makes_a_draft_its_editors() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.send("PUT", &format!("{path}/graph"), &one("whole")).await;
    let node = json!({"key": "piece", "node_type": "return"});
    assert_eq!(world.edit(None, "POST", &format!("{path}/nodes"), &node).await.code(), 201);
    assert_eq!(world.send("PUT", &format!("{path}/graph"), &one("other")).await.code(), 200);
    let list = world.get(&format!("{path}/drafts")).await.body;
    assert_eq!(list["items"][0]["actor"]["id"], world.editor.0.to_string(), "{list}");
}

#[tokio::test]
async fn the_newest_20_are_kept_and_each_can_be_forgotten() {
    let world = World::new().await;
    let path = world.create("a").await;
    let put = format!("{path}/graph");
    world.send("PUT", &put, &graph()).await;
    for i in 0..22 {
        assert_eq!(world.send_if("\"1\"", "PUT", &put, &one(&format!("n{i}"))).await.code(), 412);
    }
    let list = world.get(&format!("{path}/drafts?limit=100")).await.body;
    assert_eq!((&list["total"], list["items"].as_array().unwrap().len()), (&json!(20), 20));
    let at = |place: usize| format!("{path}/drafts/{}", list["items"][place]["id"].as_str().unwrap());
    assert_eq!(keys(&world.get(&at(0)).await.body["graph"]), ["n21"]);
    assert_eq!(keys(&world.get(&at(19)).await.body["graph"]), ["n2"]);
    assert_eq!(world.edit(None, "DELETE", &at(0), &Value::Null).await.code(), 204);
    assert_eq!(world.told(1).await[0].0, "workflow.delete_draft");
    assert_eq!(world.edit(None, "DELETE", &at(0), &Value::Null).await.problem_code(), "not_found");
    assert_eq!(world.get(&at(0)).await.problem_code(), "not_found");
    assert_eq!(
        world.get(&format!("{path}/drafts?limit=1")).await.body["items"][0]["id"],
        list["items"][1]["id"]
    );
    let other = world.create("b").await;
    let elsewhere = format!("{other}/drafts/{}", id_of(&at(1)));
    assert_eq!(world.get(&elsewhere).await.problem_code(), "not_found", "of another workflow");
}
