//! Runs that nodes start: a `workflow` node one of another workflow, a `for_each` node one for each chunk of its items.
//!
//! A child's id, inputs and all else follow from its parent's committed state, so that starting it twice is starting it once, and
//! whoever wants to cancel it needs no list.

use domain::{ErrorClass, Failure, NodeKey, RunId, Timestamp, Trigger, TriggerKind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

use crate::{
    Chunk, NewRun, Parent, Plan, RetryFrom, RetryOf, Run, Values, flow,
    nodes::{
        Control,
        for_each::{self, Cut},
        workflow,
    },
};

/// A run that is to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRun {
    /// As it is stored first.
    pub run: Run,
    /// What it is started with.
    pub inputs: Value,
}

/// The id of a node's child: a UUIDv7 with the time of its parent's, so that they are kept close together, and the same whenever it is
/// asked for.
pub fn child_id(parent: RunId, node: &NodeKey, child: u32) -> RunId {
    derived(parent, &format!("{node}#{child}"))
}

/// The id of the run that tells of another run's failure.
pub fn error_run_id(run: RunId) -> RunId {
    derived(run, "!error")
}

fn derived(from: RunId, label: &str) -> RunId {
    let from: Uuid = from.into();
    let digest = Sha256::new().chain_update(from.as_bytes()).chain_update(label).finalize();
    let mut bytes = *from.as_bytes();
    bytes[6..].copy_from_slice(&digest[..10]);
    let id = Builder::from_bytes(bytes).with_version(Version::SortRand).with_variant(Variant::RFC4122);
    RunId::new(id.into_uuid())
}

/// Whether a child was given the same to do as the one of an earlier run, so that it can go on from there.
pub fn is_same_work(child: &Run, inputs: &Value, earlier: &Value) -> bool {
    if child.is_chunk() { flow::is_same_work(inputs, earlier) } else { inputs == earlier }
}

/// The children of one node with these numbers, to be started at `now`. Empty where the node starts none.
pub fn children_of(
    plan: &Plan,
    run: &Run,
    values: &Values,
    node: &NodeKey,
    numbers: &[u32],
    now: Timestamp,
) -> Result<Vec<ChildRun>, Failure> {
    let Some(i) = plan.find(node) else { return Ok(Vec::new()) };
    match plan.at(i).node_type.control() {
        Some(Control::Workflow) => {
            let (version, inputs) = of_workflow(plan, run, values, i)?;
            let mut child = started(plan, run, i, 0, now);
            (child.workflow_id, child.version_id) = (version.workflow_id, version.version_id);
            Ok(vec![ChildRun { run: child, inputs }])
        }
        Some(Control::ForEach) => chunks(plan, run, values, i, numbers, now),
        _ => Ok(Vec::new()),
    }
}

/// The version that a `workflow` node runs, and with what.
pub(crate) fn of_workflow<'a>(
    plan: &'a Plan,
    run: &Run,
    values: &Values,
    i: usize,
) -> Result<(&'a domain::UsedVersion, Value), Failure> {
    let metadata = &plan.at(i).metadata;
    let used = plan.version().uses.iter().find(|used| workflow::names(metadata, used)).ok_or_else(|| {
        let message = "this version was published without the version of the workflow that it runs";
        Failure::new(ErrorClass::Validation, "unknown_version", message)
    })?;
    let inputs = flow::with_context(plan, run, values, i, |context| workflow::inputs(metadata, context))?;
    Ok((used, inputs))
}

fn chunks(
    plan: &Plan,
    run: &Run,
    values: &Values,
    i: usize,
    numbers: &[u32],
    now: Timestamp,
) -> Result<Vec<ChildRun>, Failure> {
    let node = plan.at(i);
    let items = flow::with_context(plan, run, values, i, |context| for_each::items(&node.metadata, context))?;
    let base = flow::base(plan, run, values, i);
    let cut = Cut::of(&node.metadata, node.body.len());
    let mut path = plan.items().map(|items| items.chunk.path.clone()).unwrap_or_default();
    path.push(node.document.key.clone());
    let chunk = |number: u32| {
        let first = number.saturating_mul(cut.chunk_items);
        let part = items.chunks(cut.chunk_items as usize).nth(number as usize).unwrap_or_default();
        let mut child = started(plan, run, i, number, now);
        if let Some(parent) = &mut child.parent {
            parent.chunk = Some(Chunk {
                path: path.clone(),
                first,
                items: u32::try_from(part.len()).unwrap_or(u32::MAX),
                at_once: cut.at_once,
                time: run.time(),
            });
        }
        ChildRun { run: child, inputs: flow::chunk_inputs(part, &base) }
    };
    Ok(numbers.iter().copied().map(chunk).collect())
}

/// A child as it begins. One of a retry goes on from what the child of the earlier run has come to.
fn started(plan: &Plan, run: &Run, i: usize, child: u32, now: Timestamp) -> Run {
    let node = plan.key(i);
    let mut new = Run::start(NewRun {
        id: child_id(run.id, node, child),
        trigger: Trigger { kind: TriggerKind::Workflow, by: Some(run.id.to_string()) },
        created_on: now,
        ..NewRun::like(run)
    });
    new.parent = Some(Parent { run_id: run.id, node: node.clone(), child, chunk: None });
    new.deadline = run.deadline;
    new.max_running_steps = run.max_running_steps;
    new.retry_of = run.retry_of.as_ref().filter(|retry| goes_on(plan, i, &retry.from)).map(|retry| {
        let run_id = child_id(retry.run_id, node, child);
        RetryOf { run_id, from: RetryFrom::Failed }
    });
    new
}

/// Whether a node is done again only as far as it failed: it lies neither where the retry starts nor after it.
fn goes_on(plan: &Plan, i: usize, from: &RetryFrom) -> bool {
    match from {
        RetryFrom::Failed => true,
        RetryFrom::Start => false,
        RetryFrom::Node(first) => {
            let offset = plan.offset(i);
            let mut ancestors = plan.at(i).visible.iter().map(|ancestor| plan.key(offset + ancestor));
            plan.key(i) != first && !ancestors.any(|ancestor| ancestor == first)
        }
    }
}
