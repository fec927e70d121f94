//! What others ask of a plan and a graph: parents, inputs, references.

use engine::{Plan, ReferenceKind, compile, references};
use serde_json::json;

use crate::world::{World, advanced, graph, version};

#[test]
fn a_plan_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Plan>();
}

#[test]
fn parents_come_first_and_the_document_breaks_ties() {
    let plan = compile(version(graph("c; b -> a; a, c -> d", &json!({})))).unwrap();
    let names =
        |keys: &mut dyn Iterator<Item = &domain::NodeKey>| keys.map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&mut plan.order()), ["c", "b", "a", "d"]);
    assert_eq!(names(&mut plan.parents(&"d".into())), ["a", "c"]);
    assert_eq!(names(&mut plan.children(&"b".into())), ["a"]);
    assert_eq!(names(&mut plan.children(&"nobody".into())), Vec::<String>::new());
    assert!(plan.is_pure(&"d".into()) && !plan.is_pure(&"a".into()) && !plan.is_pure(&"nobody".into()));
    assert_eq!(plan.node(&"d".into()).unwrap().node_type, "merge");
}

#[test]
fn a_graph_with_errors_does_not_compile() {
    let violations = compile(version(graph("a -> b; b -> a", &json!({})))).unwrap_err();
    assert_eq!(violations.iter().map(|violation| violation.code.as_str()).collect::<Vec<_>>(), ["cycle"]);
}

#[test]
fn the_input_of_a_node_can_be_shown() {
    let mut world =
        World::new(graph("a -> b; b -> c", &json!({"a": advanced("{'n': input.n + 1}")})), json!({"n": 1}));
    world.wake();
    let input = |key: &str| world.plan.input_of(&world.run, &world.values, &key.into());
    assert_eq!([input("a"), input("b"), input("c")], [json!({"n": 1}), json!({"n": 2}), json!(null)]);
}

#[test]
fn references_are_what_the_catalog_must_confirm() {
    let id = "0190a0b0-0000-7000-8000-000000000001";
    let details = json!({
        "a": {"node_type": "job", "metadata": {"expert_id": id}},
        "b": {"node_type": "for_each", "metadata": {"items": "input", "workflow_id": id}},
        "c": {"node_type": "mcp_tool", "metadata": {"server_id": id, "tool": "t"}},
        "d": {"node_type": "embed", "metadata": {"text": "x", "collection_id": "no uuid"}},
        "e": {"node_type": "get_api", "metadata": {"url": "https://example.com/", "headers": {"x": "{{ secret.KEY }}"}}},
    });
    let found = references(&graph("a; b; c; d; e", &details));
    let found: Vec<_> =
        found.iter().map(|found| (found.kind, found.id.as_str(), found.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            (ReferenceKind::Expert, id, "/nodes/0/metadata/expert_id"),
            (ReferenceKind::Workflow, id, "/nodes/1/metadata/workflow_id"),
            (ReferenceKind::McpServer, id, "/nodes/2/metadata/server_id"),
            (ReferenceKind::Secret, "KEY", "/nodes/4/metadata/headers"),
        ]
    );
}
