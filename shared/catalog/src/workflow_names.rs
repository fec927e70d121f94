//! What workflows are called, for lists of what belongs to them.

use std::collections::HashMap;

use app::ports::{StoreError, WorkflowNames};
use async_trait::async_trait;
use domain::{TeamId, WorkflowId};
use uuid::Uuid;

use crate::Catalog;

#[async_trait]
impl WorkflowNames for Catalog {
    async fn names(
        &self,
        team: TeamId,
        workflows: &[WorkflowId],
    ) -> Result<HashMap<WorkflowId, String>, StoreError> {
        let ids: Vec<Uuid> = workflows.iter().map(|id| id.uuid()).collect();
        let mut tx = self.team(team, "name workflows").await?;
        let rows = sqlx::query!(
            "select id, name from workflows where team_id = $1 and id = any ($2)",
            team.uuid(),
            &ids
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(|row| (row.id.into(), row.name)).collect())
    }

    async fn named(&self, team: TeamId, text: &str, limit: u32) -> Result<Vec<WorkflowId>, StoreError> {
        let mut tx = self.team(team, "find workflows by name").await?;
        let ids = sqlx::query_scalar!(
            "select id from workflows
            where team_id = $1 and strpos(lower(name), lower($2)) > 0
            order by id desc limit $3",
            team.uuid(),
            text,
            i64::from(limit)
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(ids).await?.into_iter().map(WorkflowId::from).collect())
    }
}
