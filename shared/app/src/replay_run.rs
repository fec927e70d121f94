//! Replaying a run, and asking what would have been: nothing outside is touched, and nothing is stored.

use std::collections::BTreeMap;

use domain::{NodeKey, RunId, StepStatus, TeamId, VersionId};
use engine::{
    Digest, NodeState, Plan, Values,
    replay::{Difference, Recorded, Replayed, first_difference, replay},
};
use serde_json::Value;

use crate::{
    advance_run::AdvanceError,
    conductor::Conductor,
    ports::{LoadedRun, StoreError},
};

/// What to replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayRun {
    /// The caller's team.
    pub team_id: TeamId,
    /// The run.
    pub run_id: RunId,
    /// Another version to decide with; the run's own where there is none.
    pub version_id: Option<VersionId>,
    /// Outputs that nodes are to have come to instead of the recorded ones.
    pub outputs: BTreeMap<NodeKey, Value>,
}

/// Why a run was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The team has no such run or version.
    #[error("there is no such run or version in this team")]
    NotFound,
    /// It has not ended.
    #[error("the run has not ended")]
    NotEnded,
    /// These nodes are in no version that is replayed.
    #[error("there are no such nodes")]
    NoSuchNodes(Vec<NodeKey>),
    /// A version can't be executed, or a store failed.
    #[error(transparent)]
    Failed(AdvanceError),
}

impl From<AdvanceError> for ReplayError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Store(StoreError::NotFound) | AdvanceError::VersionMissing(_) => Self::NotFound,
            other => Self::Failed(other),
        }
    }
}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        AdvanceError::from(error).into()
    }
}

/// What a replay shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Every node of either version, in the order of execution.
    pub nodes: Vec<NodeComparison>,
    /// The result that was recorded, if the run succeeded.
    pub recorded_result: Option<Value>,
    /// The result of the replay, if it comes to one.
    pub replayed_result: Option<Value>,
}

/// A node in the record and in the replay.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeComparison {
    /// The node.
    pub node: NodeKey,
    /// Where it stands in the record, and the hash of its output or error.
    pub recorded: (StepStatus, Option<Digest>),
    /// Where it stands in the replay, and the hash of its output or error. A node whose result nobody knows is `running` or `waiting`.
    pub replayed: (StepStatus, Option<Digest>),
    /// Where its output is first different, if it has one in both.
    pub difference: Option<Difference>,
    /// Whether its connector would be asked for something else than it was, so that its recorded result is an assumption.
    pub is_asked_otherwise: bool,
}

impl NodeComparison {
    /// Whether the record and the replay agree.
    pub fn is_equal(&self) -> bool {
        self.recorded == self.replayed
    }
}

/// Decides a run that ended again, offline, and compares every output with its record.
pub async fn replay_run(conductor: &Conductor, wish: &ReplayRun) -> Result<Comparison, ReplayError> {
    let loaded = conductor.store.load(wish.team_id, wish.run_id).await?;
    if !loaded.run.status.is_terminal() {
        return Err(ReplayError::NotEnded);
    }
    let own = conductor.plan(&loaded.run).await?;
    let plan = match wish.version_id {
        Some(version) => conductor.plan_of_version(wish.team_id, version).await?,
        None => own.clone(),
    };
    let unknown: Vec<_> = wish.outputs.keys().filter(|key| plan.node(key).is_none()).cloned().collect();
    if !unknown.is_empty() {
        return Err(ReplayError::NoSuchNodes(unknown));
    }
    let recorded = Recorded { run: &loaded.run, inputs: &loaded.values.inputs, records: &loaded.records };
    let replayed = replay(&plan, &recorded, &wish.outputs);
    let as_it_was = replay(&own, &recorded, &BTreeMap::new());
    Ok(compare(&own, &plan, &loaded, &as_it_was, &replayed))
}

fn compare(own: &Plan, plan: &Plan, loaded: &LoadedRun, was: &Replayed, is: &Replayed) -> Comparison {
    let gone = own.order().filter(|key| plan.node(key).is_none());
    let nodes = plan.order().chain(gone).map(|key| {
        let (before, after) = (output(&loaded.values, key), output(&is.values, key));
        NodeComparison {
            node: key.clone(),
            recorded: standing(loaded.run.nodes.get(key)),
            replayed: standing(is.run.nodes.get(key)),
            difference: before.zip(after).and_then(|(before, after)| first_difference(before, after)),
            is_asked_otherwise: is.calls.get(key).is_some_and(|call| was.calls.get(key) != Some(call)),
        }
    });
    Comparison {
        nodes: nodes.collect(),
        recorded_result: engine::run_result(&loaded.run, &loaded.values),
        replayed_result: engine::run_result(&is.run, &is.values),
    }
}

fn output<'a>(values: &'a Values, key: &NodeKey) -> Option<&'a Value> {
    values.outputs.get(key).map(|value| &**value)
}

/// A node that never came to its turn is blocked in a replay, and was cancelled with its run.
fn standing(state: Option<&NodeState>) -> (StepStatus, Option<Digest>) {
    match state {
        None | Some(NodeState::Cancelled { .. }) => (StepStatus::Cancelled, None),
        Some(NodeState::Ready { .. } | NodeState::Running { .. }) => (StepStatus::Running, None),
        Some(NodeState::Waiting { .. }) => (StepStatus::Waiting, None),
        Some(NodeState::Skipped { .. }) => (StepStatus::Skipped, None),
        Some(NodeState::Succeeded { output, .. }) => (StepStatus::Succeeded, Some(output.clone())),
        Some(NodeState::Failed { output, .. }) => (StepStatus::Failed, Some(output.clone())),
    }
}
