//! Which nodes run: edges, labels, failures. Each case is a row.

use serde_json::{Value, json};

use crate::world::{World, permanent};

/// Executes effectful nodes as `events` say (`a done; b failed`), in that order, and compares where every
/// node stands then.
fn check_with(text: &str, details: &Value, events: &str, expected: &str) {
    let mut world = World::of(text, details);
    world.wake();
    for event in events.split(';').map(str::trim).filter(|event| !event.is_empty()) {
        match event.split_once(' ') {
            Some((node, "done")) => world.execute(node, Ok(json!({"of": node}))),
            Some((node, "failed")) => world.execute(node, Err(permanent())),
            _ => panic!("no event: {event}"),
        }
    }
    assert_eq!(world.states(), expected, "{text} | {events}");
}

fn check(text: &str, events: &str, expected: &str) {
    check_with(text, &json!({}), events, expected);
}

fn if_else(condition: &str) -> Value {
    json!({"node_type": "if_else", "metadata": {"condition": condition}})
}

#[test]
fn a_node_is_ready_when_every_parent_is_settled() {
    check("a -> b, c; b, c -> d", "", "a ready, b blocked, c blocked, d blocked; run running");
    check("a -> b, c; b, c -> d", "a done", "a succeeded, b ready, c ready, d blocked; run running");
    check(
        "a -> b, c; b, c -> d",
        "a done; b done",
        "a succeeded, b succeeded, c ready, d blocked; run running",
    );
    check(
        "a -> b, c; b, c -> d",
        "a done; c done; b done",
        "a succeeded, b succeeded, c succeeded, d succeeded; run succeeded",
    );
}

#[test]
fn a_failure_that_nothing_handles_ends_the_run() {
    check(
        "a -> b, c; b, c -> d",
        "a done; b failed",
        "a succeeded, b failed, c cancelled, d cancelled; run failed",
    );
    check("a; b", "b failed", "a cancelled, b failed; run failed");
}

#[test]
fn only_the_chosen_label_is_live() {
    let row = |condition: &str, events: &str, expected: &str| {
        let text = "x -true-> a; x -false-> b; a, b -> m";
        check_with(text, &json!({"x": if_else(condition)}), events, expected);
    };
    row("1 = 1", "", "x succeeded, a ready, b skipped, m blocked; run running");
    row("1 = 1", "a done", "x succeeded, a succeeded, b skipped, m succeeded; run succeeded");
    row("1 = 2", "b done", "x succeeded, a skipped, b succeeded, m succeeded; run succeeded");
}

#[test]
fn skipping_goes_on_down_the_graph() {
    check_with(
        "x -true-> a; x -false-> b; b -> c; c -> d",
        &json!({"x": if_else("true")}),
        "a done",
        "x succeeded, a succeeded, b skipped, c skipped, d skipped; run succeeded",
    );
}

#[test]
fn no_case_and_no_default_leave_every_edge_dead() {
    let cases = json!({"node_type": "if_else", "metadata": {"cases": [{"label": "one", "when": "input.n = 1"}, {"label": "two", "when": "input.n = 2"}]}});
    let expected = "x succeeded, a skipped, b skipped; run succeeded";
    check_with("x -one-> a; x -two-> b", &json!({"x": cases}), "", expected);
}

#[test]
fn a_handled_failure_takes_the_error_edge_and_no_other() {
    let details = json!({"a": {"on_error": {"action": "branch"}}});
    let text = "a -> b; a -error-> c; b, c -> d";
    check_with(text, &details, "a failed", "a failed, b skipped, c ready, d blocked; run running");
    check_with(
        text,
        &details,
        "a failed; c done",
        "a failed, b skipped, c succeeded, d succeeded; run succeeded",
    );
    check_with(
        text,
        &details,
        "a done; b done",
        "a succeeded, b succeeded, c skipped, d succeeded; run succeeded",
    );
}

#[test]
fn a_branch_without_an_error_edge_handles_nothing() {
    check_with(
        "a -> b",
        &json!({"a": {"on_error": {"action": "branch"}}}),
        "a failed",
        "a failed, b cancelled; run failed",
    );
}

#[test]
fn continue_counts_as_success() {
    let details = json!({"a": {"on_error": {"action": "continue", "default": 7}}});
    check_with("a -> b", &details, "a failed", "a succeeded, b ready; run running");
}

#[test]
fn every_edge_of_a_split_is_live() {
    let split = json!({"node_type": "split", "metadata": {"parts": {"l": "1", "r": "2"}}});
    check_with(
        "s -l-> a; s -r-> b; s -> c",
        &json!({"s": split}),
        "",
        "s succeeded, a ready, b ready, c ready; run running",
    );
}
