//! The port to annotations: what people and programs remark on runs (RUN-18).

use async_trait::async_trait;
use domain::{AnnotationId, NodeKey, RunId, TeamId, Timestamp};

use super::{Actor, StoreError};

/// The most characters of an annotation.
pub const ANNOTATION_MAX: usize = 2000;

/// Remarks on runs. Added and read, never changed. Whether the run is the team's own is for the caller to find out: runs are kept elsewhere.
#[async_trait]
pub trait Annotations: Send + Sync {
    /// Keeps a remark.
    async fn annotate(&self, team: TeamId, annotation: &Annotation) -> Result<(), StoreError>;

    /// Up to `limit` remarks of the team on the run, newest first (by id), from what comes after `before`.
    async fn annotations(
        &self,
        team: TeamId,
        run: RunId,
        before: Option<AnnotationId>,
        limit: u32,
    ) -> Result<Vec<Annotation>, StoreError>;
}

/// A remark on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Its id; a later one is greater.
    pub id: AnnotationId,
    /// The run.
    pub run_id: RunId,
    /// The node, where it is about one.
    pub node: Option<NodeKey>,
    /// 1 to [`ANNOTATION_MAX`] characters.
    pub text: String,
    /// Who made it: a member or a service.
    pub author: Actor,
    /// When.
    pub created_on: Timestamp,
}
