//! Save-time rules: what is found, where, and that all of it is found at once.

use domain::Graph;
use engine::{Severity, Violation, validate, validate_for_publish};
use serde_json::{Value, json};

use crate::world::{advanced, graph};

fn lines(violations: &[Violation]) -> Vec<String> {
    let mut lines: Vec<_> = violations
        .iter()
        .map(|violation| {
            let warning = if violation.severity == Severity::Warning { " (warning)" } else { "" };
            format!("{} {}{warning}", violation.pointer, violation.code)
        })
        .collect();
    lines.sort();
    lines
}

fn check(text: &str, details: &Value, expected: &[&str]) {
    assert_eq!(lines(&validate(&graph(text, details))), expected, "{text}");
}

/// The problems of one node, by their places in it.
fn check_node(node: &Value, expected: &[&str]) {
    let found = lines(&validate(&graph("a", &json!({"a": node}))));
    let found: Vec<_> = found.iter().map(|line| line.trim_start_matches("/nodes/0/")).collect();
    assert_eq!(found, expected, "{node}");
}

fn check_metadata(node_type: &str, metadata: &Value, expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|line| format!("metadata/{line}")).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check_node(&json!({"node_type": node_type, "metadata": metadata}), &expected);
}

#[test]
fn every_problem_is_listed_at_once() {
    let details = json!({
        "m": {"node_type": "advanced", "metadata": {"program": "input"}},
        "u": {"node_type": "teleport"},
        "x": advanced("{{ 1 + }}"),
    });
    let graph = graph("a -> b; b -> c; c -> a; u, x -> m", &details);
    let found = validate(&graph);
    assert_eq!(
        lines(&found),
        [
            "/edges/2 cycle",
            "/nodes/3/node_type unknown_type",
            "/nodes/4/metadata/program expression",
            "/nodes/5 several_parents"
        ]
    );
    let by_code = |code: &str| found.iter().find(|violation| violation.code == code).unwrap();
    assert!(by_code("cycle").message.contains("a -> b -> c -> a"), "{}", by_code("cycle").message);
    assert_eq!(by_code("expression").node, Some("x".into()));
    assert!(by_code("expression").offset.is_some_and(|offset| offset > 0));
    assert!(by_code("several_parents").message.contains("u, x"));
}

#[test]
fn a_graph_in_order_has_no_violation() {
    let details = json!({
        "x": {"node_type": "if_else", "metadata": {"condition": "input.n > 1"}},
        "s": {"node_type": "split", "metadata": {"parts": {"l": "1", "r": "2"}}},
        "f": {"on_error": {"action": "branch"}},
        "r": {"node_type": "return", "metadata": {"output": "{{ base.nodes.x }}"}},
    });
    check(
        "x -true-> s; x -false-> f; f -error-> e; s -l-> a; s -r-> b; a, b, e, f -> m; m -> r",
        &details,
        &[],
    );
}

#[test]
fn a_workflow_has_one_to_five_hundred_nodes() {
    assert_eq!(lines(&validate(&Graph::default())), ["/nodes no_nodes"]);
    let many: Vec<_> = (0..501).map(|i| format!("n{i}")).collect();
    check(&many.join("; "), &json!({}), &["/nodes too_many_nodes"]);
    check(&many[1..].join("; "), &json!({}), &[]);
}

#[test]
fn keys_are_well_formed_and_unique() {
    let graph: Graph = serde_json::from_value(json!({"nodes": [
        {"key": "Bad-Key", "node_type": "return"}, {"key": "a", "node_type": "return"}, {"key": "a", "node_type": "return"},
    ]}))
    .unwrap();
    assert_eq!(lines(&validate(&graph)), ["/nodes/0/key wrong_key", "/nodes/2/key duplicate_key"]);
}

#[test]
fn edges_join_different_nodes_of_the_graph_once() {
    let graph: Graph = serde_json::from_value(json!({
        "nodes": [{"key": "a", "node_type": "merge"}, {"key": "b", "node_type": "merge"}],
        "edges": [{"from": "a", "to": "b"}, {"from": "a", "to": "b"}, {"from": "a", "to": "a"}, {"from": "x", "to": "y"}],
    }))
    .unwrap();
    assert_eq!(
        lines(&validate(&graph)),
        [
            "/edges/1 duplicate_edge",
            "/edges/2 self_edge",
            "/edges/3/from unknown_node",
            "/edges/3/to unknown_node"
        ]
    );
}

#[test]
fn nothing_follows_a_return() {
    check("a -> b", &json!({"a": {"node_type": "return"}}), &["/nodes/0 children_of_return"]);
}

#[test]
fn labels_belong_to_the_type_of_the_parent() {
    let if_else = json!({"node_type": "if_else", "metadata": {"condition": "true"}});
    let expected =
        ["/edges/1/label missing_label", "/edges/2/label unknown_label", "/edges/3/label unknown_label"];
    let unreachable = [
        "/nodes/2 unreachable (warning)",
        "/nodes/3 unreachable (warning)",
        "/nodes/4 unreachable (warning)",
    ];
    check(
        "x -true-> a; x -> b; x -maybe-> c; x -error-> d",
        &json!({"x": if_else}),
        &[&expected[..], &unreachable[..]].concat(),
    );
    check("a -true-> b", &json!({}), &["/edges/0/label unknown_label", "/nodes/1 unreachable (warning)"]);
    let split = json!({"node_type": "split", "metadata": {"parts": {"l": "1"}}});
    check(
        "s -l-> a; s -r-> b",
        &json!({"s": split}),
        &["/edges/1/label unknown_label", "/nodes/2 unreachable (warning)"],
    );
}

#[test]
fn a_branch_without_an_edge_is_a_warning() {
    check_node(
        &json!({"node_type": "return", "on_error": {"action": "branch"}}),
        &["on_error no_error_edge (warning)"],
    );
}

#[test]
fn each_cycle_is_named() {
    check("a -> b; b -> a; c -> d; d -> c", &json!({}), &["/edges/1 cycle", "/edges/3 cycle"]);
}

#[test]
fn unknown_missing_and_wrong_metadata_are_all_found() {
    check_metadata(
        "get_api",
        &json!({"uri": "x", "query": [], "max_bytes": 0, "success": ["2xx", 99], "auth": {"type": "bearer", "user": "x"}}),
        &[
            "auth/token missing_field",
            "auth/user unknown_field",
            "max_bytes out_of_range",
            "query wrong_type",
            "success/1 wrong_value",
            "uri unknown_field",
            "url missing_field",
        ],
    );
    check_metadata(
        "post_api",
        &json!({"url": "ftp://x/", "method": "GET"}),
        &["method wrong_value", "url wrong_url"],
    );
    check_metadata("merge", &json!({"mode": "zip"}), &["mode wrong_value"]);
    check_metadata(
        "filter",
        &json!({"items": [1], "condition": true}),
        &["condition wrong_type", "items wrong_type"],
    );
}

#[test]
fn if_else_and_split_have_two_forms_each() {
    check_metadata("if_else", &json!({}), &["condition missing_field"]);
    check_metadata(
        "if_else",
        &json!({"condition": "1", "cases": []}),
        &["cases conflicting_fields", "cases wrong_type"],
    );
    check_metadata("if_else", &json!({"condition": "1", "default": "a"}), &["default conflicting_fields"]);
    let cases = json!([{"label": "a", "when": "1"}, {"label": "a", "when": "("}, {"label": "error", "when": "1"}, {"when": "1"}]);
    check_metadata(
        "if_else",
        &json!({"cases": cases}),
        &[
            "cases/1/label duplicate_label",
            "cases/1/when expression",
            "cases/2/label reserved_label",
            "cases/3 wrong_type",
        ],
    );
    check_metadata("split", &json!({}), &["parts missing_field"]);
    check_metadata("split", &json!({"items": "input"}), &["batch_size missing_field"]);
    check_metadata("split", &json!({"parts": {"a/b": "("}}), &["parts/a~1b expression"]);
    check_metadata(
        "split",
        &json!({"parts": {"a": "1"}, "items": "1", "batch_size": 1}),
        &["parts conflicting_fields"],
    );
}

#[test]
fn every_expression_of_a_tree_is_parsed() {
    let mapping = json!({"a": ["{{ 1 + }}", "fine"], "b": {"c": "x {{ ( }}"}});
    check_metadata(
        "map",
        &json!({"mapping": mapping}),
        &["mapping/a/0 expression", "mapping/b/c expression"],
    );
}

#[test]
fn expressions_name_nodes_that_come_before() {
    let details = json!({"a": advanced("1"), "b": advanced("base.nodes.nobody + base.nodes.a"), "c": advanced("base.nodes.b")});
    check(
        "a -> b; c",
        &details,
        &["/nodes/1/metadata/program unknown_node", "/nodes/2/metadata/program not_an_ancestor (warning)"],
    );
}

#[test]
fn secrets_stand_only_where_credentials_do() {
    let metadata = json!({
        "url": "https://example.com/?key={{ secret.KEY }}",
        "headers": {"x-key": "{{ secret.KEY }}"},
        "auth": {"type": "bearer", "token": "{{ secret.KEY }}"},
    });
    check_metadata("get_api", &metadata, &["url secret_not_allowed"]);
    check_metadata("advanced", &json!({"program": "secret.KEY"}), &["program secret_not_allowed"]);
}

#[test]
fn nothing_is_done_with_a_secret_but_to_put_it_in() {
    let metadata = json!({
        "url": "https://example.com/",
        "headers": {"fine": "Key {{ secret.KEY }}, {{secret.OTHER}}", "x/y": "{{ $uppercase(secret.KEY) }}"},
        "auth": {"type": "basic", "username": "{{ 'a' & secret.KEY }}", "password": "{{ secret.KEY.part }}"},
    });
    let expected =
        ["auth/password secret_not_alone", "auth/username secret_not_alone", "headers/x~1y secret_not_alone"];
    check_metadata("get_api", &metadata, &expected);
}

#[test]
fn times_and_retries_have_bounds() {
    check_node(&json!({"node_type": "return", "timeout_s": 0}), &["timeout_s out_of_range"]);
    check_node(&json!({"node_type": "return", "timeout_s": 300}), &[]);
    check_node(
        &json!({"node_type": "return", "timeout_s": 301, "retry": {"max_retries": 11, "delays_s": [900, 901]}}),
        &["retry/delays_s/1 out_of_range", "retry/max_retries out_of_range", "timeout_s out_of_range"],
    );
    check_node(
        &json!({"node_type": "return", "retry": {"max_retries": 0, "delays_s": []}}),
        &["retry/delays_s out_of_range"],
    );
}

#[test]
fn structured_output_is_a_schema_that_stands_alone() {
    let node = |schema: Value| json!({"node_type": "return", "structured_output": schema});
    check_node(
        &node(json!({"type": "object", "properties": {"a": {"type": "text"}}})),
        &["structured_output/properties/a/type wrong_schema"],
    );
    check_node(&node(json!({"$ref": "https://example.com/x"})), &["structured_output/$ref wrong_schema"]);
    check_node(&node(json!({"id": 1})), &[]);
}

#[test]
fn types_of_the_palette_that_cannot_run_stand_in_drafts_only() {
    let details = json!({"a": {"node_type": "job", "metadata": {"model": "m", "prompt": "p"}}});
    check("a", &details, &[]);
    let found = validate_for_publish(&graph("a", &details));
    assert_eq!(lines(&found), ["/nodes/0/node_type not_available"]);
    assert_eq!(found[0].message, "node type `job` can't be run yet");
}

#[test]
fn required_metadata_is_checked() {
    let id = json!("0190a0b0-0000-7000-8000-000000000001");
    check_metadata("job", &json!({}), &["expert_id missing_field"]);
    check_metadata("job", &json!({"model": "m", "prompt": "p"}), &[]);
    check_metadata("job", &json!({"expert_id": "x"}), &["expert_id wrong_id"]);
    check_metadata("workflow", &json!({"workflow_id": id}), &[]);
    check_metadata("mcp_tool", &json!({"server_id": id}), &["tool missing_field"]);
    check_metadata("wait", &json!({}), &["seconds missing_field"]);
    check_metadata("approval", &json!({}), &["title missing_field"]);
    check_metadata("vector_query", &json!({}), &["collection_id missing_field", "query missing_field"]);
    check_metadata("embed", &json!({}), &["text missing_field"]);
    check_metadata("guru", &json!({}), &["query missing_field"]);
    check_metadata("for_each", &json!({"items": "input"}), &["body missing_field"]);
}
