//! What a retry keeps of the run that it goes on from.

use domain::{Node, NodeKey};

use crate::{NodeState, Plan, RetryFrom, Run, StepRecord};

/// The nodes of `earlier` that a run of `plan` need not do again, with their records: those that came to their end well, are the same in
/// both plans, do not come after where the retry starts, and depend on nothing but such nodes.
pub fn kept(
    plan: &Plan,
    earlier_plan: &Plan,
    earlier: &Run,
    records: &[StepRecord],
    from: &RetryFrom,
) -> (Vec<(NodeKey, NodeState)>, Vec<StepRecord>) {
    let mut is_kept = vec![false; plan.len()];
    for i in 0..plan.len() {
        let ended_well = matches!(
            earlier.nodes.get(plan.key(i)),
            Some(
                NodeState::Succeeded { .. }
                    | NodeState::Failed { handled: true, .. }
                    | NodeState::Skipped { .. }
            )
        );
        is_kept[i] = ended_well
            && !starts_at(from, plan.key(i))
            && is_same(plan, earlier_plan, i)
            && plan.incoming(i).all(|(parent, _)| is_kept[parent]);
    }
    let kept = |i: &usize| is_kept[*i];
    let nodes: Vec<_> = (0..plan.len())
        .filter(kept)
        .filter_map(|i| Some((plan.key(i).clone(), earlier.nodes.get(plan.key(i))?.clone())))
        .collect();
    let of_kept = |record: &&StepRecord| plan.find(&record.node).is_some_and(|i| is_kept[i]);
    (nodes, records.iter().filter(of_kept).cloned().collect())
}

fn starts_at(from: &RetryFrom, key: &NodeKey) -> bool {
    match from {
        RetryFrom::Failed => false,
        RetryFrom::Node(node) => node == key,
        RetryFrom::Start => true,
    }
}

/// Whether a node does the same with the same in both plans.
fn is_same(plan: &Plan, earlier: &Plan, i: usize) -> bool {
    let Some(other) = earlier.find(plan.key(i)) else { return false };
    let links = |plan: &Plan, i: usize| -> Vec<_> {
        plan.incoming(i).map(|(parent, link)| (plan.key(parent).clone(), link.label.clone())).collect()
    };
    what_it_does(&plan.at(i).document) == what_it_does(&earlier.at(other).document)
        && links(plan, i) == links(earlier, other)
}

/// A node without what only an editor sees.
fn what_it_does(node: &Node) -> Node {
    Node { id: None, name: String::new(), position: None, ..node.clone() }
}
