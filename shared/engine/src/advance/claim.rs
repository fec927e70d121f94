//! Claiming: effectful nodes become `running` in the same commit that made them ready.

use domain::NodeKey;
use serde_json::Value;

use super::{Decision, Rejected, Turn, transition::Transition};
use crate::{Attempt, Call, NodeState, expr::WithSecrets};

impl Transition<'_> {
    /// Claims nodes for the caller's turn, and fails those whose templates can't be evaluated. Whether there
    /// may be more to do: true only after such a failure.
    pub(super) fn claim_or_settle(&mut self) -> bool {
        let Some(turn) = &self.moment.turn else { return false };
        while self.calls.len() < turn.at_most {
            let Some((node, attempt)) = self.candidate(turn) else { return false };
            match self.with_context(node, |context| self.plan.at(node).metadata.render(&context.scope())) {
                Ok((config, secrets)) => {
                    let (started_on, lease_until) = (self.moment.now, turn.lease_until);
                    let claimed_at = self.revision();
                    self.set(node, NodeState::Running { attempt, started_on, lease_until, claimed_at });
                    self.calls.push(self.call_of(node, attempt, config, secrets));
                }
                Err(failure) => {
                    self.settle(self.ended_at_once(node, attempt), Err(failure));
                    return true;
                }
            }
        }
        false
    }

    /// Holds claims from now on, as if they had just been made. Refused if none of them is held, or there is no time for them.
    pub(super) fn renew_claims(mut self, claims: Vec<(NodeKey, Attempt)>) -> Result<Decision, Rejected> {
        let mut refused = None;
        let mut any_holds = false;
        for (node, attempt) in claims {
            match (self.run.nodes.get_mut(&node), &self.moment.turn) {
                (Some(NodeState::Running { attempt: held, started_on, lease_until, .. }), Some(turn))
                    if *held == attempt =>
                {
                    *started_on = self.moment.now;
                    *lease_until = turn.lease_until;
                    any_holds = true;
                }
                _ => refused = Some(Rejected::Stale { node, attempt }),
            }
        }
        match refused {
            Some(refused) if !any_holds => Err(refused),
            _ => Ok(self.committed()),
        }
    }

    /// The first node that is due, from the one on that the turn is for. Never one that takes too long for the caller.
    fn candidate(&self, turn: &Turn) -> Option<(usize, Attempt)> {
        let nodes = self.plan.len();
        let first = turn.node.as_ref().and_then(|key| self.plan.find(key)).unwrap_or_default();
        (first..nodes).chain(0..first).find_map(|node| {
            let attempt = self.due(node)?;
            (self.plan.at(node).timeout_s <= turn.max_timeout_s).then_some((node, attempt))
        })
    }

    fn call_of(&self, node: usize, attempt: Attempt, config: Value, secrets: Vec<WithSecrets>) -> Call {
        let plan_node = self.plan.at(node);
        Call {
            team_id: self.run.team_id,
            run_id: self.run.id,
            node: self.key(node),
            attempt,
            node_type: plan_node.node_type.name().to_owned(),
            config,
            secrets,
            idempotency_key: self.idempotency_key(node),
            timeout_s: plan_node.timeout_s,
        }
    }

    /// The same on every attempt: `<run>:<node>:<item>`. In a chunk, the run and the node are those of the `for_each`; outside, a node
    /// is its own first and only item.
    fn idempotency_key(&self, node: usize) -> String {
        let key = &self.plan.at(node).document.key;
        match (&self.run.parent, self.plan.item(node)) {
            (Some(parent), Some(item)) => format!("{}:{}.{key}:{item}", parent.run_id, parent.node),
            _ => format!("{}:{key}:0", self.run.id),
        }
    }
}
