//! The vocabulary of Heddle as plain data: ids, roles and their permissions, the workflow graph, statuses, problems.
//!
//! Parsing and printing only. This crate does no I/O, knows no clock and draws no random numbers; what needs an id
//! or the time receives it.

pub mod expert;
pub mod graph;
pub mod ids;
pub mod permission;
pub mod priority;
pub mod problem;
pub mod run;
pub mod standing;
pub mod team;
pub mod workflow;

pub use expert::ExpertStatus;
pub use graph::{Edge, Graph, Node, NodeKey, OnError, Position, RetryPolicy};
pub use ids::{
    AnnotationId, DataKeyId, DraftId, EdgeId, ExpertId, InvitationId, MemberId, NodeId, RunId, SegmentId,
    ServiceId, ServiceUserId, SessionId, TeamId, UserId, VersionId, WorkflowId,
};
pub use permission::{Holder, Permission, Permissions};
pub use priority::Priority;
pub use problem::{FieldError, Problem};
pub use run::{ErrorClass, Failure, RunStatus, StepStatus, Trigger, TriggerKind};
pub use standing::Standing;
pub use team::{Environment, Role};
pub use workflow::{FrozenExpert, OnFailure, RunSettings, UsedVersion, WorkflowStatus, WorkflowVersion};

/// A point in time, UTC. Printed as RFC 3339.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
