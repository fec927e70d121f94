//! Replaying a run: everything that it did once is decided again, with the recorded results in place of effects.
//!
//! What is not data comes from the record: time, chance, and what connectors, people and children answered. So a replay of the same
//! version gives the same outputs, bit for bit; one of another version, or with an edited result, shows what would change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{Failure, NodeKey, Timestamp};
use serde_json::Value;

use crate::{
    Event, Moment, NewRun, NodeState, Plan, Run, StepRecord, Turn, Values,
    advance::{Manner, decide},
};

/// A run that ended, as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its control state.
    pub run: &'a Run,
    /// What it was started with.
    pub inputs: &'a Arc<Value>,
    /// Its step records.
    pub records: &'a [StepRecord],
}

/// What a replay came to.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The run as it stands when nothing more is known. A node that was never executed, and whose result is therefore not known, stays
    /// claimed or waiting, and what depends on it blocked.
    pub run: Run,
    /// Its outputs.
    pub values: Values,
    /// What each connector was asked to do.
    pub calls: BTreeMap<NodeKey, Value>,
}

/// Decides everything again with `plan`: the one that the run was executed with, or that of another version. Nodes in `edits` come to
/// these outputs instead of the recorded ones.
pub fn replay(plan: &Plan, recorded: &Recorded<'_>, edits: &BTreeMap<NodeKey, Value>) -> Replayed {
    let script = Script::of(recorded, edits);
    let mut again = Again {
        plan,
        now: recorded.run.created_on,
        run: Run::start(NewRun::like(recorded.run)),
        values: Values { inputs: Arc::clone(recorded.inputs), outputs: HashMap::new() },
        calls: BTreeMap::new(),
    };
    again.run.parent.clone_from(&recorded.run.parent);
    again.apply(inherited(recorded).unwrap_or(Event::Woken), None);
    while let Some((node, answer)) = again.next(&script) {
        if !again.answer(&node, answer) {
            break;
        }
    }
    Replayed { run: again.run, values: again.values, calls: again.calls }
}

/// What a retry had taken over from its earlier run: it was decided at another time, with that run's chance.
fn inherited(recorded: &Recorded<'_>) -> Option<Event> {
    recorded.run.retry_of.as_ref()?;
    let records: Vec<_> = recorded
        .records
        .iter()
        .filter(|record| record.finished_on < recorded.run.created_on)
        .cloned()
        .collect();
    let keys = records.iter().filter(|record| !record.retried).map(|record| &record.node);
    let nodes = keys.filter_map(|key| Some((key.clone(), recorded.run.nodes.get(key)?.clone()))).collect();
    Some(Event::Resumed { nodes, records })
}

/// What a node came to, and when: answers are given in the order in which they came.
struct Answer {
    order: u64,
    outcome: Result<Value, Failure>,
    label: Option<String>,
}

struct Script(HashMap<NodeKey, Answer>);

impl Script {
    fn of(recorded: &Recorded<'_>, edits: &BTreeMap<NodeKey, Value>) -> Self {
        let settled = recorded.records.iter().filter(|record| !record.retried);
        let answers = settled.map(|record| {
            let outcome = match (&record.error, &record.output) {
                (Some(failure), _) => Err(failure.clone()),
                (None, output) => Ok(output.as_deref().cloned().unwrap_or_default()),
            };
            let label = match recorded.run.nodes.get(&record.node) {
                Some(NodeState::Succeeded { label, .. }) => label.clone(),
                _ => None,
            };
            (record.node.clone(), Answer { order: record.settled_at, outcome, label })
        });
        let mut script = Self(answers.collect());
        for (node, value) in edits {
            let answer = script.0.get(node);
            let order = answer.map_or(u64::MAX, |answer| answer.order);
            let label = value.get("decision").and_then(Value::as_str).map(str::to_owned);
            let label = answer.and_then(|answer| answer.label.as_ref()).and(label);
            script.0.insert(node.clone(), Answer { order, outcome: Ok(value.clone()), label });
        }
        script
    }
}

struct Again<'a> {
    plan: &'a Plan,
    now: Timestamp,
    run: Run,
    values: Values,
    calls: BTreeMap<NodeKey, Value>,
}

impl Again<'_> {
    /// The node whose answer came first, of those that wait for one that is known.
    fn next<'s>(&self, script: &'s Script) -> Option<(NodeKey, &'s Answer)> {
        let open =
            self.plan.order().filter(|key| self.run.nodes.get(*key).is_some_and(|state| !state.is_settled()));
        let known = open.filter_map(|key| Some((key, script.0.get(key)?)));
        known.min_by_key(|(_, answer)| answer.order).map(|(key, answer)| (key.clone(), answer))
    }

    /// Lets a node begin, if it has not, and come to its answer; whether anything changed.
    fn answer(&mut self, node: &NodeKey, answer: &Answer) -> bool {
        let before = self.run.revision;
        if let Some(NodeState::Ready { .. }) = self.run.nodes.get(node) {
            let turn = Turn {
                node: Some(node.clone()),
                lease_until: Timestamp::MAX_UTC,
                max_timeout_s: u32::MAX,
                at_most: 1,
            };
            self.apply(Event::Woken, Some(turn));
        }
        if self.run.nodes.get(node).is_some_and(|state| !state.is_settled()) {
            let (outcome, label) = (answer.outcome.clone(), answer.label.clone());
            self.apply(Event::Replayed { node: node.clone(), outcome, label }, None);
        }
        self.run.revision > before
    }

    fn apply(&mut self, event: Event, turn: Option<Turn>) {
        let moment = Moment { now: self.now, jitter: 0.0, turn };
        let decided = decide(self.plan, &self.run, &self.values, event, &moment, Manner::Again);
        let Ok(decision) = decided else { return };
        for record in decision.records {
            if let Some(value) = record.value().filter(|_| !record.retried) {
                self.values.outputs.insert(record.node, value);
            }
        }
        self.calls.extend(decision.calls.into_iter().map(|call| (call.node, call.config)));
        if let Some(run) = decision.run {
            self.run = run;
        }
    }
}

/// One difference between two JSON values, the first in the order of the first one's keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON Pointer into both.
    pub pointer: String,
    /// What stands there in the first; None for nothing.
    pub before: Option<Value>,
    /// What stands there in the second; None for nothing.
    pub after: Option<Value>,
}

/// The first difference of two values; None where they are equal.
pub fn first_difference(before: &Value, after: &Value) -> Option<Difference> {
    difference(String::new(), Some(before), Some(after))
}

fn difference(pointer: String, before: Option<&Value>, after: Option<&Value>) -> Option<Difference> {
    use crate::pointer::join;
    if before == after {
        return None;
    }
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            keys.map(|key| difference(join(&pointer, key), one.get(key), other.get(key)))
                .find_map(|found| found)
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            let places = 0..one.len().max(other.len());
            places.map(|i| difference(join(&pointer, i), one.get(i), other.get(i))).find_map(|found| found)
        }
        _ => Some(Difference { pointer, before: before.cloned(), after: after.cloned() }),
    }
}
