//! Export and import over HTTP, on Postgres (WF-12, WF-13).

use std::{fs, path::Path};

use crate::world::{World, graph};
use axum::body::to_bytes;
use heddle_http::testing::request;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The document as it is sent, to the byte.
async fn exported(world: &World, path: &str) -> String {
    let asked = request("GET", &format!("/api/v1/{path}/export"), crate::world::KEY);
    let answer = world.router.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), 200);
    String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

/// Imports a document and answers the new workflow's path.
async fn imported(world: &World, document: &Value) -> String {
    let made = world.send("POST", "workflows/import", document).await;
    assert_eq!(made.code(), 201, "{made:?}\n{document:#}");
    assert!(!made.header("etag").is_empty());
    made.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
}

/// The worked examples.
fn fixtures() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/workflows");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "small.json"))
        .map(|path| {
            let text = fs::read(&path).unwrap();
            (path.display().to_string(), serde_json::from_slice(&text).unwrap())
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// A worked example as a document.
fn document_of(example: &Value) -> Value {
    json!({
        "format": "heddle.workflow",
        "version": 1,
        "workflow": {
            "name": example["name"], "description": example["description"], "input_params": example["input_params"],
        },
        "graph": example["graph"],
    })
}

#[tokio::test]
async fn wf_13_worked_examples_come_back_to_the_byte() {
    let world = World::new().await;
    let examples = fixtures();
    assert!(examples.len() >= 5);
    for (file, example) in examples {
        let first = exported(&world, &imported(&world, &document_of(&example)).await).await;
        let document: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(
            document["graph"]["nodes"].as_array().unwrap().len(),
            example["graph"]["nodes"].as_array().unwrap().len()
        );
        let second = exported(&world, &imported(&world, &document).await).await;
        assert_eq!(first, second, "{file}");
        let plain = |graph: &Value| serde_json::from_value::<domain::Graph>(graph.clone()).unwrap();
        assert_eq!(plain(&document["graph"]), plain(&example["graph"]), "{file}");
    }
}

#[tokio::test]
async fn wf_13_a_document_has_what_the_author_said_in_their_order_and_nothing_of_its_copy() {
    let world = World::new().await;
    let body = json!({
        "name": "Orders", "description": "Large ones", "is_api": true, "tags": ["b", "a"], "cron_schedule": "0 9 * * MON-FRI",
        "cron_timezone": "Europe/Berlin", "settings": {"timeout_s": 60}, "input_params": {"type": "object"},
    });
    let created = world.send("POST", "workflows", &body).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let text = exported(&world, &path).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["workflow"], body);
    assert_eq!((&document["format"], &document["version"]), (&json!("heddle.workflow"), &json!(1)));
    assert_eq!(document["graph"]["edges"], graph()["edges"]);
    let nodes = document["graph"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|node| node.get("id").is_none()));
    let keys: Vec<_> = nodes.iter().map(|node| node["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["fetch", "large", "done"]);
    assert!(text.starts_with(
        "{\n  \"format\": \"heddle.workflow\",\n  \"version\": 1,\n  \"workflow\": {\n    \"name\""
    ));
    assert!(text.ends_with("}\n") && !text.contains("requires"), "{text}");
    let plain = exported(&world, &world.create("plain").await).await;
    let plain: Value = serde_json::from_str(&plain).unwrap();
    assert_eq!(plain["workflow"], json!({"name": "plain", "is_api": true}));
    let copy = imported(&world, &document).await;
    assert_ne!(copy, path);
    assert_eq!(exported(&world, &copy).await, text);
    let told = &world.catalog.audit_list(world.team, None, 1).await.unwrap()[0].entry;
    assert_eq!((told.action.as_str(), &told.details["name"]), ("workflow.import", &json!("Orders")));
}

#[tokio::test]
async fn wf_12_what_a_document_names_is_listed_and_mapped() {
    let world = World::new().await;
    let used = world.create("used").await;
    world.send("PUT", &format!("{used}/graph"), &graph()).await;
    world.send("POST", &format!("{used}/publish"), &json!({})).await;
    let id = used.strip_prefix("workflows/").unwrap();
    let elsewhere = "01961234-5678-7abc-8def-0123456789ab";
    let body = |id: &str| json!([{"key": "inner", "node_type": "workflow", "metadata": {"workflow_id": id}}]);
    let document = |id: &str| {
        json!({
            "format": "heddle.workflow", "version": 1,
            "workflow": {"name": "chief", "settings": {"error_workflow_id": id}},
            "graph": {"nodes": [
                {"key": "run", "node_type": "workflow", "metadata": {"workflow_id": id}},
                {"key": "each", "node_type": "for_each", "metadata": {"items": "{{ [1] }}", "body": body(id)}},
            ], "edges": [{"from": "run", "to": "each"}]},
        })
    };
    let unknown = world.send("POST", "workflows/import", &document(elsewhere)).await.problem();
    let mut pointers: Vec<_> =
        unknown.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            ("/graph/nodes/0/metadata/workflow_id", "unknown_reference"),
            ("/graph/nodes/1/metadata/body/0/metadata/workflow_id", "unknown_reference"),
            ("/workflow/settings/error_workflow_id", "unknown_reference"),
        ]
    );
    let mut mapped = document(elsewhere);
    mapped["mapping"] = json!({ elsewhere: id });
    let path = imported(&world, &mapped).await;
    let text = exported(&world, &path).await;
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["requires"], json!([{"kind": "workflow", "id": id, "name": "used"}]));
    assert_eq!(
        (&read["graph"], &read["workflow"]["settings"]),
        (&document(id)["graph"], &document(id)["workflow"]["settings"])
    );
    assert_eq!(exported(&world, &imported(&world, &read).await).await, text);
    mapped["mapping"]["01961234-5678-7abc-8def-0123456789ac"] = json!(id);
    let unused = world.send("POST", "workflows/import", &mapped).await.problem();
    assert_eq!((unused.errors.len(), unused.errors[0].code.as_str()), (1, "not_referenced"));
}

#[tokio::test]
async fn wf_12_every_mistake_of_a_document_is_told_at_once_and_nothing_is_stored() {
    let world = World::new().await;
    let document = json!({
        "format": "n8n", "version": 2,
        "workflow": {"name": " ", "cron_schedule": "every day", "settings": {"timeout_s": 0}, "input_params": {"type": 7}},
        "graph": {"nodes": [
            {"key": "a", "node_type": "teleport"},
            {"key": "a", "node_type": "map", "metadata": {"mapping": "{{ input.( }}"}},
            {"id": "01961234-5678-7abc-8def-0123456789ab", "key": "b", "node_type": "job",
                "metadata": {"expert_id": "01961234-5678-7abc-8def-0123456789ab"}},
        ], "edges": [{"from": "a", "to": "nowhere"}]},
        "mapping": {"01961234-5678-7abc-8def-0123456789ac": "01961234-5678-7abc-8def-0123456789ab"},
    });
    let problem = world.send("POST", "workflows/import", &document).await.problem();
    assert_eq!(problem.status, 422);
    for pointer in [
        "/format",
        "/version",
        "/workflow/name",
        "/workflow/cron_schedule",
        "/workflow/settings/timeout_s",
        "/workflow/input_params/type",
        "/graph/nodes/0/node_type",
        "/graph/nodes/1/metadata/mapping",
        "/graph/nodes/2/id",
        "/graph/nodes/2/metadata/expert_id",
        "/mapping/01961234-5678-7abc-8def-0123456789ac",
    ] {
        assert!(
            problem.errors.iter().any(|error| error.pointer == pointer),
            "{pointer}: {:?}",
            problem.errors
        );
    }
    assert!(problem.errors.iter().any(|error| error.pointer.starts_with("/graph/edges/0")));
    assert_eq!(world.get("workflows").await.body["total"], 0);
}

#[tokio::test]
async fn hostile_documents_are_refused_and_store_nothing() {
    let world = World::new().await;
    let good = || document_of(&json!({"name": "x", "description": "", "input_params": {}, "graph": graph()}));
    let with = |pointer: &str, value: Value| {
        let mut document = good();
        *document.pointer_mut(pointer).unwrap() = value;
        document
    };
    let many: Vec<Value> = (0..501).map(|i| json!({"key": format!("n{i}"), "node_type": "return"})).collect();
    let mut deep = json!(1);
    for _ in 0..80 {
        deep = json!([deep]);
    }
    for (document, status) in [
        (with("/version", json!("1")), 422),
        (with("/version", json!(-1)), 422),
        (with("/version", json!(2)), 422),
        (with("/format", json!(null)), 422),
        (with("/graph/nodes", json!(many)), 422),
        (with("/graph/nodes/0/metadata/url", json!("a\u{0}b")), 400),
        (with("/graph/nodes/0/key", json!("a\u{0}b")), 400),
        (
            with("/graph/nodes/0", json!({"key": "fetch", "name": "x".repeat(1000), "node_type": "return"})),
            422,
        ),
        (with("/workflow/name", json!("a\u{0}")), 400),
        (with("/workflow/name", json!("x".repeat(900_000))), 422),
        (with("/workflow/description", json!("x".repeat(1_100_000))), 413),
        (with("/graph/nodes/0/metadata/url", deep), 400),
        (with("/workflow", json!([])), 422),
        (json!({}), 422),
    ] {
        let answer = world.send("POST", "workflows/import", &document).await;
        let text = document.to_string();
        assert_eq!(answer.code(), status, "{}: {answer:?}", &text[..text.len().min(300)]);
    }
    let mut other = good();
    other["mapping"] = json!({"x": "y"});
    assert_eq!(world.send("POST", "workflows/import", &other).await.code(), 422);
    other["mapping"] = json!([]);
    other["requires"] = json!({"kind": 7});
    assert_eq!(world.send("POST", "workflows/import", &other).await.code(), 422);
    let doubled = r#"{"format": "heddle.workflow", "format": "x", "version": 1, "workflow": {"name": "a"}, "graph": {"nodes": []}}"#;
    let answer = world.send_text("POST", "workflows/import", doubled).await;
    assert!([400, 422].contains(&answer.code()), "{answer:?}");
    assert_eq!(world.get("workflows").await.body["total"], 0);
    imported(&world, &good()).await;
}

/// A list of data nodes, each after the one before, with what authors may say of them.
fn drawn() -> impl Strategy<Value = Value> {
    let node = (0..3_u8, any::<bool>(), 0..3_u32, -1000.0..1000.0_f64, "[a-zA-Z0-9 ü🧵\"\\\\]{0,20}");
    prop::collection::vec(node, 1..8).prop_map(|nodes| {
        let key = |i: usize| format!("n{i}");
        let nodes: Vec<Value> = nodes
            .iter()
            .enumerate()
            .map(|(i, (kind, is_placed, retries, x, text))| {
                let (node_type, metadata) = match kind {
                    0 => {
                        ("map", json!({"mapping": {"z": text, "a": {"n": x, "list": [1, 2.5, null, true]}}}))
                    }
                    1 => (
                        "get_api",
                        json!({"url": "https://api.example.com/x", "headers": {"x-b": "1", "x-a": "2"}}),
                    ),
                    _ => ("advanced", json!({"program": "{\"b\": 1, \"a\": $count([1, 2])}"})),
                };
                let mut node =
                    json!({"key": key(i), "name": text, "node_type": node_type, "metadata": metadata});
                if *is_placed {
                    node["position"] = json!({"x": x, "y": 0.5});
                    node["timeout_s"] = json!(retries + 1);
                }
                if *kind == 1 {
                    node["retry"] = json!({"max_retries": retries});
                    node["on_error"] = json!({"action": "continue", "default": {"b": 1, "a": x}});
                }
                node
            })
            .collect();
        let edges: Vec<Value> = (1..nodes.len()).map(|i| json!({"from": key(i - 1), "to": key(i)})).collect();
        json!({"nodes": nodes, "edges": edges})
    })
}

#[tokio::test]
async fn wf_13_whatever_is_imported_comes_back_to_the_byte() {
    let world = World::new().await;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..24 {
        let graph = drawn().new_tree(&mut runner).unwrap().current();
        let document =
            document_of(&json!({"name": "drawn", "description": "", "input_params": {}, "graph": graph}));
        let first = exported(&world, &imported(&world, &document).await).await;
        let again: Value = serde_json::from_str(&first).unwrap();
        let plain = |graph: &Value| serde_json::from_value::<domain::Graph>(graph.clone()).unwrap();
        assert_eq!(plain(&again["graph"]), plain(&graph));
        assert_eq!(exported(&world, &imported(&world, &again).await).await, first);
    }
}

#[tokio::test]
async fn an_import_with_a_key_is_done_once() {
    let world = World::new().await;
    let document =
        document_of(&json!({"name": "x", "description": "", "input_params": {}, "graph": graph()}));
    let one = world.send_with(("idempotency-key", "k1"), "POST", "workflows/import", &document).await;
    let two = world.send_with(("idempotency-key", "k1"), "POST", "workflows/import", &document).await;
    assert_eq!((one.code(), two.code()), (201, 201));
    assert_eq!(one.header("location"), two.header("location"));
    assert_eq!(world.get("workflows").await.body["total"], 1);
}
