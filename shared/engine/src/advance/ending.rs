//! The ends of a run, and its result.

use std::ops::Range;

use domain::{Failure, NodeKey, OnFailure, RunStatus};
use serde_json::{Map, Value, json};

use super::transition::Transition;
use crate::{NodeState, Plan, ResultSource, Run, RunError, Values, nodes::ItemError};

impl Transition<'_> {
    /// A failure that no node handles: the end of its item in a chunk that bears it, of the run, or only of what depends on it.
    pub(super) fn fail_branch(&mut self, node: usize, failure: Failure) {
        let bears_it = self.plan.items().map(|items| items.on_error != ItemError::Fail);
        match (bears_it, self.plan.version().settings.on_failure) {
            (Some(true), _) => self.cancel_open(self.plan.copy_of(node)),
            (None, OnFailure::FinishBranches) => {
                let error = RunError { node: Some(self.key(node)), failure };
                self.run.error.get_or_insert(error);
            }
            (Some(false), _) | (None, OnFailure::FailFast) => self.end_failed(Some(node), failure),
        }
    }

    /// What has not ended never starts. The failure of a node that came first stays the run's.
    pub(super) fn end_failed(&mut self, node: Option<usize>, failure: Failure) {
        let node = node.map(|node| self.key(node));
        self.run.error.get_or_insert(RunError { node, failure });
        self.end(RunStatus::Failed);
    }

    /// Someone asked for it.
    pub(super) fn end_cancelled(&mut self) {
        self.run.error = None;
        self.end(RunStatus::Cancelled);
    }

    /// Success, once every node is settled; or the failure that the other branches were to finish after.
    pub(super) fn end_if_settled(&mut self) {
        if self.has_ended() || !(0..self.plan.len()).all(|node| self.is_settled(node)) {
            return;
        }
        if self.run.error.is_some() {
            return self.end(RunStatus::Failed);
        }
        self.run.result = Some(self.result_source());
        self.end(RunStatus::Succeeded);
    }

    fn end(&mut self, status: RunStatus) {
        self.run.status = status;
        self.run.finished_on = Some(self.moment.now);
        self.cancel_open(0..self.plan.len());
    }

    fn cancel_open(&mut self, nodes: Range<usize>) {
        for node in nodes {
            if !self.is_settled(node) {
                self.cancel(node);
            }
        }
    }

    fn result_source(&self) -> ResultSource {
        if self.plan.is_chunk() {
            return ResultSource::Items;
        }
        let mut keys: Vec<_> = sources(self.plan, &self.run, 0..self.plan.len())
            .into_iter()
            .map(|node| self.key(node))
            .collect();
        if keys.len() == 1 { ResultSource::Node(keys.remove(0)) } else { ResultSource::Object(keys) }
    }
}

/// The nodes whose outputs make a result: the `return`s that ran; where none did, the leaves that succeeded.
fn sources(plan: &Plan, run: &Run, nodes: Range<usize>) -> Vec<usize> {
    let succeeded =
        |node: &usize| matches!(run.nodes.get(plan.key(*node)), Some(NodeState::Succeeded { .. }));
    let is_return = |node: &usize| !plan.at(*node).node_type.arity().continues;
    let is_leaf = |node: &usize| plan.at(*node).outgoing.is_empty();
    let returns: Vec<_> = nodes.clone().filter(is_return).filter(succeeded).collect();
    if returns.is_empty() { nodes.filter(is_leaf).filter(succeeded).collect() } else { returns }
}

/// The result of a run that succeeded, composed from its step outputs; None otherwise, and where `values`
/// lacks the output of the one node that gives it. An object of no node at all is null: the run ended well
/// and gives nothing. What a chunk comes to is told by [`item_results`].
pub fn run_result(run: &Run, values: &Values) -> Option<Value> {
    let output = |key: &NodeKey| values.outputs.get(key).map(|value| Value::clone(value));
    match run.result.as_ref()? {
        ResultSource::Node(key) => output(key),
        ResultSource::Object(keys) if keys.is_empty() => Some(Value::Null),
        ResultSource::Object(keys) => {
            let outputs: Option<Map<_, _>> =
                keys.iter().map(|key| Some((key.as_str().to_owned(), output(key)?))).collect();
            outputs.map(Value::Object)
        }
        ResultSource::Items => None,
    }
}

/// What the items of a chunk that succeeded come to, in their order, as its `for_each` hands them on: results, and errors where it
/// collects them.
pub fn item_results(plan: &Plan, run: &Run, values: &Values) -> Vec<Value> {
    let on_error = plan.items().map_or(ItemError::Fail, |items| items.on_error);
    plan.copies().filter_map(|copy| item_result(plan, run, values, on_error, copy)).collect()
}

fn item_result(
    plan: &Plan,
    run: &Run,
    values: &Values,
    on_error: ItemError,
    nodes: Range<usize>,
) -> Option<Value> {
    let output = |node: usize| values.outputs.get(plan.key(node)).map(|value| Value::clone(value));
    let is_failure = |node: &usize| {
        matches!(run.nodes.get(plan.key(*node)), Some(NodeState::Failed { handled: false, .. }))
    };
    if let Some(failed) = nodes.clone().find(is_failure) {
        let error = output(failed).unwrap_or_default();
        return (on_error == ItemError::Collect).then(|| json!({ "error": error }));
    }
    let sources = sources(plan, run, nodes);
    match sources[..] {
        [] => Some(Value::Null),
        [only] => output(only),
        _ => {
            let named = |node: usize| {
                (plan.at(node).document.key.as_str().to_owned(), output(node).unwrap_or_default())
            };
            Some(Value::Object(sources.into_iter().map(named).collect()))
        }
    }
}
