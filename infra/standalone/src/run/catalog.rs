//! The catalog as a run of a file needs it: the one version that was read from the file.

use app::ports::{Act, Draft, ExpertState, Runnable, StoreError, WorkflowCatalog};
use async_trait::async_trait;
use domain::{ExpertId, ServiceId, TeamId, VersionId, WorkflowId, WorkflowVersion};
use engine::Reference;

/// A workflow that has one version and no draft. What the version refers to is looked up elsewhere.
pub(crate) struct FileCatalog(pub(crate) WorkflowVersion);

impl FileCatalog {
    fn only(&self, team: TeamId, is_it: bool) -> Result<&WorkflowVersion, StoreError> {
        if is_it && self.0.team_id == team { Ok(&self.0) } else { Err(StoreError::NotFound) }
    }
}

#[async_trait]
impl WorkflowCatalog for FileCatalog {
    async fn runnable(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        _: Option<ServiceId>,
    ) -> Result<Runnable, StoreError> {
        let version = self.only(team, self.0.workflow_id == workflow)?;
        Ok(Runnable { version_id: Some(version.id), is_archived: false })
    }

    async fn numbered(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError> {
        let is_it = self.0.workflow_id == workflow && self.0.number == number;
        self.only(team, is_it).cloned()
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<WorkflowVersion, StoreError> {
        self.only(team, self.0.id == version).cloned()
    }

    async fn draft(&self, _: TeamId, _: WorkflowId) -> Result<Draft, StoreError> {
        Err(StoreError::NotFound)
    }

    async fn missing(&self, _: TeamId, references: &[Reference]) -> Result<Vec<Reference>, StoreError> {
        Ok(references.to_vec())
    }

    async fn experts(&self, _: TeamId, _: &[ExpertId]) -> Result<Vec<ExpertState>, StoreError> {
        Ok(Vec::new())
    }

    async fn insert_version(
        &self,
        _: WorkflowVersion,
        _: i64,
        _: Option<&str>,
        _: &Act,
    ) -> Result<WorkflowVersion, StoreError> {
        Err(StoreError::NotFound)
    }
}
