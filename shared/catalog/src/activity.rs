//! What people and programs did lately, for people to read (TEN-10). Nothing is proven by it; the audit log is for that.

use app::ports::Activity;
use domain::{TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{query_as, types::Json};
use uuid::Uuid;

use crate::{Catalog, StoreError, actor::actor};

/// Which activity to list. Absent fields filter nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Only of this person or service.
    pub actor_id: Option<Uuid>,
    /// Only about this.
    pub resource_id: Option<Uuid>,
}

impl Catalog {
    /// Up to `limit` entries of the team that pass the filter, newest first (by id), from what comes after `before`.
    pub async fn activity_list(
        &self,
        team: TeamId,
        filter: ActivityFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Activity>, StoreError> {
        let mut tx = self.team(team, "list activity").await?;
        let rows = query_as!(
            Row,
            r#"select id, actor_kind, actor_id, action, resource_kind, resource_id,
                details as "details: Json<Map<String, Value>>", host(ip) as ip, user_agent, created_on
            from activity
            where team_id = $1
                and ($2::uuid is null or actor_id = $2)
                and ($3::uuid is null or resource_id = $3)
                and ($4::uuid is null or id < $4)
            order by id desc limit $5"#,
            team.uuid(),
            filter.actor_id,
            filter.resource_id,
            before,
            i64::from(limit)
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Activity::from).collect())
    }
}

struct Row {
    id: Uuid,
    actor_kind: String,
    actor_id: Option<Uuid>,
    action: String,
    resource_kind: Option<String>,
    resource_id: Option<Uuid>,
    details: Json<Map<String, Value>>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_on: Timestamp,
}

impl From<Row> for Activity {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            actor: actor(&row.actor_kind, row.actor_id),
            action: row.action,
            resource_kind: row.resource_kind,
            resource_id: row.resource_id,
            details: row.details.0,
            ip: row.ip.and_then(|ip| ip.parse().ok()),
            user_agent: row.user_agent,
            at: row.created_on,
        }
    }
}
