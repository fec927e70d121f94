//! Nodes whose work other runs do: `workflow` and `for_each`.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use domain::{Failure, NodeKey, Timestamp};
use serde_json::{Value, json};

use super::{Rejected, transition::Transition, waiting::Began};
use crate::{
    Awaited, Children, Run, child,
    nodes::{
        Output,
        for_each::{self, Cut},
    },
};

impl Transition<'_> {
    pub(super) fn begin_workflow(&mut self, node: usize) -> Result<Began, Failure> {
        // What can't be evaluated fails here, so that starting the run later can't.
        child::of_workflow(self.plan, &self.run, &self.values, node)?;
        Ok(self.wait_for_children(node, 1, 1))
    }

    pub(super) fn begin_for_each(&mut self, node: usize) -> Result<Began, Failure> {
        let plan_node = self.plan.at(node);
        let items = self.with_context(node, |context| for_each::items(&plan_node.metadata, context))?;
        if items.is_empty() {
            return Ok(Began::Ended(Output::from(json!([]))));
        }
        let cut = Cut::of(&plan_node.metadata, plan_node.body.len());
        Ok(self.wait_for_children(node, cut.chunks(items.len()), cut.open))
    }

    fn wait_for_children(&mut self, node: usize, total: u32, at_once: u32) -> Began {
        let started = total.min(at_once);
        let children = Children { total, started, open: (0..started).collect() };
        self.run.children.insert(self.key(node), children);
        Began::Waits { on: Awaited::Children, until: self.end_of_patience(node) }
    }

    /// How long a node waits for children, where its author says.
    fn end_of_patience(&self, node: usize) -> Option<Timestamp> {
        let timeout_s = self.plan.at(node).document.timeout_s?;
        Some(self.moment.now + TimeDelta::seconds(timeout_s.into()))
    }

    /// Children have ended: others are started in their place, or the node comes to its outcome.
    pub(super) fn children_ended(
        &mut self,
        key: &NodeKey,
        ended: &[u32],
        steps: u32,
        outcome: Option<Result<Arc<Value>, Failure>>,
    ) -> Result<(), Rejected> {
        let stale = || Rejected::Stale { node: key.clone(), attempt: 1 };
        let node = self.plan.find(key).ok_or_else(stale)?;
        let (waited, on) = self.waiting(node).ok_or_else(stale)?;
        let is_complete = is_complete_with(&self.run, key, ended);
        let children =
            self.run.children.get_mut(key).filter(|_| on == Awaited::Children).ok_or_else(stale)?;
        let is_news = !ended.is_empty() && ended.iter().all(|child| children.open.contains(child));
        let is_answer = match &outcome {
            Some(Ok(_)) => is_complete,
            Some(Err(_)) => true,
            None => !is_complete,
        };
        if !is_news || !is_answer {
            return Err(stale());
        }
        for child in ended {
            children.open.remove(child);
            if outcome.is_none() && children.started < children.total {
                children.open.insert(children.started);
                children.started += 1;
            }
        }
        self.run.steps = self.run.steps.saturating_add(steps);
        if let Some(outcome) = outcome {
            self.settle(waited, outcome.map(Output::from));
        }
        Ok(())
    }
}

/// Whether with the end of these children all that a node waits for have ended.
pub fn is_complete_with(run: &Run, node: &NodeKey, ended: &[u32]) -> bool {
    run.children.get(node).is_some_and(|children| {
        let ended: BTreeSet<_> = ended.iter().copied().collect();
        children.started == children.total && children.open.is_subset(&ended)
    })
}
