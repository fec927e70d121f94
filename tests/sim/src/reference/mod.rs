//! A naive interpreter: the same graph, node by node in the order of the document, in memory, without engine and expressions.
//! What an effect came to is told to it; everything else it finds out by itself.

mod errors;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::{Failure, NodeKey};
use serde_json::{Map, Value, json};

use crate::graphs::{Call, Condition, Does, Each, Edge, Join, Names, OnError, Shape, Sub, key};

pub use errors::blanked;
use errors::validation;

/// What a run is about, besides its graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its inputs.
    pub inputs: Value,
    /// Its id, as expressions see it.
    pub id: String,
    /// Its start, as expressions see it.
    pub time: String,
    /// In a body: the number of the item, from 0.
    pub item: Option<u32>,
    /// In a body: what the nodes around it came to.
    pub around: BTreeMap<NodeKey, Settled>,
}

/// What is told to the reference, since it can't know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// What calls, people and other runs answered, as far as they came to an end.
    pub answers: BTreeMap<NodeKey, Answer>,
    /// What a retry keeps of its earlier run.
    pub kept: BTreeMap<NodeKey, Settled>,
}

/// What a call came to in the end.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It succeeded.
    Output(Value),
    /// It failed for good.
    Failure(Failure),
}

/// Where a node ends up.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// With an output, and the label it chose.
    Output(Value, Option<&'static str>),
    /// With an error, as its error edge sees it.
    Error(Value),
    /// No live edge leads to it.
    Skipped,
    /// It comes after a failure that nothing handles.
    Broken,
    /// A call before it, or its own, came to no end.
    Unknown,
}

/// Where all nodes end up.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// By place.
    pub nodes: Vec<Settled>,
    /// The nodes whose failure nothing handles: one is enough for the run to fail.
    pub fatal: Vec<NodeKey>,
    /// The result of a run in which nothing is unknown or fatal.
    pub result: Option<Value>,
    /// What each call whose input is known must have been asked for, and what other runs must have been started with: the inputs of a
    /// workflow, the items of a `for_each`. None where nothing may be asked for, since it can't be said or is not taken.
    pub requests: BTreeMap<NodeKey, Option<Value>>,
}

/// Plays a graph through, whose nodes have these names.
pub fn play(names: Names, shapes: &[Shape], facts: &Facts, told: &Told) -> Ending {
    let mut play =
        Play { names, shapes, facts, told, nodes: Vec::new(), fatal: Vec::new(), requests: BTreeMap::new() };
    for i in 0..shapes.len() {
        let settled = play.node(i);
        play.nodes.push(settled);
    }
    let is_known = play.fatal.is_empty() && !play.nodes.contains(&Settled::Unknown);
    let result = is_known.then(|| play.result());
    let Play { nodes, fatal, requests, .. } = play;
    Ending { nodes, fatal, result, requests }
}

struct Play<'a> {
    names: Names,
    shapes: &'a [Shape],
    facts: &'a Facts,
    told: &'a Told,
    nodes: Vec<Settled>,
    fatal: Vec<NodeKey>,
    requests: BTreeMap<NodeKey, Option<Value>>,
}

/// A live edge: its parent, its label, and what it hands on.
type Live = (usize, Option<&'static str>, Value);

impl Play<'_> {
    fn node(&mut self, i: usize) -> Settled {
        if let Some(settled) = self.told.kept.get(&self.key(i)) {
            return settled.clone();
        }
        let edges = &self.shapes[i].edges;
        let parents = || edges.iter().map(|(parent, _)| *parent);
        if parents().any(|parent| self.nodes[parent] == Settled::Unknown) {
            return Settled::Unknown;
        }
        if parents().any(|parent| self.is_broken(parent)) {
            return Settled::Broken;
        }
        let live: Vec<Live> =
            edges.iter().filter_map(|edge| Some((edge.0, edge.1, self.carried(*edge)?))).collect();
        if live.is_empty() && !edges.is_empty() {
            return Settled::Skipped;
        }
        let input = match &self.shapes[i].does {
            _ if edges.is_empty() => match self.facts.item {
                Some(item) => json!(item + 1),
                None => self.facts.inputs.clone(),
            },
            Does::Merge(join) => self.joined(*join, &live),
            _ => live[0].2.clone(),
        };
        self.evaluated(i, input)
    }

    fn key(&self, i: usize) -> NodeKey {
        self.names.key(i)
    }

    /// Whether what depends on a node can't start.
    fn is_broken(&self, i: usize) -> bool {
        self.nodes[i] == Settled::Broken || self.fatal.contains(&self.key(i))
    }

    /// What an edge hands on; None if it is dead.
    fn carried(&self, (parent, label): Edge) -> Option<Value> {
        match (&self.nodes[parent], label) {
            (Settled::Error(error), Some("error")) => Some(error.clone()),
            (Settled::Output(_, _), Some("error")) => None,
            (Settled::Output(value, _), None) => Some(value.clone()),
            (Settled::Output(value, chosen), Some(label)) => match &self.shapes[parent].does {
                Does::Parts => Some(value[label].clone()),
                _ => (*chosen == Some(label)).then(|| value.clone()),
            },
            _ => None,
        }
    }

    fn evaluated(&mut self, i: usize, input: Value) -> Settled {
        let n = self.facts.inputs["n"].as_i64();
        let output = |value| Settled::Output(value, None);
        match &self.shapes[i].does {
            Does::Wrap => output(json!({"k": i, "in": input})),
            Does::Pair => output(json!([input, i])),
            Does::Squares(count) => {
                output((1..=*count).map(|n| json!({"at": n - 1, "square": n * n})).collect())
            }
            Does::Above(least) => output((1..=10_i64).filter(|n| n > least).collect()),
            Does::Batches(size) => {
                output((1..=7_i64).collect::<Vec<_>>().chunks(*size).map(|batch| json!(batch)).collect())
            }
            Does::Parts => output(json!({"l": input, "r": i})),
            Does::Recall(ancestor) => output(recalled(self.nodes.get(*ancestor))),
            Does::Around(outer) => output(recalled(self.facts.around.get(&key(*outer)))),
            Does::Item => output(
                json!({"at": self.facts.item, "item": self.facts.item.map(|item| item + 1), "in": input}),
            ),
            Does::Record => output(json!({"run": self.facts.id, "time": self.facts.time})),
            Does::Choose(condition) => {
                let holds = match condition {
                    Condition::Is(truth) => *truth,
                    Condition::Above(least) => n.is_some_and(|n| n > *least),
                };
                Settled::Output(input, Some(if holds { "true" } else { "false" }))
            }
            Does::Cases { low, mid, has_default } => {
                let below = |bound: i64| n.is_some_and(|n| n < bound);
                let rest = has_default.then_some("high");
                let label = if below(*low) { Some("low") } else { below(*mid).then_some("mid").or(rest) };
                Settled::Output(input, label)
            }
            Does::Fail => self.failed(i, &validation("expression")),
            Does::Mismatch => self.failed(i, &validation("structured_output")),
            Does::Merge(_) | Does::Wait(_) | Does::Return { is_object: false } => output(input),
            Does::Return { is_object: true } => output(json!({"result": input})),
            Does::Call(call) => self.called(i, call, &input),
            Does::Run(sub) => self.ran(i, sub, input),
            Does::Each(each) => self.done_for_each(i, each),
            Does::Ask(_) => self.answered(i),
        }
    }

    /// What people or other runs answered.
    fn answered(&mut self, i: usize) -> Settled {
        match self.told.answers.get(&self.key(i)) {
            None => Settled::Unknown,
            Some(Answer::Output(value)) => {
                let labels = self.shapes[i].does.labels().iter().copied().flatten();
                let decision = value.get("decision").and_then(Value::as_str);
                let label = labels.into_iter().find(|label| decision == Some(label));
                Settled::Output(value.clone(), label)
            }
            Some(Answer::Failure(failure)) => self.failed(i, &engine::error_value(failure)),
        }
    }

    fn ran(&mut self, i: usize, sub: &Sub, input: Value) -> Settled {
        let inputs = match (sub.is_fit, self.facts.item, self.names) {
            (false, _, Names::Deep(_)) => input,
            (false, item, Names::Workflow) => json!(item.map(|item| item + 1)),
            (true, Some(item), Names::Workflow) => json!({"n": item + 1, "in": item}),
            (true, _, _) => json!({"n": self.facts.inputs["n"], "in": input}),
        };
        if sub.is_typed && !inputs["n"].is_i64() {
            self.requests.insert(self.key(i), None);
            return self.failed(i, &validation("invalid_inputs"));
        }
        self.requests.insert(self.key(i), Some(inputs));
        self.answered(i)
    }

    fn done_for_each(&mut self, i: usize, each: &Each) -> Settled {
        let count = each.items(self.facts.inputs["n"].as_i64());
        self.requests.insert(self.key(i), Some((1..=count).collect()));
        if count == 0 {
            return Settled::Output(json!([]), None);
        }
        self.answered(i)
    }

    fn called(&mut self, i: usize, call: &Call, input: &Value) -> Settled {
        if call.is_broken {
            self.requests.insert(self.key(i), None);
            return self.failed(i, &validation("expression"));
        }
        self.requests.insert(self.key(i), Some(self.request(i, call, input)));
        match self.told.answers.get(&self.key(i)) {
            None => Settled::Unknown,
            Some(Answer::Output(_)) if call.mismatches => self.failed(i, &validation("structured_output")),
            Some(Answer::Output(value)) => Settled::Output(value.clone(), None),
            Some(Answer::Failure(failure)) => self.failed(i, &engine::error_value(failure)),
        }
    }

    fn request(&self, i: usize, call: &Call, input: &Value) -> Value {
        let n = self.facts.inputs["n"].as_i64().map(|n| n.to_string()).unwrap_or_default();
        let url = format!("https://example.com/{i}/{n}");
        if call.posts {
            json!({"url": url, "method": "PUT", "body": {"in": input}})
        } else {
            json!({"url": url, "query": {"in": input}})
        }
    }

    fn failed(&mut self, i: usize, error: &Value) -> Settled {
        let goes_on = |child: &Shape| child.edges.contains(&(i, Some("error")));
        match self.shapes[i].on_error {
            OnError::Continue => return Settled::Output(json!(i), None),
            OnError::Branch if self.shapes.iter().any(goes_on) => {}
            OnError::Branch | OnError::Fail => self.fatal.push(self.key(i)),
        }
        Settled::Error(error.clone())
    }

    /// The `return` that ran; an object of several; where none did, the same of the leaves that succeeded.
    fn result(&self) -> Value {
        let outputs = |wanted: &dyn Fn(usize) -> bool| -> Map<String, Value> {
            let places = (0..self.shapes.len()).filter(|i| wanted(*i));
            let output = |i: usize| match &self.nodes[i] {
                Settled::Output(value, _) => Some((self.key(i).to_string(), value.clone())),
                _ => None,
            };
            places.filter_map(output).collect()
        };
        let mut found = outputs(&|i| matches!(self.shapes[i].does, Does::Return { .. }));
        if found.is_empty() {
            found = outputs(&|i| !self.shapes.iter().any(|child| child.edges.iter().any(|edge| edge.0 == i)));
        }
        match found.len() {
            0 => Value::Null,
            1 => found.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
            _ => Value::Object(found),
        }
    }

    /// What live edges make of a `merge`.
    fn joined(&self, join: Join, live: &[Live]) -> Value {
        match join {
            Join::Any => live.iter().min_by_key(|edge| edge.0).map(|edge| edge.2.clone()).unwrap_or_default(),
            Join::Append => {
                let flat = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                live.iter().flat_map(|edge| flat(&edge.2)).collect()
            }
            Join::Object => {
                let of = |parent: usize| -> Value {
                    let edges: Vec<_> = live.iter().filter(|edge| edge.0 == parent).collect();
                    match edges.as_slice() {
                        [single] => single.2.clone(),
                        several => several
                            .iter()
                            .map(|edge| (edge.1.unwrap_or_default().to_owned(), edge.2.clone()))
                            .collect(),
                    }
                };
                live.iter().map(|edge| (self.key(edge.0).to_string(), of(edge.0))).collect()
            }
        }
    }
}

/// How an output looks to an expression that reads it.
fn recalled(settled: Option<&Settled>) -> Value {
    match settled {
        Some(Settled::Output(value, _) | Settled::Error(value)) => json!({"of": value}),
        _ => json!({}),
    }
}
