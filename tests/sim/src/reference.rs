//! A naive interpreter: the same graph, node by node in the order of the document, in memory, without engine and expressions.
//! What an effect came to is told to it; everything else it finds out by itself.

use std::collections::BTreeMap;

use domain::{Failure, NodeKey};
use serde_json::{Map, Value, json};

use crate::graphs::{Call, Condition, Does, Edge, Join, OnError, Shape, key};

/// What a run is about, besides its graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its inputs.
    pub inputs: Value,
    /// Its id, as expressions see it.
    pub id: String,
    /// Its start, as expressions see it.
    pub time: String,
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
    /// What each call whose input is known must have been asked for; None where a template of it fails.
    pub requests: BTreeMap<NodeKey, Option<Value>>,
}

/// Plays a graph through. `answers` are those of the calls that came to an end.
pub fn play(shapes: &[Shape], facts: &Facts, answers: &BTreeMap<NodeKey, Answer>) -> Ending {
    let mut play =
        Play { shapes, facts, answers, nodes: Vec::new(), fatal: Vec::new(), requests: BTreeMap::new() };
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
    shapes: &'a [Shape],
    facts: &'a Facts,
    answers: &'a BTreeMap<NodeKey, Answer>,
    nodes: Vec<Settled>,
    fatal: Vec<NodeKey>,
    requests: BTreeMap<NodeKey, Option<Value>>,
}

/// A live edge: its parent, its label, and what it hands on.
type Live = (usize, Option<&'static str>, Value);

impl Play<'_> {
    fn node(&mut self, i: usize) -> Settled {
        let edges = &self.shapes[i].edges;
        if edges.iter().any(|(parent, _)| self.nodes[*parent] == Settled::Unknown) {
            return Settled::Unknown;
        }
        let live: Vec<Live> =
            edges.iter().filter_map(|edge| Some((edge.0, edge.1, self.carried(*edge)?))).collect();
        if live.is_empty() && !edges.is_empty() {
            return Settled::Skipped;
        }
        let input = match &self.shapes[i].does {
            _ if edges.is_empty() => self.facts.inputs.clone(),
            Does::Merge(join) => joined(*join, &live),
            _ => live[0].2.clone(),
        };
        self.evaluated(i, input)
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
        let n = self.facts.inputs["n"].as_i64().unwrap_or_default();
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
            Does::Recall(ancestor) => output(match &self.nodes[*ancestor] {
                Settled::Output(value, _) | Settled::Error(value) => json!({"of": value}),
                Settled::Skipped | Settled::Unknown => json!({}),
            }),
            Does::Record => output(json!({"run": self.facts.id, "time": self.facts.time})),
            Does::Choose(condition) => {
                let holds = match condition {
                    Condition::Is(truth) => *truth,
                    Condition::Above(least) => n > *least,
                };
                Settled::Output(input, Some(if holds { "true" } else { "false" }))
            }
            Does::Cases { low, mid, has_default } => {
                let rest = has_default.then_some("high");
                let label = if n < *low { Some("low") } else { (n < *mid).then_some("mid").or(rest) };
                Settled::Output(input, label)
            }
            Does::Fail => self.failed(i, &validation("expression")),
            Does::Mismatch => self.failed(i, &validation("structured_output")),
            Does::Merge(_) | Does::Wait(_) | Does::Return { is_object: false } => output(input),
            Does::Return { is_object: true } => output(json!({"result": input})),
            Does::Call(call) => self.called(i, call, &input),
        }
    }

    fn called(&mut self, i: usize, call: &Call, input: &Value) -> Settled {
        if call.is_broken {
            self.requests.insert(key(i), None);
            return self.failed(i, &validation("expression"));
        }
        self.requests.insert(key(i), Some(self.request(i, call, input)));
        match self.answers.get(&key(i)) {
            None => Settled::Unknown,
            Some(Answer::Output(_)) if call.mismatches => self.failed(i, &validation("structured_output")),
            Some(Answer::Output(value)) => Settled::Output(value.clone(), None),
            Some(Answer::Failure(failure)) => self.failed(i, &engine::error_value(failure)),
        }
    }

    fn request(&self, i: usize, call: &Call, input: &Value) -> Value {
        let url = format!("https://example.com/{i}/{}", self.facts.inputs["n"]);
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
            OnError::Branch | OnError::Fail => self.fatal.push(key(i)),
        }
        Settled::Error(error.clone())
    }

    /// The `return` that ran; an object of several; where none did, the same of the leaves that succeeded.
    fn result(&self) -> Value {
        let outputs = |wanted: &dyn Fn(usize) -> bool| -> Map<String, Value> {
            let places = (0..self.shapes.len()).filter(|i| wanted(*i));
            let output = |i: usize| match &self.nodes[i] {
                Settled::Output(value, _) => Some((key(i).to_string(), value.clone())),
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
}

/// What live edges make of a `merge`.
fn joined(join: Join, live: &[Live]) -> Value {
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
            live.iter().map(|edge| (key(edge.0).to_string(), of(edge.0))).collect()
        }
    }
}

/// What the failure of an expression or a schema looks like once its message was [blanked](blanked).
fn validation(code: &str) -> Value {
    json!({"class": "validation", "code": code, "message": ""})
}

/// A value in which the messages of validation errors are empty: their wording is the engine's own affair.
pub fn blanked(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(blanked).collect(),
        Value::Object(object) => {
            let is_error =
                object.len() == 3 && object.get("class").is_some_and(|class| class == "validation");
            let blank = |(name, value): (&String, &Value)| {
                let value = if is_error && name == "message" { json!("") } else { blanked(value) };
                (name.clone(), value)
            };
            object.iter().map(blank).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use domain::ErrorClass;

    use super::*;
    use crate::graphs::Temper;

    fn shape(does: Does, edges: &[Edge]) -> Shape {
        Shape { does, on_error: OnError::Branch, edges: edges.to_vec() }
    }

    fn call() -> Does {
        let (posts, is_broken, mismatches) = (false, false, false);
        Does::Call(Call {
            posts,
            temper: Temper::Steady,
            timeout_s: None,
            retry: None,
            is_broken,
            mismatches,
        })
    }

    fn played(shapes: &[Shape], answers: &[(usize, Answer)]) -> Ending {
        let facts = Facts { inputs: json!({"n": 3}), id: "r".into(), time: "t".into() };
        play(shapes, &facts, &answers.iter().map(|(i, answer)| (key(*i), answer.clone())).collect())
    }

    /// A choice with a branch each way, and a merge of both.
    fn diamond() -> Vec<Shape> {
        vec![
            shape(Does::Choose(Condition::Above(2)), &[]),
            shape(Does::Pair, &[(0, Some("true"))]),
            shape(Does::Wrap, &[(0, Some("false"))]),
            shape(Does::Merge(Join::Object), &[(1, None), (2, None)]),
        ]
    }

    #[test]
    fn only_the_chosen_branch_is_merged() {
        let ending = played(&diamond(), &[]);
        assert_eq!(ending.nodes[2], Settled::Skipped);
        assert_eq!(ending.result, Some(json!({"n1": [{"n": 3}, 1]})));
    }

    #[test]
    fn a_call_without_an_answer_leaves_what_follows_unknown() {
        let shapes = [shape(call(), &[]), shape(Does::Wrap, &[(0, None)])];
        let ending = played(&shapes, &[]);
        assert_eq!((&ending.nodes[1], &ending.result), (&Settled::Unknown, &None));
        let request = json!({"url": "https://example.com/0/3", "query": {"in": {"n": 3}}});
        assert_eq!(ending.requests[&key(0)], Some(request));
        assert_eq!(played(&shapes, &[(0, Answer::Output(json!(5)))]).result, Some(json!({"k": 1, "in": 5})));
    }

    #[test]
    fn a_failure_takes_its_error_edge_or_is_fatal() {
        let failure = Failure::new(ErrorClass::Permanent, "http_status", "404");
        let answers = [(0, Answer::Failure(failure))];
        let handled = played(&[shape(call(), &[]), shape(Does::Pair, &[(0, Some("error"))])], &answers);
        let error = json!({"class": "permanent", "code": "http_status", "message": "404"});
        assert_eq!(handled.result, Some(json!([error, 1])));
        let fatal = played(&[shape(call(), &[]), shape(Does::Pair, &[(0, None)])], &answers);
        assert_eq!((fatal.fatal, fatal.result), (vec![key(0)], None));
    }
}
