//! One type per kind of entity, so that a run's id can't be passed where a team's is meant. All are UUIDv7 (product.md, 7).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that was drawn or read elsewhere.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare id, for a store's columns.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

id_type!(
    /// A tenant.
    TeamId,
    /// A person; belongs to teams.
    MemberId,
    /// One who signs in: a person, or an end user of a service.
    UserId,
    /// A sign-in, with all the refresh tokens that it was given.
    SessionId,
    /// An offer to join a team.
    InvitationId,
    /// An external caller of a team, one per environment.
    ServiceId,
    /// A schema of what tells a service's end users apart.
    SegmentId,
    /// An end user of a service.
    ServiceUserId,
    /// A key that a team's secrets are encrypted with.
    DataKeyId,
    /// A prompt with model and parameters.
    ExpertId,
    /// An editable graph.
    WorkflowId,
    /// A node of a workflow's draft.
    NodeId,
    /// An edge of a workflow's draft.
    EdgeId,
    /// A draft that was set aside.
    DraftId,
    /// An immutable published snapshot of a workflow.
    VersionId,
    /// One execution of a version.
    RunId,
    /// A remark on a run.
    AnnotationId,
);
