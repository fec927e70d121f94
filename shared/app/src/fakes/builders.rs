//! Things that tests are about, in a few words.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    ExpertId, FrozenExpert, Graph, Priority, RunId, TeamId, Timestamp, Trigger, TriggerKind, VersionId,
    WorkflowId, WorkflowVersion,
};
use engine::{NewRun, Run};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{FixedChance, MemoryAdmissions, MemoryTimers};
use crate::{
    Conductor,
    ports::{Admissions, Clock, RunStore, StepQueue},
};

/// An id that no other test of this process has; with the process id, none of this machine either.
fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let low = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + (u128::from(std::process::id()) << 24) + low)
}

/// A team of its own.
pub fn team() -> TeamId {
    TeamId::new(fresh_id())
}

/// A call by a service.
pub const fn trigger() -> Trigger {
    Trigger { kind: TriggerKind::Api, by: None }
}

/// A graph from its JSON.
pub fn graph(json: Value) -> Graph {
    serde_json::from_value(json).expect("the test's graph has the form of one")
}

/// The first version of a workflow of its own, callable by services, with any inputs.
pub fn a_version(team_id: TeamId, graph: Graph) -> WorkflowVersion {
    WorkflowVersion {
        id: VersionId::new(fresh_id()),
        team_id,
        workflow_id: WorkflowId::new(fresh_id()),
        workflow_name: "orders".to_owned(),
        number: 1,
        graph,
        input_params: Map::new(),
        is_api: true,
        settings: domain::RunSettings::default(),
        uses: Vec::new(),
        experts: Vec::new(),
        created_on: Timestamp::UNIX_EPOCH,
    }
}

/// An expert with this prompt as a version keeps it, of a team of its own.
pub fn an_expert(prompt: &str) -> FrozenExpert {
    FrozenExpert {
        expert_id: ExpertId::new(fresh_id()),
        revision: 1,
        name: "Clerk".to_owned(),
        prompt: prompt.to_owned(),
        model_name: "a-model".to_owned(),
        input_params: Map::new(),
        settings: Map::new(),
    }
}

/// A run that was accepted at a time, of a workflow of its own.
pub fn a_run(team_id: TeamId, created_on: Timestamp) -> Run {
    Run::start(NewRun {
        id: RunId::new(fresh_id()),
        team_id,
        workflow_id: WorkflowId::new(fresh_id()),
        version_id: VersionId::new(fresh_id()),
        trigger: trigger(),
        priority: Priority::Default,
        created_on,
    })
}

/// A conductor on these stores, with timers that nobody lets fire and a jitter of a half.
pub fn a_conductor(
    store: Arc<dyn RunStore>,
    queue: Arc<dyn StepQueue>,
    clock: Arc<dyn Clock>,
) -> Arc<Conductor> {
    a_conductor_with(store, queue, Arc::new(MemoryAdmissions::default()), clock)
}

/// The same, with admissions that are looked at from outside too.
pub fn a_conductor_with(
    store: Arc<dyn RunStore>,
    queue: Arc<dyn StepQueue>,
    admissions: Arc<dyn Admissions>,
    clock: Arc<dyn Clock>,
) -> Arc<Conductor> {
    let timers = Arc::new(MemoryTimers::new(Arc::clone(&clock)));
    Arc::new(Conductor::new(store, queue, timers, admissions, clock, Arc::new(FixedChance(0.5))))
}
