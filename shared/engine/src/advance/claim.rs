//! Claiming: one effectful node becomes `running` in the same commit that made it ready.

use serde_json::Value;

use super::{Turn, transition::Transition};
use crate::{Attempt, Call, NodeState};

impl Transition<'_> {
    /// Claims a node for the caller's turn, or fails it if its templates can't be evaluated. Whether there
    /// may be more to do: true only after such a failure.
    pub(super) fn claim_or_settle(&mut self) -> bool {
        let Some(turn) = &self.moment.turn else { return false };
        let Some((node, attempt)) = self.candidate(turn) else { return false };
        let plan_node = &self.plan.nodes()[node];
        match self.with_context(node, |context| plan_node.metadata.render(&context.scope())) {
            Ok(config) => {
                let (started_on, lease_until) = (self.moment.now, turn.lease_until);
                self.set(
                    node,
                    NodeState::Running { attempt, started_on, lease_until, claimed_at: self.revision() },
                );
                self.call = Some(self.call_of(node, attempt, config));
                false
            }
            Err(failure) => {
                self.settle(self.ended_at_once(node, attempt), Err(failure));
                true
            }
        }
    }

    /// The node that the turn is for, while it is not settled; else the first that is due. Never one that
    /// takes too long for the caller.
    fn candidate(&self, turn: &Turn) -> Option<(usize, Attempt)> {
        let fits = |node: usize| {
            let attempt = self.due(node)?;
            (self.plan.nodes()[node].timeout_s <= turn.max_timeout_s).then_some((node, attempt))
        };
        match &turn.node {
            Some(key) if !self.run.nodes.get(key).is_some_and(NodeState::is_settled) => {
                fits(self.plan.find(key)?)
            }
            _ => (0..self.plan.nodes().len()).find_map(fits),
        }
    }

    fn call_of(&self, node: usize, attempt: Attempt, config: Value) -> Call {
        let plan_node = &self.plan.nodes()[node];
        Call {
            team_id: self.run.team_id,
            run_id: self.run.id,
            node: plan_node.key.clone(),
            attempt,
            node_type: plan_node.node_type.name().to_owned(),
            config,
            // A node outside `for_each` is its own first and only item.
            idempotency_key: format!("{}:{}:0", self.run.id, plan_node.key),
            timeout_s: plan_node.timeout_s,
        }
    }
}
