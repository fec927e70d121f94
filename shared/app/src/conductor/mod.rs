//! Moving stored runs: an event is decided on, committed, and what the committed state then asks for is done. Workers do so with what
//! they execute, the API with what people ask for.

mod admission;
mod children;
mod dispatch;
mod held;
mod slots;
mod turns;

use std::sync::Arc;

use domain::{TeamId, VersionId};
use engine::{Plan, Run};

pub(crate) use held::Held;
use turns::RunTurns;

use crate::{
    AdvanceError,
    cache::Cache,
    ports::{Admissions, Chance, Clock, RunStore, StepQueue, StoreError, Timers},
};

/// Plans kept in a process; a busy worker serves few versions at a time.
const PLANS: usize = 64;

/// What moves runs. Built once and shared by everything in the process that does.
pub struct Conductor {
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) queue: Arc<dyn StepQueue>,
    pub(crate) timers: Arc<dyn Timers>,
    pub(crate) admissions: Arc<dyn Admissions>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    plans: Cache<VersionId, Plan>,
    turns: RunTurns,
}

impl Conductor {
    /// A conductor on these ports.
    pub fn new(
        store: Arc<dyn RunStore>,
        queue: Arc<dyn StepQueue>,
        timers: Arc<dyn Timers>,
        admissions: Arc<dyn Admissions>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        Self {
            store,
            queue,
            timers,
            admissions,
            clock,
            chance,
            plans: Cache::new(PLANS),
            turns: RunTurns::default(),
        }
    }

    /// The plan of what a run executes.
    pub(crate) async fn plan(&self, run: &Run) -> Result<Plan, AdvanceError> {
        let plan = self.plan_of_version(run.team_id, run.version_id).await?;
        // A chunk that its version does not have was made by no version of this code.
        plan.of_run(run).ok_or(AdvanceError::VersionInvalid { id: run.version_id, violations: Vec::new() })
    }

    /// The plan of a version: read and compiled once, since it never changes.
    pub(crate) async fn plan_of_version(&self, team: TeamId, id: VersionId) -> Result<Plan, AdvanceError> {
        if let Some(plan) = self.plans.get(&id) {
            // A cache knows no teams, so the version does.
            return if plan.version().team_id == team {
                Ok(plan)
            } else {
                Err(AdvanceError::VersionMissing(id))
            };
        }
        let version = self.store.version(team, id).await.map_err(|error| match error {
            StoreError::NotFound => AdvanceError::VersionMissing(id),
            other => other.into(),
        })?;
        let plan =
            engine::compile(version).map_err(|violations| AdvanceError::VersionInvalid { id, violations })?;
        self.plans.insert(id, plan.clone());
        Ok(plan)
    }
}
