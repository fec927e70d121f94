//! What happened in a run, in order (OBS-11): derived from the control state and the step records, so that telling it costs no write.
//!
//! Every part of a run's state names the commit that made it so, and an event's id is that commit with the event's place in it. What a
//! commit made so is known as soon as it is made and never changes, hence an event keeps its id, and whoever has seen the events up to
//! one id has missed none before it.
//!
//! Within a commit, causes come before what is caused: nodes that were settled or skipped (parents before children), then the claims,
//! then what the end of the run leaves undone, then the end.

mod event;
mod order;

use domain::Timestamp;
use engine::{NodeState, Revision, Run, StepRecord};

pub use event::{Event, EventId, Happened, InvalidEventId};
pub use order::Order;

/// The story so far. `records` are all that are committed.
pub fn of<'a>(run: &'a Run, records: &'a [StepRecord], order: &Order) -> Vec<Event<'a>> {
    let mut facts: Vec<Fact<'a>> = Vec::new();
    facts.push(Fact::of_run(0, Phase::Beginning, run.created_on, Happened::RunAccepted));
    facts.extend(
        run.started_on.map(|at| Fact::of_run(run.started_at, Phase::Beginning, at, Happened::RunStarted)),
    );
    facts.extend(records.iter().flat_map(|record| of_record(run, record)));
    facts.extend(run.nodes.iter().filter_map(|(node, state)| of_state(run, node, state)));
    let waiting: Vec<_> = facts.iter().filter_map(|fact| fact.waiting(run, order)).collect();
    facts.extend(waiting);
    if run.status.is_terminal() {
        let what = Happened::RunEnded { status: run.status, error: run.error.as_ref() };
        let at = run.finished_on.unwrap_or(run.created_on);
        facts.push(Fact::of_run(run.revision, Phase::End, at, what));
    }
    facts.sort_by_cached_key(|fact| fact.rank(order));
    numbered(&facts)
}

/// What the last commit of `run` adds to the story, for whoever hears of commits one by one. `records` are those that it settled.
pub fn of_commit<'a>(run: &'a Run, records: &'a [StepRecord], order: &Order) -> Vec<Event<'a>> {
    let mut events = of(run, records, order);
    // Of earlier commits the records are missing here.
    events.retain(|event| event.id.revision == run.revision);
    events
}

/// Where in its commit an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Beginning,
    Settled,
    Claimed,
    Undone,
    End,
}

/// An event that has no number yet.
struct Fact<'a> {
    revision: Revision,
    phase: Phase,
    /// None: the time of its commit, which others tell.
    at: Option<Timestamp>,
    what: Happened<'a>,
}

impl<'a> Fact<'a> {
    fn of_run(revision: Revision, phase: Phase, at: Timestamp, what: Happened<'a>) -> Self {
        Self { revision, phase, at: Some(at), what }
    }

    /// What the order of the story goes by. The key decides between nodes that the graph does not know.
    fn rank(&self, order: &Order) -> impl Ord + use<> {
        let node = self.what.node();
        let place = node.map_or(0, |node| order.place(node));
        let is_start = matches!(self.what, Happened::StepStarted { .. });
        (self.revision, self.phase, place, node.cloned(), self.what.attempt(), !is_start)
    }

    /// What follows the beginning of a node that waits. Its type says that it does: its state knows only as long as it lasts.
    fn waiting(&self, run: &Run, order: &Order) -> Option<Self> {
        let Happened::StepStarted { node, attempt } = self.what else { return None };
        if self.phase != Phase::Claimed || !order.waits(node) {
            return None;
        }
        let until = match run.nodes.get(node) {
            Some(NodeState::Waiting { until, .. }) => *until,
            _ => None,
        };
        Some(Self { what: Happened::StepWaiting { node, attempt, until }, ..*self })
    }
}

/// The beginning and the end of an attempt. One that was claimed began with its claim; others begin and end in one commit.
fn of_record<'a>(run: &'a Run, record: &'a StepRecord) -> [Fact<'a>; 2] {
    let is_claimed = record.claimed_at < record.settled_at;
    let began = Fact {
        revision: record.claimed_at,
        phase: if is_claimed { Phase::Claimed } else { Phase::Settled },
        at: Some(record.started_on),
        what: Happened::StepStarted { node: &record.node, attempt: record.attempt },
    };
    let state = run.nodes.get(&record.node);
    // The state and not the record says how a node ended: records may be read without their outputs.
    let is_failed = matches!(state, Some(NodeState::Failed { .. }));
    let what = match &record.error {
        Some(failure) if record.retried => {
            let retry_on = match state {
                Some(NodeState::Ready { attempt, not_before }) if *attempt == record.attempt + 1 => {
                    *not_before
                }
                _ => None,
            };
            Happened::StepRetrying { record, failure, retry_on }
        }
        Some(failure) if is_failed => Happened::StepFailed { record, failure },
        _ => {
            let label = match state {
                Some(NodeState::Succeeded { label, .. }) => label.as_deref(),
                _ => None,
            };
            Happened::StepSucceeded { record, label }
        }
    };
    let ended =
        Fact { revision: record.settled_at, phase: Phase::Settled, at: Some(record.finished_on), what };
    [began, ended]
}

/// What only the control state tells.
fn of_state<'a>(run: &'a Run, node: &'a domain::NodeKey, state: &'a NodeState) -> Option<Fact<'a>> {
    Some(match state {
        NodeState::Running { attempt, started_on, claimed_at, .. }
        | NodeState::Waiting { attempt, started_on, claimed_at, .. } => Fact {
            revision: *claimed_at,
            phase: Phase::Claimed,
            at: Some(*started_on),
            what: Happened::StepStarted { node, attempt: *attempt },
        },
        NodeState::Skipped { settled_at } => Fact {
            revision: *settled_at,
            phase: Phase::Settled,
            at: None,
            what: Happened::StepSkipped { node },
        },
        NodeState::Cancelled { settled_at } => Fact {
            revision: *settled_at,
            phase: Phase::Undone,
            at: run.finished_on.filter(|_| *settled_at == run.revision),
            what: Happened::StepCancelled { node },
        },
        NodeState::Ready { .. } | NodeState::Succeeded { .. } | NodeState::Failed { .. } => return None,
    })
}

/// Gives the facts, which are in order, their ids.
fn numbered<'a>(facts: &[Fact<'a>]) -> Vec<Event<'a>> {
    let mut events: Vec<Event<'a>> = Vec::with_capacity(facts.len());
    for commit in facts.chunk_by(|one, next| one.revision == next.revision) {
        let before = events.last().map(|event| event.at).unwrap_or_default();
        let time = commit.iter().find_map(|fact| fact.at).unwrap_or(before);
        events.extend(commit.iter().zip(1..).map(|(fact, place)| Event {
            id: EventId { revision: fact.revision, place },
            at: fact.at.unwrap_or(time),
            what: fact.what,
        }));
    }
    events
}
