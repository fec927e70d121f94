//! The ends of a run, and its result.

use domain::{Failure, NodeKey, RunStatus};
use serde_json::{Map, Value};

use super::transition::Transition;
use crate::{NodeState, ResultSource, Run, RunError, Values};

impl Transition<'_> {
    /// A failure that nothing handles: what has not ended never starts.
    pub(super) fn end_failed(&mut self, node: usize, failure: Failure) {
        self.run.error = Some(RunError { node: self.plan.nodes()[node].key.clone(), failure });
        self.end(RunStatus::Failed);
    }

    /// Someone asked for it.
    pub(super) fn end_cancelled(&mut self) {
        self.end(RunStatus::Cancelled);
    }

    /// Success, once every node is settled.
    pub(super) fn end_if_settled(&mut self) {
        let all_settled =
            (0..self.plan.nodes().len()).all(|node| self.state(node).is_some_and(NodeState::is_settled));
        if all_settled && !self.has_ended() {
            self.run.result = Some(self.result_source());
            self.end(RunStatus::Succeeded);
        }
    }

    fn end(&mut self, status: RunStatus) {
        self.run.status = status;
        self.run.finished_on = Some(self.moment.now);
        for node in 0..self.plan.nodes().len() {
            if !self.state(node).is_some_and(NodeState::is_settled) {
                self.set(node, NodeState::Cancelled);
            }
        }
    }

    /// The `return` that ran; an object of several; where none did, the same of the leaves that succeeded.
    fn result_source(&self) -> ResultSource {
        let succeeded = |node: &usize| matches!(self.state(*node), Some(NodeState::Succeeded { .. }));
        let is_return = |node: &usize| !self.plan.nodes()[*node].node_type.arity().continues;
        let is_leaf = |node: &usize| self.plan.nodes()[*node].outgoing.is_empty();
        let keys = |wanted: &dyn Fn(&usize) -> bool| -> Vec<NodeKey> {
            let nodes = (0..self.plan.nodes().len()).filter(|node| wanted(node) && succeeded(node));
            nodes.map(|node| self.plan.nodes()[node].key.clone()).collect()
        };
        let returns = keys(&is_return);
        let mut sources = if returns.is_empty() { keys(&is_leaf) } else { returns };
        if sources.len() == 1 { ResultSource::Node(sources.remove(0)) } else { ResultSource::Object(sources) }
    }
}

/// The result of a run that succeeded, composed from its step outputs; None otherwise, and where `values`
/// lacks the output of the one node that gives it. An object of no node at all is null: the run ended well
/// and gives nothing.
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
    }
}
