//! What a run gives when it succeeds, and what a merge gets.

use domain::{ErrorClass, Failure};
use engine::Digest;
use serde_json::{Value, json};

use crate::world::{World, advanced, permanent};

fn result(text: &str, details: &Value) -> Option<Value> {
    let mut world = World::of(text, details);
    world.wake();
    assert_eq!(world.run.status.as_str(), "succeeded", "{}", world.states());
    world.result()
}

fn returning(output: &str) -> Value {
    json!({"node_type": "return", "metadata": {"output": output}})
}

#[test]
fn the_result_is_the_output_of_the_one_return_that_ran() {
    let choice = json!({"node_type": "if_else", "metadata": {"condition": "true"}});
    let details = json!({"x": choice, "a": returning("yes"), "b": returning("no"), "c": advanced("3")});
    assert_eq!(result("x -true-> a; x -false-> b; c", &details), Some(json!("yes")));
}

#[test]
fn several_returns_make_an_object() {
    let details = json!({"a": returning("{{ 1 }}"), "b": returning("{{ 2 }}"), "c": advanced("3")});
    assert_eq!(result("a; b; c", &details), Some(json!({"a": 1, "b": 2})));
}

#[test]
fn without_a_return_the_leaves_make_the_result() {
    assert_eq!(result("a -> b", &json!({"a": advanced("1"), "b": advanced("2")})), Some(json!(2)));
    let details = json!({"a": advanced("1"), "b": advanced("2"), "c": advanced("3")});
    assert_eq!(result("a -> b, c", &details), Some(json!({"b": 2, "c": 3})));
}

#[test]
fn a_run_without_a_live_leaf_gives_null() {
    let choice = json!({"node_type": "if_else", "metadata": {"condition": "false"}});
    assert_eq!(result("x -true-> a", &json!({"x": choice, "a": advanced("1")})), Some(Value::Null));
}

#[test]
fn there_is_no_result_before_the_end() {
    let mut world = World::of("a", &json!({}));
    world.wake();
    assert_eq!(world.result(), None);
}

#[test]
fn merge_joins_live_parents_as_its_mode_says() {
    let merged = |mode: &str| {
        let details = json!({
            "x": {"node_type": "if_else", "metadata": {"condition": "false"}},
            "dead": advanced("0"),
            "b": advanced("[1, 2]"),
            "a": advanced("3"),
            "m": {"node_type": "merge", "metadata": {"mode": mode}},
        });
        result("x -true-> dead; x -false-> b; a; dead, a, b -> m", &details)
    };
    assert_eq!(merged("object"), Some(json!({"a": 3, "b": [1, 2]})));
    assert_eq!(merged("append"), Some(json!([3, 1, 2])), "in the order of the edges");
    assert_eq!(merged("any"), Some(json!([1, 2])), "b comes first in plan order");
}

#[test]
fn each_child_of_a_split_gets_its_part() {
    let split = json!({"node_type": "split", "metadata": {"parts": {"l": "10", "r": "[20]", "none": "input.nothing"}}});
    let details = json!({
        "s": split, "a": advanced("input"), "b": advanced("input"), "c": {"node_type": "return"}, "d": advanced("input"),
    });
    let mut world = World::of("s -l-> a; s -r-> b; s -none-> c; s -> d", &details);
    world.wake();
    assert_eq!(world.output("a"), &json!(10));
    assert_eq!(world.output("b"), &json!([20]));
    assert_eq!(world.output("c"), &json!(null));
    assert_eq!(world.output("d"), &json!({"l": 10, "r": [20], "none": null}));
}

#[test]
fn several_parts_of_one_split_meet_in_a_merge_by_label() {
    let split = json!({"node_type": "split", "metadata": {"parts": {"l": "1", "r": "2"}}});
    let details = json!({"s": split, "a": advanced("3"), "m": {"node_type": "merge"}});
    assert_eq!(result("s -l-> m; s -r-> m; a -> m", &details), Some(json!({"s": {"l": 1, "r": 2}, "a": 3})));
}

#[test]
fn the_child_on_an_error_edge_gets_the_error() {
    let failing = json!({
        "node_type": "advanced", "metadata": {"program": "$error('bad order')"}, "on_error": {"action": "branch"},
    });
    let details = json!({"a": failing, "b": {"node_type": "return"}});
    let error = result("a -error-> b", &details).unwrap();
    assert_eq!((&error["class"], &error["code"]), (&json!("validation"), &json!("expression")));
    assert!(error["message"].as_str().unwrap().contains("bad order"), "{error}");
    assert_eq!(error.as_object().unwrap().len(), 3);
}

#[test]
fn continue_keeps_the_error_beside_the_default() {
    let failing = json!({
        "node_type": "advanced", "metadata": {"program": "$error('no')"}, "on_error": {"action": "continue", "default": {"n": 0}},
    });
    let mut world = World::of("a", &json!({"a": failing}));
    world.wake();
    assert_eq!(world.result(), Some(json!({"n": 0})));
    assert!(world.records[0].error.is_some() && world.records[0].output.is_some());
}

#[test]
fn a_default_for_another_failure_is_another_record() {
    let bears_it = json!({"on_error": {"action": "continue", "default": {"n": 0}}});
    let details = json!({"a": bears_it, "b": advanced("input")});
    let settled_by = |failure: Failure| {
        let mut world = World::of("a -> b", &details);
        world.execute("a", Err(failure));
        assert_eq!(world.result(), Some(json!({"n": 0})));
        let [default, handed_on] = &world.records[..] else { panic!("{:?}", world.records) };
        assert_eq!(handed_on.digest, Digest::of(&json!({"n": 0})), "it tells of no failure any more");
        default.digest.clone()
    };
    let answered = settled_by(permanent());
    let lost = settled_by(Failure::new(ErrorClass::Validation, "no_body", "it has no body"));
    assert_ne!(answered, lost);
    assert_eq!(answered, settled_by(permanent()));
}

#[test]
fn without_fusion_a_run_comes_to_the_same_in_a_commit_for_each_pure_node() {
    let choice = json!({"node_type": "if_else", "metadata": {"condition": "true"}});
    let details = json!({"a": advanced("1"), "x": choice, "b": advanced("input + 1"), "c": advanced("0"), "d": advanced("input")});
    let text = "a -> x; x -true-> b; x -false-> c; b -> d";
    let (mut fused, mut unfused) = (World::of(text, &details), World::of(text, &details));
    fused.wake();
    unfused.limit_steps(1);
    assert_eq!((fused.run.revision, unfused.wake_unfused()), (1, 4), "steps are not counted by commits");
    assert_eq!((unfused.states(), unfused.result()), (fused.states(), fused.result()));
}
