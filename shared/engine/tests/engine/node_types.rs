//! What each pure type makes of its metadata and input.

use serde_json::{Value, json};

use crate::world::{World, graph};

/// The output of one node with these metadata on that input, or the code and message of its failure.
fn run(node_type: &str, metadata: &Value, input: &Value) -> Result<Value, (String, String)> {
    run_node(&json!({"node_type": node_type, "metadata": metadata}), input)
}

fn run_node(node: &Value, input: &Value) -> Result<Value, (String, String)> {
    let mut world = World::new(graph("a", &json!({"a": node})), input.clone());
    world.wake();
    match world.run.error.clone() {
        Some(error) => Err((error.failure.code, error.failure.message)),
        None => Ok(world.output("a").clone()),
    }
}

#[test]
fn filter_keeps_items_that_pass() {
    let metadata = json!({"items": "{{ input.n }}", "condition": "item > 1 and index < 3"});
    assert_eq!(run("filter", &metadata, &json!({"n": [1, 2, 3, 4]})), Ok(json!([2, 3])));
}

#[test]
fn filter_takes_a_missing_list_as_empty_and_a_single_value_as_one() {
    let metadata = json!({"items": "input.n", "condition": "true"});
    assert_eq!(run("filter", &metadata, &json!({})), Ok(json!([])));
    assert_eq!(run("filter", &metadata, &json!({"n": null})), Ok(json!([])));
    assert_eq!(run("filter", &metadata, &json!({"n": {"a": 1}})), Ok(json!([{"a": 1}])));
    assert_eq!(run("filter", &metadata, &json!({"n": [[1]]})), Ok(json!([[1]])));
}

#[test]
fn filter_reads_conditions_as_jsonata_does() {
    let metadata = json!({"items": "input", "condition": "item.keep"});
    let input = json!([{"keep": 0}, {"keep": "x"}, {}, {"keep": [0, 1]}, {"keep": null}]);
    assert_eq!(run("filter", &metadata, &input), Ok(json!([{"keep": "x"}, {"keep": [0, 1]}])));
}

#[test]
fn a_failing_item_is_named() {
    let metadata = json!({"items": "[1, 2]", "condition": "item = 2 ? $error('two') : true"});
    let (code, message) = run("filter", &metadata, &json!({})).unwrap_err();
    assert_eq!(code, "expression");
    assert!(message.starts_with("item 1: condition: two"), "{message}");
}

#[test]
fn a_list_of_too_many_items_is_refused() {
    let metadata = json!({"items": "input", "mapping": "{{ item }}"});
    let (code, _) = run("map", &metadata, &json!(vec![0; 100_001])).unwrap_err();
    assert_eq!(code, "too_many_items");
}

#[test]
fn map_shapes_each_item_or_the_input() {
    let each = json!({"items": "input", "mapping": {"n": "{{ item * 2 }}", "label": "#{{ index }}", "fixed": [true]}});
    assert_eq!(
        run("map", &each, &json!([1, 2])),
        Ok(json!([{"n": 2, "label": "#0", "fixed": [true]}, {"n": 4, "label": "#1", "fixed": [true]}]))
    );
    assert_eq!(
        run("map", &json!({"mapping": {"n": "{{ input.a }}"}}), &json!({"a": 1})),
        Ok(json!({"n": 1}))
    );
}

#[test]
fn map_stops_before_its_output_fills_the_memory() {
    let metadata = json!({"items": "[1..200]", "mapping": "{{ base.params.text }}"});
    let (code, _) = run("map", &metadata, &json!({"text": "x".repeat(1_000_000)})).unwrap_err();
    assert_eq!(code, "output_too_large");
}

#[test]
fn if_else_hands_its_input_on() {
    assert_eq!(run("if_else", &json!({"condition": "false"}), &json!({"a": 1})), Ok(json!({"a": 1})));
}

#[test]
fn if_else_takes_the_first_case_that_holds_or_the_default() {
    let metadata = json!({
        "cases": [{"label": "big", "when": "input > 10"}, {"label": "some", "when": "{{ input > 1 }}"}],
        "default": "few",
    });
    for (input, label) in [(11, "big"), (2, "some"), (0, "few")] {
        let mut world = World::new(
            graph("a", &json!({"a": {"node_type": "if_else", "metadata": metadata}})),
            json!(input),
        );
        world.wake();
        let state = serde_json::to_value(world.state("a")).unwrap();
        assert_eq!(state["label"], label, "{input}");
    }
}

#[test]
fn split_cuts_a_list_into_batches() {
    let metadata = json!({"items": "input", "batch_size": 2});
    assert_eq!(run("split", &metadata, &json!([1, 2, 3])), Ok(json!([[1, 2], [3]])));
    assert_eq!(run("split", &metadata, &json!([])), Ok(json!([])));
}

#[test]
fn advanced_gives_the_value_of_its_program() {
    let program = json!({"program": "( $total := $sum(input.n); {'total': $total} )"});
    assert_eq!(run("advanced", &program, &json!({"n": [1, 2]})), Ok(json!({"total": 3})));
    assert_eq!(run("advanced", &json!({"program": "input.nothing"}), &json!({})), Ok(json!(null)));
}

#[test]
fn return_gives_its_input_unless_it_says_otherwise() {
    assert_eq!(run("return", &json!({}), &json!([1])), Ok(json!([1])));
    assert_eq!(
        run("return", &json!({"output": {"all": "{{ input }}"}}), &json!([1])),
        Ok(json!({"all": [1]}))
    );
}

#[test]
fn expressions_see_the_run_and_what_came_before() {
    let seen = json!({"node_type": "return", "metadata": {"output": {
        "time": "{{ base.time }}", "now": "{{ $now() }}", "params": "{{ base.params }}", "a": "{{ base.nodes.a }}",
        "workflow": "{{ base.workflow.name }} {{ base.workflow.version }}", "kind": "{{ base.trigger.kind }}",
        "run": "{{ base.run.id }}", "team": "{{ base.team.id }}", "end_user": "{{ base.end_user }}",
    }}});
    let details = json!({"a": {"node_type": "advanced", "metadata": {"program": "1"}}, "b": seen});
    let mut world = World::new(graph("a -> b", &details), json!({"x": 2}));
    world.wake();
    let id = |n: u8| format!("00000000-0000-0000-0000-00000000000{n}");
    assert_eq!(
        world.result(),
        Some(json!({
            "time": "2026-01-02T03:04:05.000Z", "now": "2026-01-02T03:04:05.000Z", "params": {"x": 2}, "a": 1,
            "workflow": "orders 7", "kind": "manual", "run": id(4), "team": id(1), "end_user": null,
        }))
    );
}

#[test]
fn only_ancestors_are_seen() {
    let advanced = |program: &str| json!({"node_type": "advanced", "metadata": {"program": program}});
    let details = json!({"a": advanced("1"), "b": advanced("2"), "c": advanced("$keys(base.nodes)"), "d": advanced("$exists(base.nodes.a)")});
    let mut world = World::of("a; b -> c; d", &details);
    world.wake();
    assert_eq!(world.output("c"), &json!("b"), "what it reads can't be told, so it sees every ancestor");
    assert_eq!(world.output("d"), &json!(false));
}

#[test]
fn chance_comes_from_the_record() {
    let drawn = || run("advanced", &json!({"program": "[$random(), $millis()]"}), &json!({})).unwrap();
    assert_eq!(drawn(), drawn());
}

#[test]
fn an_output_must_match_its_structured_output() {
    let node = |structured_output: Value| json!({"node_type": "return", "metadata": {"output": {"id": "7", "tags": ["secret text", 1]}}, "structured_output": structured_output});
    assert!(run_node(&node(json!({"id": "x"})), &json!({})).is_ok());
    let (code, message) =
        run_node(&node(json!({"id": 1, "tags": ["x"], "name": ""})), &json!({})).unwrap_err();
    assert_eq!(code, "structured_output");
    for place in ["`/id`", "`/tags/1`", "\"name\""] {
        assert!(message.contains(place), "{place} in {message}");
    }
    assert!(!message.contains("secret text"), "{message}");
    let schema = json!({"type": "object", "properties": {"id": {"type": "string", "maxLength": 0}}});
    assert_eq!(run_node(&node(schema), &json!({})).unwrap_err().0, "structured_output");
}
