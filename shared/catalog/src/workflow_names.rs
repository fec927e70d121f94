//! What workflows are called, for lists of what belongs to them.

use std::collections::HashMap;

use app::ports::{StoreError, WorkflowNames};
use async_trait::async_trait;
use domain::{TeamId, WorkflowId};
use uuid::Uuid;

use crate::{Catalog, error::store_error};

#[async_trait]
impl WorkflowNames for Catalog {
    async fn names(
        &self,
        team: TeamId,
        workflows: &[WorkflowId],
    ) -> Result<HashMap<WorkflowId, String>, StoreError> {
        let ids: Vec<Uuid> = workflows.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            "select id, name from workflows where team_id = $1 and id = any ($2)",
            team.uuid(),
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error("name workflows"))?;
        Ok(rows.into_iter().map(|row| (row.id.into(), row.name)).collect())
    }

    async fn named(&self, team: TeamId, text: &str, limit: u32) -> Result<Vec<WorkflowId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select id from workflows
            where team_id = $1 and strpos(lower(name), lower($2)) > 0
            order by id desc limit $3",
            team.uuid(),
            text,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error("find workflows by name"))?;
        Ok(ids.into_iter().map(WorkflowId::from).collect())
    }
}
