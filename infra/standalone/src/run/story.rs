//! From commits to what is new in them. The same thing is told once, however often and in whichever order it is seen.

use std::collections::{BTreeMap, BTreeSet};

use app::story::{self, EventId, Happened, Order};
use domain::NodeKey;
use engine::{Attempt, NodeState, Run, StepRecord};

use super::event::{Event, Step};

/// What has been told of a run.
#[derive(Debug, Default)]
pub(crate) struct Story {
    order: Order,
    /// The last state that was seen; None before the first.
    revision: Option<u64>,
    told: BTreeSet<EventId>,
    running: BTreeMap<NodeKey, Attempt>,
    settled: usize,
}

impl Story {
    /// Nothing told yet of a run whose nodes are told in this order.
    pub(crate) fn new(order: Order) -> Self {
        Self { order, ..Self::default() }
    }

    /// Takes in a commit with the records that it settled, and answers what it tells. Commits of workers that work at once may be heard
    /// of in another order than they were made.
    pub(crate) fn hear(&mut self, run: &Run, records: &[StepRecord]) -> Vec<Event> {
        self.look_at(run);
        let events = story::of_commit(run, records, &self.order);
        self.news(&events)
    }

    /// Takes in a run with all its records, and answers what it tells that was not told.
    pub(crate) fn read(&mut self, run: &Run, records: &[StepRecord]) -> Vec<Event> {
        self.look_at(run);
        let events = story::of(run, records, &self.order);
        self.news(&events)
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

    fn news(&mut self, events: &[story::Event<'_>]) -> Vec<Event> {
        events.iter().filter(|event| self.told.insert(event.id)).filter_map(told).collect()
    }

    /// Where the run stands now.
    fn look_at(&mut self, run: &Run) {
        if !self.is_news(run) {
            return;
        }
        self.revision = Some(run.revision);
        self.settled = run.nodes.values().filter(|state| state.is_settled()).count();
        let running = run.nodes.iter().filter_map(|(node, state)| match state {
            NodeState::Running { attempt, .. } => Some((node.clone(), *attempt)),
            _ => None,
        });
        self.running = running.collect();
    }
}

/// The event as it is printed. The beginning and the end of a run are told by whoever knows its workflow and its result.
fn told(event: &story::Event<'_>) -> Option<Event> {
    Some(match event.what {
        Happened::RunAccepted | Happened::RunStarted | Happened::RunEnded { .. } => return None,
        Happened::StepStarted { node, attempt } => {
            Event::StepStarted { node: node.clone(), attempt, ts: event.at }
        }
        Happened::StepWaiting { node, until, .. } => {
            Event::StepWaiting { node: node.clone(), ts: event.at, until }
        }
        Happened::StepSucceeded { record, label } => Event::StepSucceeded(Step::of(record, label, None)),
        Happened::StepRetrying { record, retry_on, .. } => {
            Event::StepRetrying(Step::of(record, None, retry_on))
        }
        Happened::StepFailed { record, .. } => Event::StepFailed(Step::of(record, None, None)),
        Happened::StepSkipped { node } => Event::StepSkipped { node: node.clone() },
        Happened::StepCancelled { node } => Event::StepCancelled { node: node.clone() },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::fakes::{a_run, team};
    use domain::{ErrorClass, Failure, Timestamp};
    use engine::{Digest, Revision};
    use serde_json::Value;

    use super::*;

    fn record(node: &str, attempt: Attempt, at: [Revision; 2], output: Option<Value>) -> StepRecord {
        let error = output.is_none().then(|| Failure::new(ErrorClass::Transient, "timeout", "no answer"));
        StepRecord {
            node: node.into(),
            attempt,
            digest: Digest::of(&output),
            retried: output.is_none(),
            output: output.map(Arc::new),
            error,
            started_on: Timestamp::UNIX_EPOCH,
            finished_on: Timestamp::UNIX_EPOCH,
            claimed_at: at[0],
            settled_at: at[1],
            notes: vec![],
        }
    }

    fn run(revision: u64, nodes: &[(&str, NodeState)]) -> Run {
        let nodes = nodes.iter().map(|(key, state)| ((*key).into(), state.clone())).collect();
        Run { revision, nodes, ..a_run(team(), Timestamp::UNIX_EPOCH) }
    }

    fn running(attempt: Attempt, claimed_at: Revision) -> NodeState {
        let (started_on, lease_until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        NodeState::Running { attempt, started_on, lease_until, claimed_at }
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
    fn each_thing_is_told_once_whether_heard_or_read() {
        let mut story = Story::default();
        let skipped = NodeState::Skipped { settled_at: 1 };
        let first = run(1, &[("fetch", running(1, 1)), ("other", skipped.clone())]);
        assert_eq!(words(&story.hear(&first, &[])), ["step.skipped other", "step.started fetch"]);
        assert_eq!(story.running().map(|(node, _)| node.as_str()).collect::<Vec<_>>(), ["fetch"]);
        assert_eq!(story.settled(), 1);

        let output = Digest::of(&Value::Null);
        let done = NodeState::Succeeded { attempt: 2, output, settled_at: 1, label: Some("true".to_owned()) };
        let second = run(4, &[("fetch", done), ("other", skipped)]);
        let records = [record("fetch", 1, [1, 2], None), record("fetch", 2, [3, 4], Some(Value::Null))];
        let news = story.read(&second, &records);
        assert_eq!(words(&news), ["step.retrying fetch", "step.started fetch", "step.succeeded fetch"]);
        assert!(matches!(&news[2], Event::StepSucceeded(step) if step.label.as_deref() == Some("true")));
        assert_eq!(story.read(&second, &records), []);
        assert_eq!((story.running().count(), story.settled()), (0, 2));
    }

    #[test]
    fn a_commit_that_is_heard_of_late_is_told_and_does_not_turn_the_state_back() {
        let mut story = Story::default();
        assert_eq!(words(&story.hear(&run(3, &[("a", running(1, 3))]), &[])), ["step.started a"]);
        let news = story.hear(&run(2, &[]), &[record("b", 1, [1, 2], Some(Value::Null))]);
        assert_eq!(words(&news), ["step.succeeded b"]);
        assert_eq!(story.running().count(), 1);
    }
}
