//! Approvals: what people are asked, and what they decide.

use app::decide_approval::Decision;
use domain::{NodeKey, RunId, Timestamp, WorkflowId, WorkflowVersion};
use engine::{Awaited, NodeState, Run, Vote};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Something that waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalView {
    /// The run that waits.
    #[schema(value_type = Uuid)]
    run_id: RunId,
    #[schema(value_type = Uuid)]
    workflow_id: WorkflowId,
    /// The workflow's name when the version was published.
    #[schema(example = "Refunds")]
    workflow_name: String,
    /// The node that asks.
    #[schema(value_type = String, example = "ask")]
    node: NodeKey,
    /// What is to be decided.
    #[schema(example = "Refund 30 to Ann?")]
    title: String,
    /// JSON Schema of what is to be filled in; null where there is nothing to.
    form: Option<Value>,
    /// Who may decide; null for every editor and service.
    approvers: Option<Value>,
    /// How many have to approve.
    #[schema(example = 1)]
    quorum: u64,
    /// What was decided so far.
    votes: Vec<VoteView>,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    waits_since: Timestamp,
    /// Until when it may be decided; null for as long as the run may take.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_on: Option<Timestamp>,
}

/// One person's decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Vote)]
pub(crate) struct VoteView {
    /// Id of the member or service.
    #[schema(example = "01a20155-2112-714f-9307-c241d182a1ef")]
    by: String,
    /// Whether they approved.
    approved: bool,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    on: Timestamp,
    /// What they filled in.
    #[schema(example = json!({"reason": "as agreed"}))]
    form: Value,
}

impl From<&Vote> for VoteView {
    fn from(vote: &Vote) -> Self {
        Self { by: vote.by.clone(), approved: vote.approves, on: vote.on, form: vote.form.clone() }
    }
}

/// Everything that a run asks people for.
pub(crate) fn approvals_of(run: &Run, version: &WorkflowVersion) -> Vec<ApprovalView> {
    let of_node = |(node, state): (&NodeKey, &NodeState)| match state {
        NodeState::Waiting { on: Awaited::Approval { title, votes }, started_on, until, .. } => {
            let metadata = &version.graph.nodes.iter().find(|found| found.key == *node)?.metadata;
            Some(ApprovalView {
                run_id: run.id,
                workflow_id: run.workflow_id,
                workflow_name: version.workflow_name.clone(),
                node: node.clone(),
                title: title.clone(),
                form: metadata.get("form").cloned(),
                approvers: metadata.get("approvers").cloned(),
                quorum: metadata.get("quorum").and_then(Value::as_u64).unwrap_or(1),
                votes: votes.iter().map(VoteView::from).collect(),
                waits_since: *started_on,
                expires_on: *until,
            })
        }
        _ => None,
    };
    run.nodes.iter().filter_map(of_node).collect()
}

/// What a person decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decide {
    /// `approved` or `rejected`.
    decision: Verdict,
    /// What the approval's form asks for.
    #[serde(default)]
    #[schema(example = json!({"reason": "as agreed"}))]
    form: Value,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Approved,
    Rejected,
}

impl Decide {
    pub(crate) fn decision(self) -> Decision {
        Decision { approves: matches!(self.decision, Verdict::Approved), form: self.form }
    }
}
