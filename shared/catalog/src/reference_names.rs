//! What the things are called that a graph names by their ids.

use std::collections::HashMap;

use domain::TeamId;
use engine::{Reference, ReferenceKind};
use uuid::Uuid;

use crate::{Catalog, StoreError};

impl Catalog {
    /// The names of those of `references` that the team has, by their kind and id; secrets are their names.
    pub async fn reference_names(
        &self,
        team: TeamId,
        references: &[Reference],
    ) -> Result<HashMap<(ReferenceKind, Uuid), String>, StoreError> {
        let ids: Vec<Uuid> = references.iter().filter_map(|reference| reference.id.parse().ok()).collect();
        let mut tx = self.team(team, "name what a graph refers to").await?;
        let rows = sqlx::query!(
            r#"select 'expert' as "kind!", id as "id!", name as "name!" from experts
                where team_id = $1 and id = any ($2) and history_of is null
            union all
            select 'workflow', id, name from workflows where team_id = $1 and id = any ($2)
            union all
            select 'collection', id, name from collections where team_id = $1 and id = any ($2)
            union all
            select 'mcp_server', id, name from mcp_servers where team_id = $1 and id = any ($2)"#,
            team.uuid(),
            &ids
        )
        .fetch_all(&mut *tx)
        .await;
        let named = tx.end(rows).await?.into_iter().map(|row| {
            let kind = match row.kind.as_str() {
                "expert" => ReferenceKind::Expert,
                "workflow" => ReferenceKind::Workflow,
                "collection" => ReferenceKind::Collection,
                _ => ReferenceKind::McpServer,
            };
            ((kind, row.id), row.name)
        });
        Ok(named.collect())
    }
}
