//! Typed edges: working graphs give no false error, and mistakes are told before anything runs (WF-11, NOD-03, API of WF-12).

use engine::{Known, Severity, Violation, check_shapes};
use serde_json::{Value, json};

use crate::{
    drive::{Fixture, fixtures},
    mutations::mutations,
};

fn checked(fixture: &Fixture) -> Vec<Violation> {
    let graph = fixture.graph();
    let mut violations = engine::validate_for_publish(&graph);
    violations.extend(check_shapes(&graph, &Known::inputs(&fixture.input_params)));
    violations
}

#[test]
fn fifty_working_graphs_give_no_false_error() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 50, "{}", fixtures.len());
    for fixture in &fixtures {
        assert!(fixture.run().is_some(), "{} works", fixture.name);
        assert_eq!(checked(fixture), [], "{}", fixture.name);
    }
}

/// Each mutation changes one name, leaves one out or changes one kind. Those that change what the run comes to, or break it, are to be told.
#[test]
fn nine_of_ten_mutations_that_matter_are_caught_before_a_run() {
    let (mut matter, mut caught) = (0_u32, 0_u32);
    let mut missed = Vec::new();
    for fixture in fixtures() {
        let expected = fixture.run().unwrap().result;
        for mutation in mutations(&fixture) {
            if mutation.fixture.run().map(|ended| ended.result) == Some(expected.clone()) {
                continue;
            }
            matter += 1;
            if checked(&mutation.fixture).is_empty() {
                missed.push(format!("{}: {}", fixture.name, mutation.what));
            } else {
                caught += 1;
            }
        }
    }
    let share = f64::from(caught) / f64::from(matter);
    println!("{caught} of {matter} mutations caught ({:.1} %)", share * 100.0);
    println!("missed:\n  {}", missed.join("\n  "));
    assert!(matter >= 500 && share >= 0.9, "{caught} of {matter}");
}

fn first(graph: &Value, input_params: &Value) -> Violation {
    let graph = serde_json::from_value(graph.clone()).unwrap();
    let known = Known::inputs(input_params.as_object().unwrap());
    let mut found = check_shapes(&graph, &known);
    assert!(!found.is_empty(), "nothing found");
    found.remove(0)
}

#[test]
fn a_violation_names_node_field_place_and_shape() {
    let graph = json!({"nodes": [
        {"key": "get", "node_type": "get_api", "metadata": {"url": "https://example.com/"}},
        {"key": "end", "node_type": "return", "metadata": {"output": {"s": "status: {{ input.stauts }}"}}},
    ], "edges": [{"from": "get", "to": "end"}]});
    let found = first(&graph, &json!({}));
    assert_eq!(found.severity, Severity::Error);
    assert_eq!((found.node.unwrap().as_str(), found.pointer.as_str()), ("end", "/nodes/1/metadata/output/s"));
    assert_eq!((found.code.as_str(), found.offset), ("unknown_field", Some(17)));
    assert_eq!(
        found.message,
        "`input` here is {body, headers, status}; it has no `stauts`. Did you mean `status`?"
    );
}

#[test]
fn what_the_schema_leaves_open_is_a_warning_and_what_nobody_knows_is_nothing() {
    let graph = |path: &str| json!({"nodes": [{"key": "end", "node_type": "return", "metadata": {"output": format!("{{{{ {path} }}}}")}}]});
    let open = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let found = first(&graph("input.nmae"), &open);
    assert_eq!((found.severity, found.code.as_str()), (Severity::Warning, "undeclared_field"));
    let unknown = serde_json::from_value(graph("input.nmae.x[0] + 1")).unwrap();
    assert_eq!(check_shapes(&unknown, &Known::default()), []);
}

#[test]
fn a_list_is_wanted_where_items_are_walked() {
    let graph = json!({"nodes": [
        {"key": "get", "node_type": "get_api", "metadata": {"url": "https://example.com/"}, "structured_output": {"status": 200, "body": [1]}},
        {"key": "few", "node_type": "filter", "metadata": {"items": "{{ input }}", "condition": "true"}},
    ], "edges": [{"from": "get", "to": "few"}]});
    let found = first(&graph, &json!({}));
    assert_eq!((found.code.as_str(), found.pointer.as_str()), ("not_a_list", "/nodes/1/metadata/items"));
    assert_eq!(
        found.message,
        "`items` should be a list, but it is {body, headers, status}. Its `body` is a list"
    );
}

#[test]
fn an_output_that_never_matches_its_schema_is_an_error() {
    let graph = json!({"nodes": [{"key": "get", "node_type": "get_api", "metadata": {"url": "https://example.com/"},
        "structured_output": {"orders": [{"id": 1}]}}]});
    let found = first(&graph, &json!({}));
    assert_eq!((found.severity, found.code.as_str()), (Severity::Error, "never_matches"));
    assert_eq!(found.pointer, "/nodes/0/structured_output");
}

#[test]
fn mistakes_in_a_body_are_told_where_they_stand() {
    let body = json!([{"key": "row", "node_type": "map", "metadata": {"mapping": {"x": "{{ item.nmae }}"}}}]);
    let graph = json!({"nodes": [{"key": "each", "node_type": "for_each", "metadata": {"items": "{{ input.people }}", "body": body}}]});
    let person =
        json!({"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": false});
    let schema = json!({"type": "object", "properties": {"people": {"type": "array", "items": person}}});
    let found = first(&graph, &schema);
    assert_eq!(found.pointer, "/nodes/0/metadata/body/0/metadata/mapping/x");
    assert_eq!(found.message, "`item` here is {name}; it has no `nmae`. Did you mean `name`?");
}

#[test]
fn a_sub_workflow_is_known_by_the_version_that_it_runs() {
    let id = "00000000-0000-0000-0000-000000000002";
    let child = Fixture {
        name: "child".into(),
        input_params: json!({"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"], "additionalProperties": false})
            .as_object()
            .unwrap()
            .clone(),
        graph: json!({"nodes": [{"key": "done", "node_type": "return", "metadata": {"output": {"twice": "{{ input.n * 2 }}"}}}]}),
        example: crate::drive::Example { inputs: json!({"n": 1}), answers: serde_json::Map::default() },
    };
    let versions = [(id.parse().unwrap(), None, (*child.version()).clone())];
    let known = Known { versions: &versions, ..Known::default() };
    let graph = |input: Value, output: &str| {
        serde_json::from_value(json!({"nodes": [
            {"key": "child", "node_type": "workflow", "metadata": {"workflow_id": id, "input": input}},
            {"key": "done", "node_type": "return", "metadata": {"output": output}},
        ], "edges": [{"from": "child", "to": "done"}]}))
        .unwrap()
    };
    assert_eq!(check_shapes(&graph(json!({"n": 1}), "{{ input.twice + 1 }}"), &known), []);
    let wrong = check_shapes(&graph(json!({"n": "x"}), "{{ input.thrice }}"), &known);
    let codes: Vec<_> = wrong.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["wrong_inputs", "unknown_field"]);
}
