//! How an attempt ends: success, retry, a failure that something handles, a failure that ends the run.

use std::sync::Arc;

use domain::{ErrorClass, Failure, NodeKey, OnError, Timestamp};
use serde_json::Value;

use super::{Rejected, retry, transition::Transition};
use crate::{
    Attempt, Digest, NodeState, Revision, StepRecord,
    nodes::{ERROR, Output, check_size, invalid},
    run::error_value,
};

/// So many workers may be lost while they hold one node; with the last of them it fails with the class
/// `crashed`. Lost attempts do not count as retries.
pub const MAX_CRASHES: u32 = 3;

impl Transition<'_> {
    /// An attempt that a worker had claimed has ended.
    pub(super) fn settle_claim(
        &mut self,
        key: &NodeKey,
        attempt: Attempt,
        outcome: Result<Value, Failure>,
        notes: Vec<String>,
    ) -> Result<(), Rejected> {
        let held = self.plan.find(key).and_then(|node| match self.state(node) {
            Some(NodeState::Running { attempt: held, started_on, claimed_at, .. }) if *held == attempt => {
                Some((node, *started_on, *claimed_at))
            }
            _ => None,
        });
        let Some((node, started_on, claimed_at)) = held else {
            return Err(Rejected::Stale { node: key.clone(), attempt });
        };
        self.settle(Ended { node, attempt, started_on, claimed_at, notes }, outcome.map(Output::from));
        Ok(())
    }

    /// Claims whose lease has ended were lost with their worker: another attempt, or the end of the node.
    pub(super) fn give_up_lost_claims(&mut self) {
        for node in 0..self.plan.nodes().len() {
            let Some(NodeState::Running { attempt, started_on, lease_until, claimed_at }) =
                self.state(node).cloned()
            else {
                continue;
            };
            if self.has_ended() || self.moment.now < lease_until {
                continue;
            }
            let key = self.plan.nodes()[node].key.clone();
            *self.run.crashes.entry(key).or_default() += 1;
            let failure =
                Failure::new(ErrorClass::Crashed, "lease_expired", "the worker that held the node was lost");
            self.settle(Ended { node, attempt, started_on, claimed_at, notes: Vec::new() }, Err(failure));
        }
    }

    /// Records the end of an attempt and moves the node on.
    pub(super) fn settle(&mut self, ended: Ended, outcome: Result<Output, Failure>) {
        match outcome.and_then(|output| self.accept(ended.node, output)) {
            Ok(accepted) => self.succeed(ended, accepted, None),
            Err(failure) => self.fail(ended, failure),
        }
    }

    /// Checks an output against the node's size limit and `structured_output`.
    fn accept(&self, node: usize, output: Output) -> Result<Accepted, Failure> {
        let (digest, bytes) = Digest::and_size_of(&output.value);
        check_size(bytes)?;
        if let Some(schema) = &self.plan.nodes()[node].schema {
            let mismatches = schema.mismatches(&output.value);
            if !mismatches.is_empty() {
                let places: Vec<_> = mismatches
                    .iter()
                    .map(|wrong| format!("`{}`: {}", wrong.pointer, wrong.message))
                    .collect();
                let message = format!("the output does not match structured_output: {}", places.join("; "));
                return Err(invalid("structured_output", message));
            }
        }
        Ok(Accepted { value: Arc::new(output.value), digest, label: output.label })
    }

    fn succeed(&mut self, ended: Ended, accepted: Accepted, error: Option<Failure>) {
        let Accepted { value, digest, label } = accepted;
        self.values.outputs.insert(self.plan.nodes()[ended.node].key.clone(), Arc::clone(&value));
        self.set(ended.node, NodeState::Succeeded { attempt: ended.attempt, output: digest.clone(), label });
        self.record(ended, digest, Some(value), error, false);
    }

    fn fail(&mut self, ended: Ended, failure: Failure) {
        if let Some(ready) = self.next_attempt(&ended, &failure) {
            self.set(ended.node, ready);
            return self.record(ended, Digest::of(&failure), None, Some(failure), true);
        }
        match &self.plan.document(ended.node).on_error {
            OnError::Continue { default } => {
                let accepted =
                    Accepted { digest: Digest::of(default), value: Arc::new(default.clone()), label: None };
                self.succeed(ended, accepted, Some(failure));
            }
            OnError::Branch if self.has_error_edge(ended.node) => self.end_with_failure(ended, failure, true),
            OnError::Branch | OnError::Fail => self.end_with_failure(ended, failure, false),
        }
    }

    fn end_with_failure(&mut self, ended: Ended, failure: Failure, handled: bool) {
        let (node, digest) = (ended.node, Digest::of(&failure));
        self.values.outputs.insert(self.plan.nodes()[node].key.clone(), Arc::new(error_value(&failure)));
        self.set(node, NodeState::Failed { attempt: ended.attempt, output: digest.clone(), handled });
        self.record(ended, digest, None, Some(failure.clone()), false);
        if !handled {
            self.end_failed(node, failure);
        }
    }

    /// The state in which the node waits for another attempt, if there is one.
    fn next_attempt(&self, ended: &Ended, failure: &Failure) -> Option<NodeState> {
        let crashes = self.run.crashes.get(&self.plan.nodes()[ended.node].key).copied().unwrap_or(0);
        let not_before = match failure.class {
            ErrorClass::Crashed if crashes < MAX_CRASHES => None,
            ErrorClass::Transient => {
                let policy = self.plan.document(ended.node).retry.as_ref();
                let failures = ended.attempt.saturating_sub(crashes);
                Some(
                    self.moment.now
                        + retry::delay(policy, failures, failure.retry_after_s, self.moment.jitter)?,
                )
            }
            ErrorClass::Crashed | ErrorClass::Permanent | ErrorClass::Validation => return None,
        };
        Some(NodeState::Ready { attempt: ended.attempt + 1, not_before })
    }

    fn has_error_edge(&self, node: usize) -> bool {
        self.plan.nodes()[node].outgoing.iter().any(|edge| edge.label.as_deref() == Some(ERROR))
    }

    fn record(
        &mut self,
        ended: Ended,
        digest: Digest,
        output: Option<Arc<Value>>,
        error: Option<Failure>,
        retried: bool,
    ) {
        self.records.push(StepRecord {
            node: self.plan.nodes()[ended.node].key.clone(),
            attempt: ended.attempt,
            digest,
            output,
            error,
            started_on: ended.started_on,
            finished_on: self.moment.now,
            claimed_at: ended.claimed_at,
            settled_at: self.revision(),
            retried,
            notes: ended.notes,
        });
    }
}

/// An attempt that has ended.
pub(super) struct Ended {
    pub(super) node: usize,
    pub(super) attempt: Attempt,
    pub(super) started_on: Timestamp,
    pub(super) claimed_at: Revision,
    pub(super) notes: Vec<String>,
}

/// An output that passed its checks.
struct Accepted {
    value: Arc<Value>,
    digest: Digest,
    label: Option<String>,
}
