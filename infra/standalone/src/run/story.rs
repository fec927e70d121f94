//! From commits to what is new in them. The same thing is told once, however often and in whichever order it is seen.

use std::collections::{BTreeMap, BTreeSet};

use domain::NodeKey;
use engine::{Attempt, NodeState, Run, StepRecord};

use super::event::{Event, Step};

/// What has been told of a run.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The last state that was seen; None before the first.
    revision: Option<u64>,
    started: BTreeSet<(NodeKey, Attempt)>,
    ended: BTreeSet<(NodeKey, Attempt)>,
    skipped: BTreeSet<NodeKey>,
    running: BTreeMap<NodeKey, Attempt>,
    settled: usize,
}

impl Story {
    /// Takes in a commit, or a run as it was loaded, and answers what it tells that was not known. `records` are committed ones.
    pub(crate) fn take(&mut self, run: &Run, records: &[StepRecord]) -> Vec<Event> {
        let mut news: Vec<Event> = records.iter().filter_map(|record| self.end(run, record)).collect();
        // Commits of workers that work at once may be heard of in another order than they were made.
        if self.is_news(run) {
            self.revision = Some(run.revision);
            self.look_at(run, &mut news);
        }
        news
    }

    /// Whether the run has moved on since it was last taken in.
    pub(crate) fn is_news(&self, run: &Run) -> bool {
        self.revision.is_none_or(|seen| seen < run.revision)
    }

    /// The nodes that are being executed, with their attempts.
    pub(crate) fn running(&self) -> impl Iterator<Item = (&NodeKey, Attempt)> {
        self.running.iter().map(|(node, attempt)| (node, *attempt))
    }

    /// How many nodes will not change any more.
    pub(crate) fn settled(&self) -> usize {
        self.settled
    }

    /// How an attempt ended, if that is news.
    fn end(&mut self, run: &Run, record: &StepRecord) -> Option<Event> {
        if !self.ended.insert((record.node.clone(), record.attempt)) {
            return None;
        }
        let (label, retry_on) = match run.nodes.get(&record.node) {
            Some(NodeState::Succeeded { label, .. }) => (label.as_deref(), None),
            Some(NodeState::Ready { not_before, .. }) if record.retried => (None, *not_before),
            _ => (None, None),
        };
        let step = Step::of(record, label, retry_on);
        Some(match &record.output {
            _ if record.retried => Event::StepRetried(step),
            Some(_) => Event::StepSucceeded(step),
            None => Event::StepFailed(step),
        })
    }

    /// What only the control state tells: nodes that are skipped, and attempts that began.
    fn look_at(&mut self, run: &Run, news: &mut Vec<Event>) {
        self.settled = run.nodes.values().filter(|state| state.is_settled()).count();
        self.running.clear();
        for (node, state) in &run.nodes {
            match state {
                NodeState::Skipped { .. } if self.skipped.insert(node.clone()) => {
                    news.push(Event::StepSkipped { node: node.clone() });
                }
                NodeState::Running { attempt, started_on, .. } => {
                    self.running.insert(node.clone(), *attempt);
                    if self.started.insert((node.clone(), *attempt)) {
                        news.push(Event::StepStarted {
                            node: node.clone(),
                            attempt: *attempt,
                            ts: *started_on,
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::fakes::{a_run, team};
    use domain::{ErrorClass, Failure, Timestamp};
    use engine::Digest;
    use serde_json::Value;

    use super::*;

    fn record(node: &str, attempt: Attempt, output: Option<Value>, retried: bool) -> StepRecord {
        let error = output.is_none().then(|| Failure::new(ErrorClass::Transient, "timeout", "no answer"));
        StepRecord {
            node: node.into(),
            attempt,
            digest: Digest::of(&output),
            output: output.map(Arc::new),
            error,
            started_on: Timestamp::UNIX_EPOCH,
            finished_on: Timestamp::UNIX_EPOCH,
            claimed_at: 1,
            settled_at: 1,
            retried,
            notes: vec![],
        }
    }

    fn run(revision: u64, nodes: &[(&str, NodeState)]) -> Run {
        let nodes = nodes.iter().map(|(key, state)| ((*key).into(), state.clone())).collect();
        Run { revision, nodes, ..a_run(team(), Timestamp::UNIX_EPOCH) }
    }

    fn running(attempt: Attempt) -> NodeState {
        NodeState::Running {
            attempt,
            started_on: Timestamp::UNIX_EPOCH,
            lease_until: Timestamp::UNIX_EPOCH,
            claimed_at: 1,
        }
    }

    fn words(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| {
            let event = serde_json::to_value(event).unwrap();
            [&event["event"], &event["node"]]
                .map(|part| part.as_str().unwrap_or_default().to_owned())
                .join(" ")
        };
        events.iter().map(word).collect()
    }

    #[test]
    fn each_thing_is_told_once() {
        let mut story = Story::default();
        let first = run(1, &[("fetch", running(1)), ("other", NodeState::Skipped { settled_at: 1 })]);
        assert_eq!(words(&story.take(&first, &[])), ["step_started fetch", "step_skipped other"]);
        assert_eq!(story.running().map(|(node, _)| node.as_str()).collect::<Vec<_>>(), ["fetch"]);
        assert_eq!(story.settled(), 1);

        let output = Digest::of(&Value::Null);
        let done = NodeState::Succeeded { attempt: 2, output, label: Some("true".to_owned()) };
        let second = run(3, &[("fetch", done), ("other", NodeState::Skipped { settled_at: 1 })]);
        let records = [record("fetch", 1, None, true), record("fetch", 2, Some(Value::Null), false)];
        let news = story.take(&second, &records);
        assert_eq!(words(&news), ["step_retried fetch", "step_succeeded fetch"]);
        assert!(matches!(&news[1], Event::StepSucceeded(step) if step.label.as_deref() == Some("true")));
        assert_eq!(story.take(&second, &records), []);
        assert_eq!((story.running().count(), story.settled()), (0, 2));
    }

    #[test]
    fn a_commit_that_is_heard_of_late_does_not_turn_the_state_back() {
        let mut story = Story::default();
        story.take(&run(2, &[("a", running(1))]), &[]);
        let news = story.take(&run(1, &[]), &[record("b", 1, Some(Value::Null), false)]);
        assert_eq!(words(&news), ["step_succeeded b"]);
        assert_eq!(story.running().count(), 1);
    }
}
