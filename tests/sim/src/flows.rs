//! Workflows: what Heddle is given, beside what it is to do with it.

use std::sync::Arc;

use domain::{NodeKey, RunSettings, TeamId, Timestamp, VersionId, WorkflowId, WorkflowVersion};
use serde_json::Map;
use uuid::Uuid;

use crate::graphs::{Call, Does, Shape, document, key};

/// A workflow with one published version.
#[derive(Debug)]
pub struct Flow {
    /// What it is to do.
    pub shapes: Vec<Shape>,
    /// What was published.
    pub version: Arc<WorkflowVersion>,
}

/// The team that owns everything.
pub fn team() -> TeamId {
    TeamId::new(Uuid::from_u128(1))
}

impl Flow {
    /// The `number`th workflow of a seed.
    pub fn new(number: u32, shapes: Vec<Shape>) -> Self {
        let id = |kind: u128| Uuid::from_u128((kind << 64) + u128::from(number));
        let version = WorkflowVersion {
            id: VersionId::new(id(2)),
            team_id: team(),
            workflow_id: WorkflowId::new(id(3)),
            workflow_name: format!("flow {number}"),
            number: 1,
            graph: document(&shapes),
            input_params: Map::new(),
            is_api: true,
            created_on: Timestamp::UNIX_EPOCH,
            settings: RunSettings::default(),
            uses: Vec::new(),
        };
        Self { shapes, version: Arc::new(version) }
    }

    /// The call that this node makes, if it makes one.
    pub fn call(&self, node: &NodeKey) -> Option<&Call> {
        self.calls().find(|(key, _)| key == node).map(|(_, call)| call)
    }

    /// How many seconds each of its nodes waits.
    pub fn waits(&self) -> impl Iterator<Item = u64> {
        self.shapes.iter().filter_map(|shape| match shape.does {
            Does::Wait(seconds) => Some(seconds.into()),
            _ => None,
        })
    }

    /// All nodes that make calls.
    pub fn calls(&self) -> impl Iterator<Item = (NodeKey, &Call)> {
        self.shapes.iter().enumerate().filter_map(|(i, shape)| Some((key(i), shape.does.as_call()?)))
    }
}
