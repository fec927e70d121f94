//! Versions compared and restored over HTTP, on Postgres (WF-07, WF-08).

use crate::world::{World, act, graph};
use app::ports::Ids as _;
use catalog::NewExpert;
use domain::ExpertStatus;
use runtime::TimeOrderedIds;
use serde_json::{Map, Value, json};

/// A workflow with two versions: in the second the fetch has another name and URL, and the filter is gone.
async fn two_versions(world: &World) -> String {
    let path = world.create("orders").await;
    let first = world.send("PUT", &format!("{path}/graph"), &graph()).await;
    world.send("POST", &format!("{path}/publish"), &json!({})).await;
    let mut second = first.body["graph"].clone();
    second["nodes"][0]["key"] = json!("load");
    second["nodes"][0]["metadata"]["url"] = json!("https://api.example.com/bills");
    second["nodes"].as_array_mut().unwrap().remove(1);
    second["edges"] = json!([{"from": "load", "to": "done"}]);
    assert_eq!(world.send("PUT", &format!("{path}/graph"), &second).await.code(), 200);
    world
        .send("PATCH", &path, &json!({"name": "bills", "settings": {"timeout_s": 60, "color": "red"}}))
        .await;
    assert_eq!(world.send("POST", &format!("{path}/publish"), &json!({})).await.code(), 201);
    path
}

#[tokio::test]
async fn wf_07_two_versions_are_compared_node_by_node() {
    let world = World::new().await;
    let path = two_versions(&world).await;
    let told = world.get(&format!("{path}/versions/1/diff/2")).await;
    assert_eq!(told.code(), 200, "{told:?}");
    let body = &told.body;
    assert_eq!((&body["from"]["number"], &body["to"]["number"]), (&json!(1), &json!(2)));
    assert_eq!((&body["from"]["name"], &body["to"]["name"]), (&json!("orders"), &json!("bills")));
    assert_eq!(body["is_same"], false);
    let changed = &body["nodes"]["changed"][0];
    assert_eq!((&changed["key"], &changed["renamed_from"]), (&json!("load"), &json!("fetch")));
    assert_eq!(changed["fields"][0]["pointer"], "/metadata/url");
    assert_eq!(body["nodes"]["removed"][0]["key"], "large");
    assert_eq!(body["edges"]["added"], json!([{"from": "load", "to": "done"}]));
    assert_eq!(body["edges"]["removed"].as_array().unwrap().len(), 2);
    let metadata: Vec<_> = body["metadata"].as_array().unwrap().iter().map(|at| &at["pointer"]).collect();
    assert_eq!(metadata, [&json!("/name"), &json!("/settings/timeout_s")]);
    assert_eq!(
        body["types"]["nodes"][0]["key"], "done",
        "it is given what was fetched, and no list any more"
    );
    assert!(body["types"]["result"]["after"].is_object());
    let steps = |which: &str| body["bounds"][which]["steps"]["min"].as_u64().unwrap();
    assert_eq!((steps("before"), steps("after")), (3, 2));

    let back = world.get(&format!("{path}/versions/2/diff/1")).await.body;
    assert_eq!(back["nodes"]["added"], body["nodes"]["removed"]);
    for same in ["1/diff/1", "draft/diff/draft", "2/diff/draft", "draft/diff/2"] {
        let told = world.get(&format!("{path}/versions/{same}")).await;
        assert_eq!((told.code(), &told.body["is_same"]), (200, &json!(true)), "{same}: {told:?}");
    }
    for nothing in ["1/diff/3", "0/diff/1", "1/diff/last", "-1/diff/1", "1/diff/99999999999", "drafts/diff/1"]
    {
        let told = world.get(&format!("{path}/versions/{nothing}")).await;
        assert_eq!(told.problem_code(), "not_found", "{nothing}");
    }
}

#[tokio::test]
async fn a_draft_with_errors_is_compared_without_its_bounds() {
    let world = World::new().await;
    let path = two_versions(&world).await;
    let told = world.get(&format!("{}/versions/draft/diff/draft", world.create("empty").await)).await;
    assert_eq!((told.code(), &told.body["is_same"]), (200, &json!(true)), "{told:?}");
    let told = world.get(&format!("{path}/versions/1/diff/draft")).await.body;
    assert_eq!((&told["to"]["number"], &told["to"]["version_id"]), (&Value::Null, &Value::Null));
    assert_eq!(told["to"]["revision"].as_i64().unwrap().to_string(), {
        let tag = world.get(&path).await.header("etag").to_owned();
        tag.trim_matches('"').to_owned()
    });
}

#[tokio::test]
async fn wf_08_a_version_is_restored_as_the_draft_and_what_runs_stays() {
    let world = World::new().await;
    let path = two_versions(&world).await;
    let before = world.get(&path).await;
    let restore = format!("{path}/versions/1/restore");
    let stale = world.send_if("\"1\"", "POST", &restore, &json!({})).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    assert_eq!(world.get(&path).await.body, before.body);

    let restored = world.send_if(before.header("etag"), "POST", &restore, &json!({})).await;
    assert_eq!(restored.code(), 200, "{restored:?}");
    assert_eq!(restored.body["revision"], before.body["revision"].as_i64().unwrap() + 1);
    assert_eq!(restored.body["graph"]["nodes"][0]["key"], "fetch");
    assert_eq!(
        restored.body["graph"]["nodes"][0]["id"], before.body["graph"]["nodes"][0]["id"],
        "it is the same node"
    );
    assert_eq!(restored.body["name"], "bills", "the name is the workflow's");
    assert_eq!(restored.body["settings"], json!({"color": "red"}), "versions keep what is said of runs");
    assert_eq!(restored.body["published_version_id"], before.body["published_version_id"]);
    let read = world.get(&path).await;
    assert_eq!(
        (&read.body["graph"], read.header("etag")),
        (&restored.body["graph"], restored.header("etag"))
    );
    let told = &world.catalog.audit_list(world.team, None, 1).await.unwrap()[0].entry;
    assert_eq!((told.action.as_str(), &told.details["number"]), ("workflow.restore", &json!(1)));
    let diff = world.get(&format!("{path}/versions/1/diff/draft")).await.body;
    let metadata: Vec<_> = diff["metadata"].as_array().unwrap().iter().map(|at| &at["pointer"]).collect();
    assert_eq!((&diff["nodes"]["changed"], metadata), (&json!([]), vec![&json!("/name")]));
    assert_eq!(
        world.send("POST", &format!("{path}/versions/3/restore"), &json!({})).await.problem_code(),
        "not_found"
    );
}

#[tokio::test]
async fn exp_02_only_active_experts_are_published_with() {
    let world = World::new().await;
    let path = world.create("asks").await;
    for (status, is_refused) in
        [(ExpertStatus::Draft, true), (ExpertStatus::Active, false), (ExpertStatus::Archive, true)]
    {
        let expert = NewExpert {
            id: TimeOrderedIds.next().into(),
            name: "Clerk".to_owned(),
            prompt: "Be kind.".to_owned(),
            model_name: "a-model".to_owned(),
            status,
            input_params: Map::new(),
            settings: Map::new(),
        };
        world.catalog.expert_insert(world.team, &expert, &act()).await.unwrap();
        let job = json!({"key": "ask", "node_type": "job", "metadata": {"expert_id": expert.id}});
        let saved = world.send("PUT", &format!("{path}/graph"), &json!({"nodes": [job]})).await;
        assert_eq!(saved.code(), 200, "{saved:?}");
        let problem = world.send("POST", &format!("{path}/publish"), &json!({})).await.problem();
        let told = problem.errors.iter().find(|error| error.code == "expert_not_active");
        assert_eq!(told.is_some(), is_refused, "{status:?}: {:?}", problem.errors);
        assert!(told.is_none_or(|error| error.pointer == "/nodes/0/metadata/expert_id"));
    }
}
