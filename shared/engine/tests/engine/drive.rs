//! Worked examples (`tests/fixtures/workflows`), and runs of them to their end, with everybody outside answering as the example says.

use std::{fs, path::Path, sync::Arc};

use domain::{ErrorClass, Failure, Graph, NodeKey, RunStatus, WorkflowVersion};
use engine::{Awaited, Event, NodeState, Run, Turn, Vote, children_of, compile, item_results};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::world::{World, version};

/// A workflow with an example of a run.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) input_params: Map<String, Value>,
    pub(crate) graph: Value,
    pub(crate) example: Example,
}

/// What a run is started with, and what those outside answer, by node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Example {
    pub(crate) inputs: Value,
    #[serde(default)]
    pub(crate) answers: Map<String, Value>,
}

/// All of them, in the order of their files.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/workflows");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: std::path::PathBuf| -> Vec<Fixture> {
        let value: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let list = if value.is_array() { value } else { json!([value]) };
        serde_json::from_value(list).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.into_iter().flat_map(read).collect()
}

impl Fixture {
    pub(crate) fn graph(&self) -> Graph {
        serde_json::from_value(self.graph.clone()).unwrap()
    }

    pub(crate) fn version(&self) -> Arc<WorkflowVersion> {
        let bare = WorkflowVersion::clone(&version(self.graph()));
        Arc::new(WorkflowVersion { input_params: self.input_params.clone(), ..bare })
    }

    /// What a run comes to: None where it can't be compiled or started, or fails.
    pub(crate) fn run(&self) -> Option<Ended> {
        let inputs = &self.example.inputs;
        if !engine::validate_inputs(&self.input_params, inputs).is_empty() {
            return None;
        }
        let plan = compile(self.version()).ok()?;
        let world = drive(World::of_plan(plan, World::fresh(), inputs.clone()), &self.example.answers);
        (world.run.status == RunStatus::Succeeded).then(|| Ended { result: world.result(), world })
    }
}

/// A run that succeeded.
pub(crate) struct Ended {
    pub(crate) result: Option<Value>,
    pub(crate) world: World,
}

/// Plays a run to its end.
pub(crate) fn drive(mut world: World, answers: &Map<String, Value>) -> World {
    for _ in 0..1000 {
        if world.run.status.is_terminal() {
            return world;
        }
        let turn = Turn { max_timeout_s: 300, ..world.turn(None) };
        let calls = world.apply(Event::Woken, Some(turn)).unwrap().calls;
        if let Some(call) = calls.into_iter().next() {
            let outcome = answer(answers, call.node.as_str());
            world.settle(call.node.as_str(), call.attempt, outcome).unwrap();
        } else if !world.run.status.is_terminal() {
            wait(&mut world, answers);
        }
    }
    panic!("no end: {}", world.states());
}

/// What an API answers: the body, or a failure.
fn answer(answers: &Map<String, Value>, node: &str) -> Result<Value, Failure> {
    let key = node.split('.').next().unwrap_or(node);
    let body = answers.get(key).cloned().unwrap_or_default();
    if let Some(code) = body.get("$fails").and_then(Value::as_str) {
        return Err(Failure::new(ErrorClass::Permanent, code, "the other side said no"));
    }
    Ok(json!({"status": 200, "headers": {"content-type": "application/json"}, "body": body}))
}

/// Lets time pass, people decide and children run.
fn wait(world: &mut World, answers: &Map<String, Value>) {
    let waiting = world.run.nodes.iter().find_map(|(key, state)| match state {
        NodeState::Waiting { on, until, .. } => Some((key.clone(), on.clone(), *until)),
        _ => None,
    });
    let (node, on, until) = waiting.unwrap_or_else(|| panic!("nothing to wait for: {}", world.states()));
    match on {
        Awaited::Time => world.now = until.unwrap(),
        Awaited::Approval { .. } => decide(world, &node, &answers[node.as_str()]),
        Awaited::Children => children(world, &node, answers),
    }
}

fn decide(world: &mut World, node: &NodeKey, answer: &Value) {
    let vote = Vote {
        by: "ann".to_owned(),
        approves: answer["approves"] == true,
        on: world.now,
        form: answer.get("form").cloned().unwrap_or_default(),
    };
    world.apply(Event::Decided { node: node.clone(), vote }, None).unwrap();
}

fn children(world: &mut World, node: &NodeKey, answers: &Map<String, Value>) {
    let total = world.run.children[node].total;
    let mut results = Vec::new();
    let (mut failure, mut steps) = (None, 0);
    for number in 0..total {
        let (run, inputs) = child(world, node, number);
        if !run.is_chunk() {
            results.push(answers.get(node.as_str()).cloned().unwrap_or_default());
            continue;
        }
        let plan = world.plan.of_run(&run).unwrap();
        let mut chunk = World::of_plan(plan, run, inputs);
        chunk.now = world.now;
        let chunk = drive(chunk, answers);
        steps += chunk.run.steps;
        results.extend(item_results(&chunk.plan, &chunk.run, &chunk.values));
        if chunk.run.status != RunStatus::Succeeded {
            failure = Some(Failure::new(ErrorClass::Permanent, "item", "an item failed"));
        }
    }
    let is_list = world.run.children[node].total > 1 || child(world, node, 0).0.is_chunk();
    let value = if is_list { Value::Array(results) } else { results.remove(0) };
    let outcome = failure.map_or(Ok(Arc::new(value)), Err);
    for number in 0..total {
        let ends = number + 1 == total;
        let outcome = (ends || outcome.is_err()).then(|| outcome.clone());
        let steps = if ends { steps } else { 0 };
        let ended = Event::ChildrenEnded { node: node.clone(), ended: vec![number], steps, outcome };
        if world.apply(ended, None).is_err() || world.run.status.is_terminal() {
            return;
        }
    }
}

fn child(world: &World, node: &NodeKey, number: u32) -> (Run, Value) {
    let mut started =
        children_of(&world.plan, &world.run, &world.values, node, &[number], world.now).unwrap();
    let child = started.remove(0);
    (child.run, child.inputs)
}
