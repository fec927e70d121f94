//! Rules of a run that has ended: it is what the reference makes of the same graph and the same answers.

use std::collections::BTreeMap;

use app::ports::LoadedRun;
use domain::{NodeKey, RunStatus};
use engine::NodeState;

use super::{Rule, Violation, calls::Began};
use crate::{
    flows::Flow,
    graphs::key,
    reference::{Answer, Ending, Facts, Settled, blanked, play},
};

/// Every rule that a run which has ended breaks.
pub fn check(
    flow: &Flow,
    facts: &Facts,
    stored: &LoadedRun,
    answers: &BTreeMap<NodeKey, Answer>,
    calls: &[Began],
) -> Vec<Violation> {
    let expected = play(&flow.shapes, facts, answers);
    let mut found = Vec::new();
    check_nodes(stored, &expected, &mut found);
    check_result(stored, &expected, &mut found);
    check_requests(calls, &expected, &mut found);
    found
}

fn differs(found: &mut Vec<Violation>, story: String) {
    found.push(Violation::new(Rule::Reference, story));
}

/// Every node that settled did so as the reference says; in a run that succeeded, all did.
fn check_nodes(stored: &LoadedRun, expected: &Ending, found: &mut Vec<Violation>) {
    let run = &stored.run;
    for (i, settled) in expected.nodes.iter().enumerate() {
        let (key, output) = (key(i), |key| stored.values.outputs.get(key).map(|value| blanked(value)));
        let agrees = match (run.nodes.get(&key), settled) {
            (Some(NodeState::Succeeded { label, .. }), Settled::Output(value, chosen)) => {
                label.as_deref() == *chosen && output(&key) == Some(blanked(value))
            }
            (Some(NodeState::Failed { handled, .. }), Settled::Error(error)) => {
                *handled != expected.fatal.contains(&key) && output(&key) == Some(blanked(error))
            }
            (Some(NodeState::Skipped { .. }), Settled::Skipped) => true,
            (Some(NodeState::Cancelled { .. }), _) => run.status != RunStatus::Succeeded,
            _ => false,
        };
        if !agrees {
            let (state, output) = (run.nodes.get(&key), output(&key));
            differs(found, format!("{key} is {state:?} with {output:?}, and the reference says {settled:?}"));
        }
    }
}

fn check_result(stored: &LoadedRun, expected: &Ending, found: &mut Vec<Violation>) {
    let run = &stored.run;
    match run.status {
        RunStatus::Succeeded => {
            let result = engine::run_result(run, &stored.values).map(|value| blanked(&value));
            if result != expected.result.as_ref().map(blanked) {
                let (fatal, expected) = (&expected.fatal, &expected.result);
                differs(
                    found,
                    format!(
                        "the result is {result:?}, and the reference says {expected:?} (fatal: {fatal:?})"
                    ),
                );
            }
        }
        RunStatus::Failed => {
            let is_fatal = run.error.as_ref().is_some_and(|error| match &error.node {
                Some(node) => expected.fatal.contains(node),
                // Whether that is true is a rule of its own.
                None => error.failure.code == "workers_lost",
            });
            if !is_fatal {
                differs(found, format!("it failed by {:?}, and fatal are {:?}", run.error, expected.fatal));
            }
        }
        _ => {}
    }
}

/// Every call was asked for what the reference would have asked.
fn check_requests(calls: &[Began], expected: &Ending, found: &mut Vec<Violation>) {
    for call in calls {
        let request = expected.requests.get(&call.node).cloned().flatten();
        if request.as_ref().map(blanked) != Some(blanked(&call.config)) {
            let (node, config) = (&call.node, &call.config);
            differs(found, format!("{node} was called with {config}, and the reference says {request:?}"));
        }
    }
}
