//! The ports of `app` that the catalog stands behind.

use std::collections::HashSet;

use app::ports::{
    Act, ApiKeys, Draft, ExpertState, LimitPolicies, Retention, RetentionPolicies, Runnable, RunningLimit,
    ServiceCaller, StoreError, WorkflowCatalog,
};
use async_trait::async_trait;
use domain::{ExpertId, ServiceId, TeamId, VersionId, WorkflowId, WorkflowStatus, WorkflowVersion};
use engine::{Reference, ReferenceKind};
use uuid::Uuid;

use crate::{Catalog, graph_rows::read_draft, versions::read_version, word::Word};

#[async_trait]
impl WorkflowCatalog for Catalog {
    async fn draft(&self, team: TeamId, workflow: WorkflowId) -> Result<Draft, StoreError> {
        let mut tx = self.team(team, "read a draft").await?;
        let draft = read_draft(&mut *tx, team, workflow).await;
        tx.close(draft).await
    }

    async fn missing(&self, team: TeamId, references: &[Reference]) -> Result<Vec<Reference>, StoreError> {
        let experts = ids_of(references, ReferenceKind::Expert);
        let workflows = ids_of(references, ReferenceKind::Workflow);
        let collections = ids_of(references, ReferenceKind::Collection);
        let servers = ids_of(references, ReferenceKind::McpServer);
        let secrets = references.iter().filter(|reference| reference.kind == ReferenceKind::Secret);
        let secrets: Vec<String> = secrets.map(|reference| reference.id.clone()).collect();
        let mut tx = self.team(team, "look up references").await?;
        let found = sqlx::query!(
            r#"select 'expert' as "kind!", id::text as "id!" from experts
                where team_id = $1 and id = any ($2) and history_of is null
            union all
            select 'workflow', id::text from workflows where team_id = $1 and id = any ($3)
            union all
            select 'collection', id::text from collections where team_id = $1 and id = any ($4)
            union all
            select 'mcp_server', id::text from mcp_servers where team_id = $1 and id = any ($5)
            union all
            select distinct 'secret', name from secrets where team_id = $1 and name = any ($6)"#,
            team.uuid(),
            &experts,
            &workflows,
            &collections,
            &servers,
            &secrets
        )
        .fetch_all(&mut *tx)
        .await;
        let found = tx.end(found).await?;
        let found: HashSet<(&str, &str)> =
            found.iter().map(|row| (row.kind.as_str(), row.id.as_str())).collect();
        let exists = |reference: &Reference| {
            let kind = match reference.kind {
                ReferenceKind::Expert => "expert",
                ReferenceKind::Workflow => "workflow",
                ReferenceKind::Collection => "collection",
                ReferenceKind::McpServer => "mcp_server",
                ReferenceKind::Secret => return found.contains(&("secret", reference.id.as_str())),
            };
            // However the author wrote the id.
            let id = reference.id.parse().map(|id: Uuid| id.to_string());
            id.is_ok_and(|id| found.contains(&(kind, id.as_str())))
        };
        Ok(references.iter().filter(|reference| !exists(reference)).cloned().collect())
    }

    async fn experts(&self, team: TeamId, experts: &[ExpertId]) -> Result<Vec<ExpertState>, StoreError> {
        self.expert_states(team, experts).await
    }

    async fn insert_version(
        &self,
        version: WorkflowVersion,
        revision: i64,
        note: Option<&str>,
        act: &Act,
    ) -> Result<WorkflowVersion, StoreError> {
        self.version_insert(&version, revision, note, act).await
    }

    async fn runnable(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: Option<ServiceId>,
    ) -> Result<Runnable, StoreError> {
        let mut tx = self.team(team, "find the version to run").await?;
        let row = sqlx::query!(
            r#"select status as "status: Word<WorkflowStatus>", published_version_id
            from workflows w where team_id = $1 and id = $2
                and ($3::uuid is null or exists (select from workflow_services link
                    where link.team_id = $1 and link.workflow_id = w.id and link.service_id = $3))"#,
            team.uuid(),
            workflow.uuid(),
            service.map(ServiceId::uuid)
        )
        .fetch_one(&mut *tx)
        .await;
        let row = tx.end(row).await?;
        let is_archived = row.status.0 == WorkflowStatus::Archived;
        let version_id = row.published_version_id.map(VersionId::from).filter(|_| !is_archived);
        Ok(Runnable { version_id, is_archived })
    }

    async fn numbered(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError> {
        self.version_by_number(team, workflow, number).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<WorkflowVersion, StoreError> {
        let mut tx = self.team(team, "get a version").await?;
        let version = read_version(&mut *tx, team, version).await;
        tx.close(version).await
    }
}

/// The ids of one kind that are ids at all; what isn't can't exist.
fn ids_of(references: &[Reference], kind: ReferenceKind) -> Vec<Uuid> {
    references
        .iter()
        .filter(|reference| reference.kind == kind)
        .filter_map(|reference| reference.id.parse().ok())
        .collect()
}

#[async_trait]
impl ApiKeys for Catalog {
    async fn service_by_key(&self, key_sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError> {
        self.caller_by_key(key_sha256).await
    }
}

#[async_trait]
impl RetentionPolicies for Catalog {
    async fn retentions(&self) -> Result<Vec<Retention>, StoreError> {
        self.team_retentions().await
    }
}

#[async_trait]
impl LimitPolicies for Catalog {
    async fn limits(&self) -> Result<Vec<RunningLimit>, StoreError> {
        self.team_limits().await
    }
}
