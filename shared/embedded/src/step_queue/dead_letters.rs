//! The messages that were received too often.

use app::ports::{DeadLetter, DeadLetterPage, DeadLetters, Redrive, StoreError};
use async_trait::async_trait;
use domain::{NodeKey, RunId, TeamId};
use uuid::Uuid;

use super::EmbeddedStepQueue;
use crate::error::unavailable;

#[async_trait]
impl DeadLetters for EmbeddedStepQueue {
    async fn list(&self, team: TeamId, limit: u32) -> Result<DeadLetterPage, StoreError> {
        let rows = sqlx::query!(
            "select id, run_id, node, receive_count, sent_on, died_on from embedded.dead_letters
            where team_id = $1 order by died_on desc, id desc limit $2",
            team.uuid(),
            i64::from(limit) + 1
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable("list dead letters"))?;
        let letters = rows.into_iter().map(|row| DeadLetter {
            id: row.id.to_string(),
            run_id: RunId::new(row.run_id),
            node: row.node.as_deref().map(NodeKey::from),
            receive_count: u32::try_from(row.receive_count).unwrap_or(u32::MAX),
            sent_on: row.sent_on,
            died_on: Some(row.died_on),
        });
        Ok(DeadLetterPage::cut(letters.collect(), limit))
    }

    async fn redrive(&self, team: TeamId, which: &Redrive) -> Result<Vec<String>, StoreError> {
        let wanted: Option<Vec<Uuid>> = match which {
            // What is no id names no letter.
            Redrive::Only(ids) => Some(ids.iter().filter_map(|id| id.parse().ok()).collect()),
            Redrive::All => None,
        };
        // One statement: a letter is a message again or still a letter.
        let risen = sqlx::query_scalar!(
            r#"with risen as (
                delete from embedded.dead_letters where team_id = $1 and ($2::uuid[] is null or id = any($2))
                returning id, team_id, run_id, node, priority
            ),
            sent as (
                insert into embedded.messages (id, team_id, run_id, node, sent_on, visible_on, receive_count, priority)
                select id, team_id, run_id, node, now(), now(), 0, priority from risen
                returning id
            )
            select id as "id!" from sent where pg_notify('heddle_steps', '')::text is not null"#,
            team.uuid(),
            wanted.as_deref() as _
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable("redrive dead letters"))?;
        self.hands.wake();
        Ok(risen.iter().map(ToString::to_string).collect())
    }
}
