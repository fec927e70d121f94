//! Decisions of people.

use domain::NodeKey;

use super::{Rejected, transition::Transition};
use crate::{Awaited, NodeState, Vote, nodes::approval};

impl Transition<'_> {
    /// Counts a vote; the node goes on once the votes decide.
    pub(super) fn decide(&mut self, key: &NodeKey, vote: Vote) -> Result<(), Rejected> {
        let not_awaited = || Rejected::NotAwaited(key.clone());
        let node = self.plan.find(key).ok_or_else(not_awaited)?;
        let (ended, on) = self.waiting(node).ok_or_else(not_awaited)?;
        let Awaited::Approval { title, mut votes } = on else { return Err(not_awaited()) };
        if votes.iter().any(|earlier| earlier.by == vote.by) {
            return Err(Rejected::DecidedBefore { node: key.clone(), by: vote.by });
        }
        let metadata = &self.plan.at(node).metadata;
        let problems = if vote.approves || !vote.form.is_null() {
            approval::form_problems(metadata, &vote.form)
        } else {
            Vec::new()
        };
        if !problems.is_empty() {
            return Err(Rejected::WrongForm { node: key.clone(), problems });
        }
        votes.push(vote);
        if let Some(output) = approval::decided(metadata, &votes) {
            self.settle(ended, Ok(output));
        } else if let Some(NodeState::Waiting { on, .. }) = self.run.nodes.get_mut(key) {
            *on = Awaited::Approval { title, votes };
        }
        Ok(())
    }
}
