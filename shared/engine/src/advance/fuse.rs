//! Fusion: every pure node that is or becomes ready is evaluated in the same advance.

use domain::Failure;

use super::transition::Transition;
use crate::{
    NodeState,
    flow::{self, Readiness},
    nodes::{Context, Output, Pure},
};

impl Transition<'_> {
    /// Looks at every blocked node once, in plan order. Once is enough: parents come before their children,
    /// and what is claimed is settled later.
    pub(super) fn settle_ready(&mut self) {
        for node in 0..self.plan.nodes().len() {
            if self.has_ended() {
                return;
            }
            if self.state(node).is_some() {
                continue;
            }
            match flow::readiness(self.plan, &self.run, node) {
                Readiness::Blocked => {}
                Readiness::Dead => self.set(node, NodeState::Skipped { settled_at: self.revision() }),
                Readiness::Ready => match self.plan.nodes()[node].node_type.as_pure() {
                    None => self.set(node, NodeState::Ready { attempt: 1, not_before: None }),
                    Some(pure) => {
                        let outcome = self.evaluate(node, pure);
                        self.settle(self.ended_at_once(node, 1), outcome);
                    }
                },
            }
        }
    }

    fn evaluate(&self, node: usize, pure: &dyn Pure) -> Result<Output, Failure> {
        self.with_context(node, |context| pure.evaluate(&self.plan.nodes()[node].metadata, context))
    }

    /// Hands the node's context to `work`.
    pub(super) fn with_context<T>(&self, node: usize, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let input = flow::input(self.plan, &self.run, &self.values, node);
        let make_base = || flow::base(self.plan, &self.run, &self.values, node);
        work(&Context::new(&input, &make_base, flow::entropy(self.plan, &self.run, node)))
    }
}
