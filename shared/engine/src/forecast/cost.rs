//! What one node takes when it runs once.

use domain::{Node, RetryPolicy};

use super::Amount;
use crate::{
    MAX_CRASHES,
    nodes::{Control, Group, Metadata, NodeType, approval, wait},
    run::LONGEST_RUN,
    validate::MAX_DELAY_S,
};

/// Seconds that one attempt may take where the node does not say, and retries where it does not.
const DEFAULT_TIMEOUT_S: u32 = 30;
const DEFAULT_RETRIES: u32 = 3;

/// The most milliseconds that a worker is busy with a data step, as a rule.
const STEP_MS: u64 = 100;

/// What a part of a run takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// Attempts of nodes, as the limit on steps counts them.
    pub(super) steps: Amount,
    /// Calls of those outside.
    pub(super) calls: Amount,
    /// Messages.
    pub(super) messages: Amount,
    /// Writes of the control item.
    pub(super) commits: Amount,
    /// Tokens of models.
    pub(super) tokens: Amount,
    /// Runs of other workflows and of chunks.
    pub(super) children: Amount,
    /// Milliseconds that a worker is busy or waits for those outside.
    pub(super) busy_ms: Amount,
    /// Milliseconds from its start to its end.
    pub(super) latency_ms: Amount,
}

impl Cost {
    /// One after the other.
    pub(super) fn plus(self, other: Self) -> Self {
        self.combined(other, Amount::plus)
    }

    /// The one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        self.combined(other, Amount::or)
    }

    pub(super) fn perhaps(self) -> Self {
        self.combined(Self::default(), Amount::or)
    }

    fn combined(self, other: Self, with: fn(Amount, Amount) -> Amount) -> Self {
        Self {
            steps: with(self.steps, other.steps),
            calls: with(self.calls, other.calls),
            messages: with(self.messages, other.messages),
            commits: with(self.commits, other.commits),
            tokens: with(self.tokens, other.tokens),
            children: with(self.children, other.children),
            busy_ms: with(self.busy_ms, other.busy_ms),
            latency_ms: with(self.latency_ms, other.latency_ms),
        }
    }

    /// For each of so many.
    pub(super) fn times(self, times: Amount) -> Self {
        Self {
            steps: self.steps.times(times),
            calls: self.calls.times(times),
            messages: self.messages.times(times),
            commits: self.commits.times(times),
            tokens: self.tokens.times(times),
            children: self.children.times(times),
            busy_ms: self.busy_ms.times(times),
            latency_ms: self.latency_ms.times(times),
        }
    }
}

/// What a node takes by itself; what its body or its run takes comes on top.
pub(super) fn of(node: &Node, node_type: &dyn NodeType, metadata: &Metadata, pause_s: Option<f64>) -> Cost {
    let busy_ms = Amount::between(0, STEP_MS);
    let one = Cost { steps: Amount::exactly(1), busy_ms, ..Cost::default() };
    match (node_type.as_pure(), node_type.control()) {
        (Some(_), _) => Cost { latency_ms: busy_ms, ..one },
        (None, None) => effect(node, node_type),
        (None, Some(control)) => {
            // A node that waits is moved on by one message and commit or more.
            let moved = Amount::between(0, 4);
            let latency_ms = patience(control, node, metadata, pause_s);
            Cost { messages: moved, commits: Amount::between(1, 4), latency_ms, ..one }
        }
    }
}

/// An attempt may be lost with its worker, and a transient failure is tried again. Each is announced by a message, and looked after by one
/// more when its lease is over; each is claimed and settled by commits.
fn effect(node: &Node, node_type: &dyn NodeType) -> Cost {
    let retries = node.retry.as_ref().map_or(DEFAULT_RETRIES, |policy| policy.max_retries);
    let attempts = u64::from(1 + retries + (MAX_CRASHES - 1));
    let timeout_s = u64::from(node.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S));
    let waits_s = u64::from(retries) * u64::from(MAX_DELAY_S.max(longest_delay(node.retry.as_ref())));
    Cost {
        steps: Amount::between(1, attempts),
        calls: Amount::between(1, attempts),
        messages: Amount::between(0, 2 * attempts),
        commits: Amount::between(0, 2 * attempts),
        tokens: tokens(node_type),
        children: Amount::default(),
        busy_ms: Amount::between(0, attempts * timeout_s * 1000),
        latency_ms: Amount::between(0, (attempts * timeout_s + waits_s) * 1000),
    }
}

fn longest_delay(policy: Option<&RetryPolicy>) -> u32 {
    policy.and_then(|policy| policy.delays_s.as_ref()?.iter().max().copied()).unwrap_or(0)
}

/// What a model reads and writes is not known before it does.
fn tokens(node_type: &dyn NodeType) -> Amount {
    if node_type.group() == Group::Ai { Amount { min: 0, max: None } } else { Amount::default() }
}

/// How long a node waits.
fn patience(control: Control, node: &Node, metadata: &Metadata, pause_s: Option<f64>) -> Amount {
    let longest_ms = u64::try_from(LONGEST_RUN.num_milliseconds()).unwrap_or(u64::MAX);
    let seconds = |seconds: Option<u64>| seconds.map_or(longest_ms, |seconds| seconds * 1000);
    match control {
        Control::Wait => pause_s.map_or(Amount::between(0, longest_ms), |pause_s| {
            Amount::exactly(wait::to_ms(pause_s).unsigned_abs())
        }),
        Control::Approval => {
            Amount::between(0, seconds(approval::timeout_s(metadata).map(i64::unsigned_abs)))
        }
        Control::Workflow | Control::ForEach => Amount::between(0, seconds(node.timeout_s.map(u64::from))),
    }
}
