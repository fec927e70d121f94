//! Plans, typed edges and the palette over HTTP, on Postgres (WF-11, NOD-03, NOD-19).

use crate::world::{World, graph};
use serde_json::{Value, json};

/// Fetches, and names a field that no answer has.
fn misspelt() -> Value {
    let mut graph = graph();
    graph["nodes"][1]["metadata"]["items"] = json!("{{ input.bdy }}");
    graph
}

#[tokio::test]
async fn a_use_of_what_can_not_be_there_is_told_by_validation_and_refused_at_save() {
    let world = World::new().await;
    let path = world.create("a").await;
    let judged = world.send("POST", "workflows/validate", &json!({"graph": misspelt()})).await;
    assert_eq!((judged.code(), &judged.body["valid"]), (200, &json!(false)), "{judged:?}");
    let found = &judged.body["violations"][0];
    assert_eq!(
        (&found["pointer"], &found["code"]),
        (&json!("/nodes/1/metadata/items"), &json!("unknown_field"))
    );
    assert!(found["detail"].as_str().unwrap().ends_with("Did you mean `body`?"), "{found}");
    let refused = world.send("PUT", &format!("{path}/graph"), &misspelt()).await.problem();
    assert_eq!((refused.status, refused.errors[0].offset), (422, Some(9)));
}

#[tokio::test]
async fn what_the_schema_of_inputs_leaves_open_is_a_warning() {
    let world = World::new().await;
    let schema = json!({"type": "object", "properties": {"shop": {"type": "string"}}});
    let graph =
        json!({"nodes": [{"key": "end", "node_type": "return", "metadata": {"output": "{{ input.shpo }}"}}]});
    let body = json!({"graph": graph, "input_params": schema});
    let judged = world.send("POST", "workflows/validate", &body).await;
    assert_eq!(
        (&judged.body["valid"], &judged.body["violations"][0]["severity"]),
        (&json!(true), &json!("warning"))
    );
    let created = world.send("POST", "workflows", &json!({"name": "a", "input_params": schema})).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    let saved = world.send("PUT", &format!("{path}/graph"), &graph).await;
    assert_eq!(saved.body["warnings"][0]["code"], "undeclared_field", "{saved:?}");
    let published = world.send("POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!((published.code(), &published.body["warnings"]), (201, &saved.body["warnings"]));
    let wrong = json!({"graph": graph, "input_params": {"type": "text"}});
    let judged = world.send("POST", "workflows/validate", &wrong).await;
    assert_eq!(judged.body["violations"][0]["pointer"], "/input_params/type");
}

#[tokio::test]
async fn a_draft_is_planned_over_sample_inputs_and_over_all() {
    let world = World::new().await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]});
    let created = world.send("POST", "workflows", &json!({"name": "a", "input_params": schema})).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    let draft = json!({
        "nodes": [
            {"key": "large", "node_type": "if_else", "metadata": {"condition": "{{ input.n > 5 }}"}},
            {"key": "yes", "node_type": "return", "metadata": {"output": {"twice": "{{ input.n * 2 }}"}}},
            {"key": "no", "node_type": "return", "metadata": {"output": "{{ input.n }}"}},
        ],
        "edges": [{"from": "large", "to": "yes", "label": "true"}, {"from": "large", "to": "no", "label": "false"}],
    });
    world.send("PUT", &format!("{path}/graph"), &draft).await;
    let plan_path = format!("{path}/plan");
    let sample = world.send("POST", &plan_path, &json!({"inputs": {"n": 7}})).await;
    assert_eq!(sample.code(), 200, "{sample:?}");
    let nodes = &sample.body["nodes"];
    assert_eq!(
        (&nodes[0]["label"], &nodes[1]["runs"], &nodes[2]["runs"]),
        (&json!("true"), &json!("always"), &json!("never"))
    );
    assert_eq!((&nodes[1]["example"], &nodes[1]["is_exact"]), (&json!({"twice": 14}), &json!(true)));
    let all = world.send("POST", &plan_path, &json!({})).await;
    assert_eq!(
        (&all.body["nodes"][1]["runs"], &all.body["bounds"]["steps"]),
        (&json!("perhaps"), &json!({"min": 2, "max": 2}))
    );
    assert_eq!(all.body["nodes"][1]["output"]["properties"]["twice"], json!({"type": "number"}));
    let wrong = world.send("POST", &plan_path, &json!({"inputs": {"n": "x"}})).await.problem();
    assert_eq!((wrong.status, wrong.errors[0].pointer.as_str()), (422, "/inputs/n"));
    let missing = world.send("POST", "workflows/01961234-5678-7abc-8def-0123456789ab/plan", &json!({})).await;
    assert_eq!(missing.problem_code(), "not_found");
}

#[tokio::test]
async fn a_limit_of_the_settings_refuses_to_publish_what_may_exceed_it() {
    let world = World::new().await;
    let settings = json!({"max_price_usd": 0.000_000_1});
    let created = world.send("POST", "workflows", &json!({"name": "a", "settings": settings})).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let plan = world.send("POST", &format!("{path}/plan"), &json!({})).await;
    assert_eq!(plan.body["over_limits"][0]["pointer"], "/settings/max_price_usd");
    let refused = world.send("POST", &format!("{path}/publish"), &json!({})).await.problem();
    assert_eq!((refused.status, refused.errors[0].code.as_str()), (422, "over_limit"));
    world.send("PATCH", &path, &json!({"settings": {"max_price_usd": 1}})).await;
    let published = world.send("POST", &format!("{path}/publish"), &json!({})).await;
    assert_eq!(
        (published.code(), &published.body["plan"]["bounds"]["calls"]["min"]),
        (201, &json!(1)),
        "{published:?}"
    );
}

#[tokio::test]
async fn the_palette_has_four_groups_of_types_with_their_schemas() {
    let world = World::new().await;
    let answer = world.get("workflows/node-types").await;
    assert_eq!(answer.code(), 200, "{answer:?}");
    let groups = answer.body["groups"].as_array().unwrap();
    let labels: Vec<_> = groups.iter().map(|group| group["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["AI", "Resources", "Actions", "Control"]);
    let types: Vec<_> = groups.iter().flat_map(|group| group["types"].as_array().unwrap()).collect();
    assert_eq!(types.len(), engine::nodes::TYPES.len());
    assert!(types.iter().all(|entry| entry["metadata"]["type"] == "object"));
}
