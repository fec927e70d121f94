//! What holds for every graph: fused runs equal the naive interpreter, any order of events comes to the same
//! end, validation never panics.

use domain::{Graph, NodeKey, RunStatus};
use engine::{NodeState, compile, error_value, validate, validate_for_publish};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    reference::{Does, Ending, Shape, document, interpret, shapes},
    world::{World, advanced, permanent, transient, version},
};

/// What a failed expression looks like from an error edge.
fn error_of_expression() -> Value {
    let mut world = World::of("a", &json!({"a": advanced("$error('e')")}));
    world.wake();
    error_value(&world.run.error.unwrap().failure)
}

fn expected(shapes: &[Shape], inputs: &Value) -> Ending {
    let of_expression = error_of_expression();
    interpret(
        shapes,
        inputs,
        |shape| if shape.is_effect { error_value(&permanent()) } else { of_expression.clone() },
    )
}

fn agree(world: &World, expected: &Ending) -> Result<(), TestCaseError> {
    if expected.result.is_none() {
        prop_assert_eq!(world.run.status, RunStatus::Failed);
        prop_assert!(world.run.error.is_some());
        return Ok(());
    }
    prop_assert_eq!(world.run.status, RunStatus::Succeeded);
    for (key, state) in &world.run.nodes {
        let succeeded = matches!(state, NodeState::Succeeded { .. });
        prop_assert_eq!(succeeded, expected.outputs.contains_key(key.as_str()), "{}", key);
        if succeeded {
            prop_assert_eq!(world.output(key.as_str()), &expected.outputs[key.as_str()], "{}", key);
        }
    }
    prop_assert_eq!(&world.result(), &expected.result);
    Ok(())
}

/// A run whose effects are played by the test, in an order and with mishaps that `chances` decide.
struct Play {
    world: World,
    shapes: Vec<Shape>,
    held: Vec<(NodeKey, u32)>,
    losses: u32,
    transients: u32,
}

impl Play {
    fn new(shapes: Vec<Shape>, inputs: Value) -> Self {
        let world = World::new(document(&shapes), inputs);
        Self { world, shapes, held: Vec::new(), losses: 0, transients: 0 }
    }

    fn claim(&mut self) {
        if let Some(call) = self.world.claim(None) {
            self.held.push((call.node, call.attempt));
        }
    }

    /// Settles a claim as its shape says; a claim that was lost meanwhile is stale.
    fn settle(&mut self, which: usize, fails_for_now: bool) {
        if self.held.is_empty() {
            return;
        }
        let (node, attempt) = self.held.remove(which % self.held.len());
        let i: usize = node.as_str()[1..].parse().unwrap();
        let input = self.world.plan.input_of(&self.world.run, &self.world.values, &node);
        let outcome = match self.shapes[i].does {
            _ if fails_for_now => Err(transient()),
            Does::Fail(_) => Err(permanent()),
            _ => Ok(json!({"k": i, "in": input})),
        };
        let runs = matches!(self.world.state(node.as_str()), Some(NodeState::Running { attempt: held, .. }) if *held == attempt);
        let settled = self.world.settle(node.as_str(), attempt, outcome);
        assert_eq!(settled.is_ok(), runs);
    }

    fn act(&mut self, chance: u8) {
        if self.world.run.status.is_terminal() {
            return;
        }
        match chance % 8 {
            0..=2 => self.claim(),
            3 | 4 => self.settle(usize::from(chance / 8), false),
            5 if self.transients < 3 => {
                self.transients += 1;
                self.settle(usize::from(chance / 8), true);
            }
            6 if self.losses < 2 => {
                self.losses += 1;
                self.world.pass(60);
                self.world.wake();
            }
            _ => {
                self.world.wake();
            }
        }
    }

    /// Lets everything go well from here on; whether the run ends in a bounded number of steps.
    fn finish(&mut self) -> bool {
        for _ in 0..4 * self.shapes.len() + 16 {
            if self.world.run.status.is_terminal() {
                return true;
            }
            // Long enough for every retry, and too short for the lease of what is claimed from here on.
            if self.held.is_empty() {
                self.world.pass(900);
            }
            self.claim();
            self.settle(0, false);
        }
        self.world.run.status.is_terminal()
    }
}

proptest! {
    #[test]
    fn one_advance_of_pure_nodes_equals_the_naive_interpreter(shapes in shapes(14, false), n in 0..9i64) {
        let inputs = json!({"n": n});
        let mut world = World::new(document(&shapes), inputs.clone());
        world.wake();
        prop_assert_eq!(world.run.revision, 1);
        agree(&world, &expected(&shapes, &inputs))?;
    }

    #[test]
    fn any_order_of_events_comes_to_the_same_end(shapes in shapes(14, true), chances in prop::collection::vec(any::<u8>(), 0..60)) {
        let inputs = json!({"n": 1});
        let expected = expected(&shapes, &inputs);
        let mut play = Play::new(shapes, inputs);
        play.world.wake();
        for chance in chances {
            play.act(chance);
        }
        prop_assert!(play.finish(), "{}", play.world.states());
        agree(&play.world, &expected)?;
        let nodes = &play.world.run.nodes;
        prop_assert!(nodes.len() == play.shapes.len() && nodes.values().all(NodeState::is_settled));
    }

    #[test]
    fn a_recorded_output_never_changes(shapes in shapes(10, true), chances in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut play = Play::new(shapes, json!(1));
        let mut settled = std::collections::BTreeMap::new();
        for chance in chances {
            play.act(chance);
            for (key, state) in play.world.run.nodes.iter().filter(|(_, state)| state.is_settled()) {
                prop_assert_eq!(settled.entry(key.clone()).or_insert_with(|| state.clone()), state);
            }
        }
    }

    #[test]
    fn validation_never_panics_and_what_passes_compiles(graph in any_document()) {
        let for_publish = validate_for_publish(&graph);
        prop_assert!(for_publish.len() >= validate(&graph).len());
        let is_publishable = for_publish.iter().all(|violation| violation.severity == engine::Severity::Warning);
        prop_assert_eq!(compile(version(graph)).is_ok(), is_publishable);
    }
}

/// Documents that are mostly wrong: any keys, types, metadata and edges.
fn any_document() -> impl Strategy<Value = Graph> {
    let word = prop::sample::select(vec!["a", "b", "c", "d", "", "B!", "error", "true", "l"]);
    let node_type = prop::sample::select(vec![
        "merge", "if_else", "split", "return", "filter", "map", "get_api", "job", "x",
    ]);
    let field = prop::sample::select(vec![
        "condition",
        "cases",
        "default",
        "parts",
        "items",
        "batch_size",
        "mapping",
        "url",
        "auth",
        "success",
        "mode",
    ]);
    let value = prop::sample::select(vec![
        json!("input"),
        json!("{{ base.nodes.a }}"),
        json!("{{ ("),
        json!(7),
        json!([{"label": "a", "when": "1"}]),
        json!({"l": "1", "r": "secret.X"}),
        json!([1, "2xx"]),
        json!({"type": "basic"}),
        json!("https://example.com/"),
    ]);
    let metadata = prop::collection::btree_map(field, value.clone(), 0..4);
    let output = prop::option::of(value);
    let branches = any::<bool>();
    let node = (word.clone(), node_type, metadata, output, branches).prop_map(|(key, node_type, metadata, output, branches)| {
        let on_error = if branches { "branch" } else { "fail" };
        json!({"key": key, "node_type": node_type, "metadata": metadata, "structured_output": output, "on_error": {"action": on_error}})
    });
    let edge = (word.clone(), word.clone(), prop::option::of(word))
        .prop_map(|(from, to, label)| json!({"from": from, "to": to, "label": label}));
    (prop::collection::vec(node, 0..6), prop::collection::vec(edge, 0..8))
        .prop_map(|(nodes, edges)| serde_json::from_value(json!({"nodes": nodes, "edges": edges})).unwrap())
}
