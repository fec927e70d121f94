//! Rules of one commit: the control state before and after it, and the records beside it.

use std::collections::BTreeSet;

use app::loaded::names;
use domain::{ErrorClass, NodeKey, RunStatus};
use engine::{Awaited, NodeState, Run, StepRecord};

use super::{Rule, Violation};

/// Every rule that a commit breaks, which takes over `kept` from an earlier run.
pub fn check(before: &Run, after: &Run, records: &[StepRecord], kept: &BTreeSet<NodeKey>) -> Vec<Violation> {
    let mut commit = Commit { before, after, records, kept, found: Vec::new() };
    commit.check_run();
    commit.check_form();
    let nodes = before.nodes.keys().chain(after.nodes.keys().filter(|key| !before.nodes.contains_key(*key)));
    for key in nodes.filter(|key| !kept.contains(*key)) {
        commit.check_node(key);
    }
    commit.check_records();
    commit.found
}

struct Commit<'a> {
    before: &'a Run,
    after: &'a Run,
    records: &'a [StepRecord],
    kept: &'a BTreeSet<NodeKey>,
    found: Vec<Violation>,
}

impl Commit<'_> {
    fn expect(&mut self, holds: bool, rule: Rule, story: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Violation::new(rule, story()));
        }
    }

    fn check_run(&mut self) {
        let (before, after) = (self.before, self.after);
        // But that nobody looks at it any more.
        let closed = Run { revision: before.revision + 1, next_check_on: None, ..before.clone() };
        let is_closed = before.next_check_on.is_some() && *after == closed;
        self.expect(!before.status.is_terminal() || is_closed, Rule::EndsOnce, || {
            format!("it was {:?} at revision {} and was committed again", before.status, before.revision)
        });
        let is_next = after.revision == before.revision + 1;
        self.expect(is_next, Rule::ControlState, || {
            format!("revision {} follows {}", after.revision, before.revision)
        });
        let facts = |run: &Run| {
            (run.id, run.team_id, run.workflow_id, run.version_id, run.created_on, run.trigger.clone())
        };
        self.expect(facts(before) == facts(after), Rule::ControlState, || {
            format!("{:?} became {:?}", facts(before), facts(after))
        });
    }

    fn check_form(&mut self) {
        let run = self.after;
        let has_ended = run.status.is_terminal();
        let is_whole = run.finished_on.is_some() == has_ended
            && (run.next_check_on.is_some() || has_ended)
            && run.result.is_some() == (run.status == RunStatus::Succeeded)
            // While it is open, it may be the one that other branches are to finish before.
            && (!has_ended || run.error.is_some() == (run.status == RunStatus::Failed))
            && (!has_ended || run.nodes.values().all(NodeState::is_settled));
        self.expect(is_whole, Rule::ControlState, || format!("{run:#?}"));
    }

    fn check_node(&mut self, key: &NodeKey) {
        let (before, after) = (self.before.nodes.get(key), self.after.nodes.get(key));
        let story = || format!("{key}: {before:?} became {after:?}");
        if before == after {
            return;
        }
        let Some(after) = after else { return self.expect(false, Rule::LifeOfANode, story) };
        if before.is_some_and(NodeState::is_settled) {
            return self.expect(false, Rule::SettlesOnce, story);
        }
        let follows = match (before.and_then(attempt_of), attempt_of(after)) {
            (Some(was), Some(is)) => is == was || (is == was + 1 && self.gives_up(key, was)),
            (None, Some(is)) => is == 1,
            (_, None) => true,
        };
        let fits = match (before, after) {
            // In a run that goes on: what comes after a failure never begins, and an item that failed goes no further.
            (before, NodeState::Cancelled { .. }) => {
                self.after.status.is_terminal() || before.is_none() || self.after.is_chunk()
            }
            (
                Some(NodeState::Ready { not_before: Some(start), .. }),
                NodeState::Running { started_on, .. },
            ) => start <= started_on,
            // A claim that grew old before its call began is renewed.
            (
                Some(NodeState::Running { attempt: was, started_on: before, .. }),
                NodeState::Running { attempt: is, started_on, .. },
            ) => is != was || started_on > before,
            (Some(NodeState::Waiting { on: before, .. }), NodeState::Waiting { on, .. }) => {
                adds_votes(before, on)
            }
            (Some(NodeState::Running { .. }), NodeState::Ready { .. }) => {
                attempt_of(after) != before.and_then(attempt_of)
            }
            (Some(_), NodeState::Skipped { .. })
            | (Some(NodeState::Ready { .. }), NodeState::Ready { .. }) => false,
            _ => true,
        };
        self.expect(follows && fits, Rule::LifeOfANode, story);
    }

    /// Whether a record says that another attempt follows this one.
    fn gives_up(&self, key: &NodeKey, attempt: engine::Attempt) -> bool {
        self.records.iter().any(|record| record.node == *key && record.attempt == attempt && record.retried)
    }

    fn check_records(&mut self) {
        for record in self.records.iter().filter(|record| !self.kept.contains(&record.node)) {
            let key = &record.node;
            let before = self.before.nodes.get(key);
            let story = || format!("{record:?} beside {before:?}");
            let lease = match before {
                Some(NodeState::Running { lease_until, .. }) => Some(*lease_until),
                _ => None,
            };
            let is_settled = names(self.after, record);
            self.expect(record.retried != is_settled, Rule::SettlesOnce, story);
            // What other runs came to by a crash is told as it is, whatever became of their leases.
            let was_claimed = matches!(before, Some(NodeState::Running { .. }));
            let is_lost =
                record.error.as_ref().is_some_and(|error| error.class == ErrorClass::Crashed) && was_claimed;
            let is_over = lease.is_some_and(|lease| lease <= record.finished_on);
            self.expect(!is_lost || is_over, Rule::LifeOfANode, story);
        }
        for (key, after) in &self.after.nodes {
            let has_output = matches!(after, NodeState::Succeeded { .. } | NodeState::Failed { .. });
            if has_output && self.before.nodes.get(key) != Some(after) {
                let records =
                    self.records.iter().filter(|record| record.node == *key && !record.retried).count();
                self.expect(records == 1, Rule::SettlesOnce, || {
                    format!("{key} settled with {records} records")
                });
            }
        }
    }
}

/// Whether what is waited for stays, and of people's decisions none is lost, and no two are of one person.
fn adds_votes(before: &Awaited, after: &Awaited) -> bool {
    match (before, after) {
        (Awaited::Approval { votes: before, .. }, Awaited::Approval { votes, .. }) => {
            let people: BTreeSet<_> = votes.iter().map(|vote| &vote.by).collect();
            votes.starts_with(before) && people.len() == votes.len()
        }
        _ => before == after,
    }
}

fn attempt_of(state: &NodeState) -> Option<engine::Attempt> {
    match state {
        NodeState::Ready { attempt, .. }
        | NodeState::Running { attempt, .. }
        | NodeState::Waiting { attempt, .. }
        | NodeState::Succeeded { attempt, .. }
        | NodeState::Failed { attempt, .. } => Some(*attempt),
        NodeState::Skipped { .. } | NodeState::Cancelled { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use app::fakes::{a_run, team};
    use chrono::TimeDelta;
    use domain::{Failure, Timestamp};
    use engine::{Attempt, Digest};
    use serde_json::json;

    use super::*;

    const LEASE: TimeDelta = TimeDelta::seconds(60);

    fn ready(attempt: Attempt) -> NodeState {
        NodeState::Ready { attempt, not_before: None }
    }

    fn claimed(attempt: Attempt) -> NodeState {
        let started_on = Timestamp::UNIX_EPOCH;
        NodeState::Running { attempt, started_on, lease_until: started_on + LEASE, claimed_at: 1 }
    }

    fn succeeded(attempt: Attempt, output: i64) -> NodeState {
        NodeState::Succeeded { attempt, output: Digest::of(&output), settled_at: 2, label: None }
    }

    /// The record of an attempt that succeeded with a number, or that was lost at the end of its lease.
    fn record(attempt: Attempt, output: Option<i64>) -> StepRecord {
        let crash = Failure::new(ErrorClass::Crashed, "lease_expired", "");
        StepRecord {
            node: NodeKey::from("a"),
            attempt,
            digest: output.map_or_else(|| Digest::of(&crash), |output| Digest::of(&output)),
            output: output.map(|output| json!(output).into()),
            error: output.is_none().then_some(crash),
            started_on: Timestamp::UNIX_EPOCH,
            finished_on: Timestamp::UNIX_EPOCH + LEASE,
            claimed_at: 1,
            settled_at: 2,
            retried: output.is_none(),
            notes: Vec::new(),
        }
    }

    /// The rules that are broken when the one node of a run goes from one state to the other.
    fn broken(before: Option<NodeState>, after: Option<NodeState>, records: &[StepRecord]) -> Vec<Rule> {
        let state = |node: Option<NodeState>, revision| {
            let nodes = node.map(|node| (NodeKey::from("a"), node)).into_iter().collect();
            Run { revision, status: RunStatus::Running, nodes, ..a_run(team(), Timestamp::UNIX_EPOCH) }
        };
        let (before, after) = (state(before, 4), state(after, 5));
        let after = Run {
            id: before.id,
            team_id: before.team_id,
            workflow_id: before.workflow_id,
            version_id: before.version_id,
            ..after
        };
        check(&before, &after, records, &BTreeSet::new())
            .into_iter()
            .map(|violation| violation.rule)
            .collect()
    }

    #[test]
    fn the_life_of_a_node_breaks_no_rule() {
        assert_eq!(broken(None, Some(ready(1)), &[]), []);
        assert_eq!(broken(None, Some(claimed(1)), &[]), []);
        assert_eq!(broken(Some(ready(2)), Some(claimed(2)), &[]), []);
        assert_eq!(broken(Some(claimed(1)), Some(ready(2)), &[record(1, None)]), []);
        assert_eq!(broken(Some(claimed(1)), Some(claimed(2)), &[record(1, None)]), []);
        assert_eq!(broken(Some(claimed(2)), Some(succeeded(2, 7)), &[record(2, Some(7))]), []);
    }

    #[test]
    fn what_is_no_life_of_a_node_breaks_its_rule() {
        let life = [Rule::LifeOfANode];
        assert_eq!(broken(None, Some(claimed(2)), &[]), life, "the first attempt is 1");
        assert_eq!(broken(Some(claimed(1)), None, &[]), life, "a node is forgotten");
        assert_eq!(broken(Some(claimed(1)), Some(ready(2)), &[]), life, "no record says why");
        assert_eq!(broken(Some(claimed(1)), Some(ready(1)), &[]), life, "a claim is given back");
        assert_eq!(
            broken(Some(claimed(2)), Some(succeeded(1, 7)), &[record(1, Some(7))]),
            life,
            "a late result"
        );
        assert_eq!(
            broken(Some(claimed(1)), Some(NodeState::Cancelled { settled_at: 2, abandoned: None }), &[]),
            life,
            "its run goes on"
        );
    }

    #[test]
    fn a_claim_is_not_given_up_before_its_lease_has_ended() {
        let early = StepRecord { finished_on: Timestamp::UNIX_EPOCH, ..record(1, None) };
        assert_eq!(broken(Some(claimed(1)), Some(ready(2)), &[early]), [Rule::LifeOfANode]);
    }

    #[test]
    fn what_is_settled_stays_as_its_one_record_says() {
        let once = [Rule::SettlesOnce];
        assert_eq!(broken(Some(succeeded(1, 7)), Some(succeeded(1, 7)), &[]), []);
        assert_eq!(broken(Some(succeeded(1, 7)), Some(ready(2)), &[]), once);
        assert_eq!(broken(Some(claimed(1)), Some(succeeded(1, 7)), &[]), once, "no record");
        assert!(
            broken(Some(claimed(1)), Some(succeeded(1, 7)), &[record(1, Some(8))]).contains(&once[0]),
            "another's"
        );
    }

    #[test]
    fn an_end_is_whole_and_the_last_commit() {
        let before = Run { revision: 1, ..a_run(team(), Timestamp::UNIX_EPOCH) };
        let ended = Run {
            revision: 2,
            status: RunStatus::Succeeded,
            finished_on: Some(Timestamp::UNIX_EPOCH),
            next_check_on: None,
            result: Some(engine::ResultSource::Object(Vec::new())),
            ..before.clone()
        };
        let rules = |before: &Run, after: &Run| -> Vec<_> {
            check(before, after, &[], &BTreeSet::new()).into_iter().map(|violation| violation.rule).collect()
        };
        assert_eq!(rules(&before, &ended), []);
        assert_eq!(rules(&ended, &Run { revision: 3, ..ended.clone() }), [Rule::EndsOnce]);
        assert_eq!(rules(&before, &Run { result: None, ..ended.clone() }), [Rule::ControlState]);
        assert_eq!(rules(&before, &Run { revision: 3, ..ended }), [Rule::ControlState]);
    }
}
