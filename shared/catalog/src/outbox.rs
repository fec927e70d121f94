//! What was committed and is still to be told. Entries are written by those whose change they tell of, in its transaction.

use app::ports::{Outbox, OutboxEntry, StoreError, Taken};
use async_trait::async_trait;
use domain::TeamId;
use uuid::Uuid;

use crate::{Catalog, error::store_error};

#[async_trait]
impl Outbox for Catalog {
    async fn outbox_due(&self, limit: u32) -> Result<Vec<(TeamId, String)>, StoreError> {
        let rows = sqlx::query!(
            r#"select team_id as "team_id!", kind as "kind!" from outbox_due($1)"#,
            i32::try_from(limit).unwrap_or(i32::MAX)
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("look for what is to be told"))?;
        Ok(rows.into_iter().map(|row| (row.team_id.into(), row.kind)).collect())
    }

    async fn outbox_take(&self, team: TeamId, kind: &str) -> Result<Taken, StoreError> {
        let mut tx = self.team(team, "take what is to be told").await?;
        // Seen first, numbered then: whoever has a greater number has seen at least as much.
        let rows = sqlx::query!(
            "update outbox set attempts = attempts + 1,
                next_attempt_at = now() + least(power(2, least(attempts, 20)) * interval '15 seconds', interval '1 hour')
            where team_id = $1 and kind = $2 and published_at is null
            returning id, payload",
            team.uuid(),
            kind
        )
        .fetch_all(&mut *tx)
        .await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return tx.end(Err(error)).await,
        };
        let order =
            sqlx::query_scalar!(r#"select nextval('outbox_order') as "order!""#).fetch_one(&mut *tx).await;
        let order = tx.end(order).await?;
        let entries = rows.into_iter().map(|row| OutboxEntry { id: row.id, payload: row.payload });
        Ok(Taken { order, entries: entries.collect() })
    }

    /// Forgets what was told a week ago on the way.
    async fn outbox_told(&self, team: TeamId, ids: &[Uuid]) -> Result<(), StoreError> {
        let mut tx = self.team(team, "note what was told").await?;
        let noted = sqlx::query!(
            "with old as (
                delete from outbox where team_id = $1 and published_at < now() - interval '7 days'
            )
            update outbox set published_at = now(), last_error = null where team_id = $1 and id = any ($2)",
            team.uuid(),
            ids
        )
        .execute(&mut *tx)
        .await;
        tx.end(noted).await.map(drop)
    }

    async fn outbox_failed(&self, team: TeamId, ids: &[Uuid], error: &str) -> Result<(), StoreError> {
        let mut tx = self.team(team, "note what could not be told").await?;
        let noted = sqlx::query!(
            "update outbox set last_error = left($3, 1000) where team_id = $1 and id = any ($2)",
            team.uuid(),
            ids,
            error
        )
        .execute(&mut *tx)
        .await;
        tx.end(noted).await.map(drop)
    }
}
