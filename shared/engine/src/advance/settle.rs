//! How an attempt ends: success, retry, a failure that something handles, a failure that ends the run.

use std::sync::Arc;

use domain::{ErrorClass, Failure, NodeKey, OnError, Timestamp};
use serde_json::Value;

use super::{Rejected, Settled, backoff, transition::Transition};
use crate::{
    Attempt, Digest, NodeState, Revision, StepRecord,
    nodes::{ERROR, Output, check_size, invalid},
    run::error_value,
};

/// So many workers may be lost while they hold one node; with the last of them it fails with the class
/// `crashed`. Lost attempts do not count as retries.
pub const MAX_CRASHES: u32 = 3;

impl Transition<'_> {
    /// Attempts that a worker had claimed have ended. Refused if none of them is one that runs.
    pub(super) fn settle_claims(&mut self, ended: Vec<Settled>) -> Result<(), Rejected> {
        let mut refused = None;
        let mut any_fits = false;
        for Settled { node: key, attempt, outcome, notes } in ended {
            if self.has_ended() {
                break;
            }
            if let Some(claim) = self.claimed(&key, attempt) {
                self.settle(Ended { notes, ..claim }, outcome.map(Output::from));
                any_fits = true;
            } else {
                refused.get_or_insert(Rejected::Stale { node: key, attempt });
            }
        }
        match refused {
            Some(refused) if !any_fits => Err(refused),
            _ => Ok(()),
        }
    }

    /// An attempt, claimed or waiting, ends as it once did.
    pub(super) fn settle_replayed(
        &mut self,
        key: &NodeKey,
        outcome: Result<Value, Failure>,
        label: Option<String>,
    ) -> Result<(), Rejected> {
        let stale = || Rejected::Stale { node: key.clone(), attempt: 1 };
        let node = self.plan.find(key).ok_or_else(stale)?;
        let ended = match self.state(node) {
            Some(NodeState::Running { attempt, .. }) => self.claimed(key, *attempt),
            _ => self.waiting(node).map(|(ended, _)| ended),
        };
        let ended = ended.ok_or_else(stale)?;
        let outcome = outcome.and_then(|value| self.accept(node, Output { label, ..value.into() }));
        match outcome {
            Ok(accepted) => self.succeed(ended, accepted, None),
            Err(failure) => self.fail_for_good(ended, failure),
        }
        Ok(())
    }

    /// The claim of this attempt, if it is the one that runs.
    fn claimed(&self, key: &NodeKey, attempt: Attempt) -> Option<Ended> {
        let node = self.plan.find(key)?;
        match self.state(node)? {
            NodeState::Running { attempt: held, started_on, claimed_at, .. } if *held == attempt => {
                let (started_on, claimed_at) = (*started_on, *claimed_at);
                Some(Ended { node, attempt, started_on, claimed_at, notes: Vec::new() })
            }
            _ => None,
        }
    }

    /// A claim whose lease has ended was lost with its worker: another attempt, or the end of the node.
    pub(super) fn give_up(&mut self, node: usize) {
        let Some(NodeState::Running { attempt, .. }) = self.state(node) else { return };
        let Some(claim) = self.claimed(&self.key(node), *attempt) else { return };
        *self.run.crashes.entry(self.key(node)).or_default() += 1;
        let failure =
            Failure::new(ErrorClass::Crashed, "lease_expired", "the worker that held the node was lost");
        self.settle(claim, Err(failure));
    }

    /// Takes over what an earlier run has come to.
    pub(super) fn take_over(&mut self, nodes: Vec<(NodeKey, NodeState)>, records: Vec<StepRecord>) {
        let revision = self.revision();
        for record in records {
            if !record.retried
                && let Some(value) = record.value()
            {
                self.values.outputs.insert(record.node.clone(), value);
            }
            self.records.push(StepRecord { claimed_at: revision, settled_at: revision, ..record });
        }
        for (key, state) in nodes {
            self.run.nodes.insert(key, state.settled_again_at(revision));
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
        let (value, digest) = if let Some(given) = self.handed_on(node, &output.value) {
            given
        } else {
            let (digest, bytes) = Digest::and_size_of(&output.value);
            check_size(bytes)?;
            (self.held(output.value), digest)
        };
        if let Some(schema) = &self.plan.at(node).schema {
            let mismatches = schema.mismatches(&value);
            if !mismatches.is_empty() {
                let places: Vec<_> = mismatches
                    .iter()
                    .map(|wrong| format!("`{}`: {}", wrong.pointer, wrong.message))
                    .collect();
                let message = format!("the output does not match structured_output: {}", places.join("; "));
                return Err(invalid("structured_output", message));
            }
        }
        Ok(Accepted { value, digest, label: output.label })
    }

    fn succeed(&mut self, ended: Ended, accepted: Accepted, error: Option<Failure>) {
        let Accepted { value, digest, label } = accepted;
        self.values.outputs.insert(self.key(ended.node), Arc::clone(&value));
        self.set(
            ended.node,
            NodeState::Succeeded {
                attempt: ended.attempt,
                output: digest.clone(),
                settled_at: self.revision(),
                label,
            },
        );
        self.record(ended, digest, Some(value), error, false);
    }

    fn fail(&mut self, ended: Ended, failure: Failure) {
        if let Some(ready) = self.next_attempt(&ended, &failure) {
            self.set(ended.node, ready);
            return self.record(ended, Digest::of(&failure), None, Some(failure), true);
        }
        self.fail_for_good(ended, failure);
    }

    fn fail_for_good(&mut self, ended: Ended, failure: Failure) {
        match &self.plan.at(ended.node).document.on_error {
            OnError::Continue { default } => {
                // Of two workers that settle an attempt with different failures, each writes a record of its own.
                let digest = Digest::of(&(default, &failure));
                let accepted = Accepted { digest, value: Arc::new(default.clone()), label: None };
                self.succeed(ended, accepted, Some(failure));
            }
            OnError::Branch if self.has_error_edge(ended.node) => self.end_with_failure(ended, failure, true),
            OnError::Branch | OnError::Fail => self.end_with_failure(ended, failure, false),
        }
    }

    fn end_with_failure(&mut self, ended: Ended, failure: Failure, handled: bool) {
        let (node, digest) = (ended.node, Digest::of(&failure));
        self.values.outputs.insert(self.key(node), Arc::new(error_value(&failure)));
        self.set(
            node,
            NodeState::Failed {
                attempt: ended.attempt,
                output: digest.clone(),
                settled_at: self.revision(),
                handled,
            },
        );
        self.record(ended, digest, None, Some(failure.clone()), false);
        if !handled {
            self.fail_branch(node, failure);
        }
    }

    /// The state in which the node waits for another attempt, if there is one.
    fn next_attempt(&self, ended: &Ended, failure: &Failure) -> Option<NodeState> {
        if !self.plan.at(ended.node).is_effectful() {
            return None;
        }
        let crashes = self.run.crashes.get(self.plan.key(ended.node)).copied().unwrap_or(0);
        let not_before = match failure.class {
            ErrorClass::Crashed if crashes < MAX_CRASHES => None,
            ErrorClass::Transient => {
                let policy = self.plan.at(ended.node).document.retry.as_ref();
                let failures = ended.attempt.saturating_sub(crashes);
                Some(
                    self.moment.now
                        + backoff::delay(policy, failures, failure.retry_after_s, self.moment.jitter)?,
                )
            }
            ErrorClass::Crashed | ErrorClass::Permanent | ErrorClass::Validation => return None,
        };
        Some(NodeState::Ready { attempt: ended.attempt + 1, not_before })
    }

    fn has_error_edge(&self, node: usize) -> bool {
        self.plan.at(node).outgoing.iter().any(|edge| edge.label.as_deref() == Some(ERROR))
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
            node: self.key(ended.node),
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
