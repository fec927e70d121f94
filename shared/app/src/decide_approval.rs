//! A person decides about an approval (HIT-01, HIT-02).

use domain::{NodeKey, Role, RunId, TeamId};
use engine::{
    Event, Rejected, Run, Vote,
    nodes::approval::{Approvers, allows_self_approval},
};
use serde_json::Value;
use tracing::info;

use crate::{
    advance_run::AdvanceError,
    conductor::{Conductor, Held},
    ports::StoreError,
};

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// Id of the member or service.
    pub id: String,
    /// The member's role in the team; None for a service, which acts as an editor does.
    pub role: Option<Role>,
}

/// What they decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whether they approve.
    pub approves: bool,
    /// What they filled in; null where there is no form.
    pub form: Value,
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The team has no such run, or the run no such approval.
    #[error("there is no such approval in this team")]
    NotFound,
    /// Others are to decide.
    #[error("others are to decide")]
    NotAllowed,
    /// It is decided, its time is over, or they have decided before.
    #[error("{0}")]
    TooLate(Rejected),
    /// The form is not filled in as asked: pointers into it, and messages.
    #[error("the form is not filled in as asked")]
    WrongForm(Vec<(String, String)>),
    /// Its version can't be executed, or a store failed.
    #[error(transparent)]
    Failed(AdvanceError),
}

impl From<AdvanceError> for DecideError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Store(StoreError::NotFound) => Self::NotFound,
            other => Self::Failed(other),
        }
    }
}

/// Counts a decision and lets the run go on once it is decided. The first decision of each person counts.
pub async fn decide_approval(
    conductor: &Conductor,
    team: TeamId,
    id: RunId,
    node: &NodeKey,
    by: &Decider,
    decision: Decision,
) -> Result<Run, DecideError> {
    let mut run = Held::load(conductor, team, id).await?;
    let metadata = match run.plan.node(node) {
        Some(found) if found.node_type == "approval" => &found.metadata,
        _ => return Err(DecideError::NotFound),
    };
    let is_own = run.run().trigger.by.as_deref() == Some(by.id.as_str());
    if !may_decide(Approvers::of(metadata).as_ref(), by) || (is_own && !allows_self_approval(metadata)) {
        return Err(DecideError::NotAllowed);
    }
    let Decision { approves, form } = decision;
    let vote = Vote { by: by.id.clone(), approves, on: conductor.clock.now(), form };
    match run.apply(Event::Decided { node: node.clone(), vote }, |_, _| None).await? {
        Ok(_) => info!(run_id = %id, team_id = %team, %node, by = by.id, approves, "{node} was decided on"),
        Err(Rejected::WrongForm { problems, .. }) => return Err(DecideError::WrongForm(problems)),
        Err(rejected) => return Err(DecideError::TooLate(rejected)),
    }
    run.dispatch().await?;
    Ok(run.run().clone())
}

/// Whether somebody is among those who may decide: where nobody is named, every editor and service.
pub fn may_decide(approvers: Option<&Approvers>, by: &Decider) -> bool {
    match approvers {
        None => by.role.is_none_or(|role| role >= Role::Editor),
        Some(Approvers::Role(least)) => by.role.unwrap_or(Role::Editor) >= *least,
        Some(Approvers::Members(ids)) => ids.contains(&by.id),
    }
}
