//! Fusion: every pure node that is or becomes ready is evaluated in the same advance.

use std::ops::Range;

use domain::Failure;

use super::transition::Transition;
use crate::{
    NodeState,
    flow::{self, Readiness},
    nodes::{Context, Output, Pure},
};

impl Transition<'_> {
    /// Looks at every blocked node once, in plan order. Once is enough: parents come before their children,
    /// and what is claimed is settled later. In a chunk, items begin in their order, so many at a time as it says.
    pub(super) fn settle_ready(&mut self) {
        let at_once = self.plan.items().map_or(1, |items| items.chunk.at_once.max(1));
        let mut in_work = 0;
        for copy in self.plan.copies() {
            let is_settled = copy.clone().all(|node| self.is_settled(node));
            if is_settled || in_work == at_once {
                continue;
            }
            self.settle_ready_of(copy.clone());
            if self.has_ended() {
                return;
            }
            if !copy.clone().all(|node| self.is_settled(node)) {
                in_work += 1;
            }
        }
    }

    fn settle_ready_of(&mut self, copy: Range<usize>) {
        for node in copy {
            if self.has_ended() {
                return;
            }
            if self.state(node).is_some() {
                continue;
            }
            match flow::readiness(self.plan, &self.run, node) {
                Readiness::Blocked => {}
                Readiness::Dead => self.set(node, NodeState::Skipped { settled_at: self.revision() }),
                Readiness::Broken => self.cancel(node),
                Readiness::Ready => self.begin(node),
            }
        }
    }

    fn begin(&mut self, node: usize) {
        let node_type = self.plan.at(node).node_type;
        if let Some(pure) = node_type.as_pure() {
            let Some(others) = self.fused.checked_sub(1) else { return };
            self.fused = others;
            let outcome = self.evaluate(node, pure);
            self.settle(self.ended_at_once(node, 1), outcome);
        } else if let Some(control) = node_type.control() {
            self.begin_waiting(node, control);
        } else {
            self.set(node, NodeState::Ready { attempt: 1, not_before: None });
        }
    }

    fn evaluate(&self, node: usize, pure: &dyn Pure) -> Result<Output, Failure> {
        self.with_context(node, |context| pure.evaluate(&self.plan.at(node).metadata, context))
    }

    /// Hands the node's context to `work`.
    pub(super) fn with_context<T>(&self, node: usize, work: impl FnOnce(&Context<'_>) -> T) -> T {
        flow::with_context(self.plan, &self.run, &self.values, node, work)
    }
}
