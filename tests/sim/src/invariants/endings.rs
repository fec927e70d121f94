//! Rules of a run that has ended: it is what the reference makes of the same graph and the same answers.

use app::ports::LoadedRun;
use domain::{NodeKey, OnFailure, RunStatus};
use engine::NodeState;

use super::{Rule, Violation};
use crate::{
    books::Book,
    reference::{Ending, Facts, Settled, blanked},
};

/// What the reference makes of a graph, or of the body of a `for_each` for one item.
#[derive(Debug)]
pub struct Played {
    /// The item.
    pub item: Option<u32>,
    /// What it is about.
    pub facts: Facts,
    /// What comes of it.
    pub ending: Ending,
}

/// Every rule that a run which has ended breaks.
pub fn check(book: &Book, stored: &LoadedRun, played: &[Played]) -> Vec<Violation> {
    let mut found = Vec::new();
    for copy in played {
        check_nodes(book, stored, copy, &mut found);
    }
    check_result(book, stored, played, &mut found);
    check_requests(book, played, &mut found);
    found
}

fn differs(found: &mut Vec<Violation>, story: String) {
    found.push(Violation::new(Rule::Reference, story));
}

/// Every node that settled did so as the reference says; in a run that succeeded, all did.
fn check_nodes(book: &Book, stored: &LoadedRun, copy: &Played, found: &mut Vec<Violation>) {
    let (run, names) = (&stored.run, book.task.names());
    let may_be_cancelled = may_be_cancelled(book, stored, copy);
    for (i, settled) in copy.ending.nodes.iter().enumerate() {
        let key = book.task.key(i, copy.item);
        let output = || stored.values.outputs.get(&key).map(|value| blanked(value));
        let agrees = match (run.nodes.get(&key), settled) {
            (Some(NodeState::Succeeded { label, .. }), Settled::Output(value, chosen)) => {
                label.as_deref() == *chosen && output() == Some(blanked(value))
            }
            (Some(NodeState::Failed { handled, .. }), Settled::Error(error)) => {
                *handled != copy.ending.fatal.contains(&names.key(i)) && output() == Some(blanked(error))
            }
            (Some(NodeState::Skipped { .. }), Settled::Skipped)
            | (Some(NodeState::Cancelled { .. }), Settled::Broken) => true,
            (Some(NodeState::Cancelled { .. }), _) => may_be_cancelled,
            _ => false,
        };
        if !agrees {
            let (state, output) = (run.nodes.get(&key), output());
            differs(found, format!("{key} is {state:?} with {output:?}, and the reference says {settled:?}"));
        }
    }
}

/// Whether nodes may be cancelled that do not depend on a failure: in an item that failed, in a run that was cut short, and where a
/// failure is not to wait for the other branches.
fn may_be_cancelled(book: &Book, stored: &LoadedRun, copy: &Played) -> bool {
    let (run, settings) = (&stored.run, &book.task.flow.version.settings);
    let is_cut_short = is_late(stored) || has_too_many_steps(book, stored) || book.lost > 0;
    let waits_for_branches = settings.on_failure == OnFailure::FinishBranches
        && !run.is_chunk()
        && run.status == RunStatus::Failed
        && run.error.as_ref().is_some_and(|error| error.node.is_some())
        && !is_cut_short;
    (run.is_chunk() && failed_in(book, stored, copy.item).is_some())
        || (run.status != RunStatus::Succeeded && !waits_for_branches)
}

fn is_late(stored: &LoadedRun) -> bool {
    stored.run.deadline <= stored.run.finished_on
}

fn has_too_many_steps(book: &Book, stored: &LoadedRun) -> bool {
    book.task.flow.version.settings.max_steps.is_some_and(|most| stored.run.steps > most)
}

/// The node of an item, or of the whole run, whose failure nothing handled.
pub fn failed_in(book: &Book, stored: &LoadedRun, item: Option<u32>) -> Option<usize> {
    (0..book.task.shapes().len()).find(|i| {
        let state = stored.run.nodes.get(&book.task.key(*i, item));
        matches!(state, Some(NodeState::Failed { handled: false, .. }))
    })
}

fn check_result(book: &Book, stored: &LoadedRun, played: &[Played], found: &mut Vec<Violation>) {
    let run = &stored.run;
    match (run.status, played) {
        (RunStatus::Succeeded, [Played { item: None, ending, .. }]) => {
            let result = engine::run_result(run, &stored.values).map(|value| blanked(&value));
            if result != ending.result.as_ref().map(blanked) {
                let (fatal, expected) = (&ending.fatal, &ending.result);
                differs(
                    found,
                    format!(
                        "the result is {result:?}, and the reference says {expected:?} (fatal: {fatal:?})"
                    ),
                );
            }
        }
        (RunStatus::Failed, _) => {
            let is_true =
                run.error.as_ref().is_some_and(|error| match (&error.node, error.failure.code.as_str()) {
                    (Some(node), _) => is_fatal(book, played, node),
                    // Whether that is true is a rule of its own.
                    (None, "workers_lost") => true,
                    (None, "deadline") => is_late(stored),
                    (None, "too_many_steps") => has_too_many_steps(book, stored),
                    (None, _) => false,
                });
            if !is_true {
                let fatal: Vec<_> = played.iter().map(|copy| (copy.item, &copy.ending.fatal)).collect();
                differs(found, format!("it failed by {:?}, and fatal are {fatal:?}", run.error));
            }
        }
        _ => {}
    }
}

fn is_fatal(book: &Book, played: &[Played], node: &NodeKey) -> bool {
    copy_of(book, played, node).is_some_and(|(i, copy)| copy.ending.fatal.contains(&book.task.names().key(i)))
}

/// The place of a node in its graph, and what was played there.
pub fn copy_of<'a>(book: &Book, played: &'a [Played], node: &NodeKey) -> Option<(usize, &'a Played)> {
    let (i, item) = book.task.find(node)?;
    Some((i, played.iter().find(|copy| copy.item == item)?))
}

/// Every call was asked for what the reference would have asked.
fn check_requests(book: &Book, played: &[Played], found: &mut Vec<Violation>) {
    for call in &book.calls {
        let request = copy_of(book, played, &call.node)
            .and_then(|(i, copy)| copy.ending.requests.get(&book.task.names().key(i)).cloned().flatten());
        if request.as_ref().map(blanked) != Some(blanked(&call.config)) {
            let (node, config) = (&call.node, &call.config);
            differs(found, format!("{node} was called with {config}, and the reference says {request:?}"));
        }
    }
}
