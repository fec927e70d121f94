//! Rules of deciding a run again, with what was answered: by its record, and node by node without fusion, it comes to the same.

use std::collections::BTreeMap;

use app::ports::LoadedRun;
use domain::{Failure, NodeKey, RunStatus, Timestamp};
use engine::{
    Digest, Event, Moment, NewRun, NodeState, Plan, Run, StepRecord, Turn, Values, advance_unfused,
    replay::{Recorded, replay},
};
use serde_json::Value;

use super::{Rule, Violation};
use crate::{books::Book, chance::Dice};

/// Every rule that is broken by what comes of a run when it is decided again: every second one each way, since it takes as long as the
/// run itself.
pub fn check(book: &Book, stored: &LoadedRun, dice: &Dice) -> Vec<Violation> {
    let Some(plan) = book.task.flow.plan.of_run(&stored.run) else {
        return vec![Violation::new(Rule::ReplayIsEqual, "its plan has no such chunk")];
    };
    let mut found = Vec::new();
    if dice.hits(500) {
        let recorded = Recorded { run: &stored.run, inputs: &stored.values.inputs, records: &stored.records };
        let replayed = replay(&plan, &recorded, &BTreeMap::new());
        compare(Rule::ReplayIsEqual, stored, &replayed.run, &replayed.values, &mut found);
    }
    if dice.hits(500) {
        let (run, values) = unfused(&plan, book, stored, dice);
        compare(Rule::FusionIsUnseen, stored, &run, &values, &mut found);
    }
    found
}

/// Every node that came to an end comes to the same again. In what was cut short, others may have been cut off; and what a failure cut
/// off in the record may come to its end before it.
fn compare(rule: Rule, stored: &LoadedRun, again: &Run, values: &Values, found: &mut Vec<Violation>) {
    let was_cut = stored.run.status != RunStatus::Succeeded || stored.run.is_chunk();
    for (key, state) in &stored.run.nodes {
        let (was, is) = (end_of(state), again.nodes.get(key).map(end_of));
        let is_equal = match (&was, &is) {
            (End::Cut, _) => true,
            (_, Some(End::Cut)) => was_cut,
            _ => is.as_ref() == Some(&was),
        };
        if !is_equal {
            found
                .push(Violation::new(rule, format!("{key} was {state:?} and is {:?}", again.nodes.get(key))));
        }
    }
    let result = |run: &Run, values: &Values| engine::run_result(run, values);
    if stored.run.status == RunStatus::Succeeded
        && (again.status != stored.run.status || result(&stored.run, &stored.values) != result(again, values))
    {
        found.push(Violation::new(
            rule,
            format!("it succeeded, and is {:?}: {:?}", again.status, again.error),
        ));
    }
}

/// How a node ended, its attempts and times aside.
#[derive(Debug, PartialEq)]
enum End<'a> {
    Output(&'a Digest, Option<&'a str>),
    Failure(&'a Digest, bool),
    Skipped,
    Cut,
    Open,
}

fn end_of(state: &NodeState) -> End<'_> {
    match state {
        NodeState::Succeeded { output, label, .. } => End::Output(output, label.as_deref()),
        NodeState::Failed { output, handled, .. } => End::Failure(output, *handled),
        NodeState::Skipped { .. } => End::Skipped,
        NodeState::Cancelled { .. } => End::Cut,
        _ => End::Open,
    }
}

/// The run, decided with one commit for each pure node and the answers of others in an order of chance.
fn unfused(plan: &Plan, book: &Book, stored: &LoadedRun, dice: &Dice) -> (Run, Values) {
    let mut run = Run::start(NewRun::like(&stored.run));
    run.parent.clone_from(&stored.run.parent);
    let values = Values { inputs: std::sync::Arc::clone(&stored.values.inputs), ..Values::default() };
    let mut again = Unfused { plan, now: stored.run.created_on, run, values };
    if !book.kept.is_empty() {
        let nodes =
            book.kept.iter().filter_map(|key| Some((key.clone(), stored.run.nodes.get(key)?.clone())));
        let records = stored.records.iter().filter(|record| book.kept.contains(&record.node));
        again.step(Event::Resumed { nodes: nodes.collect(), records: records.cloned().collect() }, None);
    }
    loop {
        while again.step(Event::Woken, None) {}
        let open = again.run.nodes.iter().filter(|(_, state)| !state.is_settled());
        let known: Vec<_> = open.filter_map(|(key, _)| book.settling(key)).collect();
        if known.is_empty() || !again.answer(dice.pick(&known), &stored.run) {
            return (again.run, again.values);
        }
    }
}

struct Unfused<'a> {
    plan: &'a Plan,
    now: Timestamp,
    run: Run,
    values: Values,
}

impl Unfused<'_> {
    /// Has a node come to its recorded answer; whether anything changed.
    fn answer(&mut self, record: &StepRecord, recorded: &Run) -> bool {
        let before = self.run.revision;
        let node = record.node.clone();
        if matches!(self.run.nodes.get(&node), Some(NodeState::Ready { .. })) {
            let (lease_until, max_timeout_s) = (Timestamp::MAX_UTC, u32::MAX);
            self.step(
                Event::Woken,
                Some(Turn { node: Some(node.clone()), lease_until, max_timeout_s, at_most: 1 }),
            );
        }
        self.step(Event::Replayed { outcome: outcome(record), label: label(recorded, &node), node }, None);
        self.run.revision > before
    }

    /// One commit; whether there was anything to.
    fn step(&mut self, event: Event, turn: Option<Turn>) -> bool {
        let moment = Moment { now: self.now, jitter: 0.0, turn };
        let Ok(decision) = advance_unfused(self.plan, &self.run, &self.values, event, &moment) else {
            return false;
        };
        for record in decision.records {
            if let Some(value) = record.value().filter(|_| !record.retried) {
                self.values.outputs.insert(record.node, value);
            }
        }
        let Some(next) = decision.run else { return false };
        self.run = next;
        true
    }
}

fn outcome(record: &StepRecord) -> Result<Value, Failure> {
    match &record.error {
        Some(failure) => Err(failure.clone()),
        None => Ok(record.output.as_deref().cloned().unwrap_or_default()),
    }
}

fn label(run: &Run, node: &NodeKey) -> Option<String> {
    match run.nodes.get(node)? {
        NodeState::Succeeded { label, .. } => label.clone(),
        _ => None,
    }
}
