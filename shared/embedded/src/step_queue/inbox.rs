//! Receiving from the table.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use app::ports::{ANY_CLASS, Delivered, Hint, StoreError};
use domain::{NodeKey, RunId, TeamId};
use uuid::Uuid;

use super::{EmbeddedStepQueue, priority};
use crate::error::{malformed, unavailable};

/// How long a process may overlook a message whose notification was lost.
pub(crate) const POLL: Duration = Duration::from_secs(1);

impl EmbeddedStepQueue {
    /// Receives until there is something or the patience ends.
    pub(super) async fn receive_within(
        &self,
        at_most: u32,
        patience: Duration,
    ) -> Result<Vec<Delivered>, StoreError> {
        let end = Instant::now() + patience;
        loop {
            let found = self.take(at_most.min(10)).await?;
            let left = end.saturating_duration_since(Instant::now());
            if !found.is_empty() || left.is_zero() {
                return Ok(found);
            }
            self.hands.no_backlog();
            self.hands.work(left.min(POLL)).await;
        }
    }

    /// Receives what is due now: class by class, of each team in turn, the oldest first; now and then of all classes as if
    /// they were one. What was received too often is moved to the dead letters. Not flushed to the disk before it answers: a
    /// receive that is lost in a crash happens again.
    pub(crate) async fn take(&self, at_most: u32) -> Result<Vec<Delivered>, StoreError> {
        let doing = "receive hints";
        let rows = sqlx::query_file!(
            "src/step_queue/take.sql",
            i64::from(at_most),
            i32::try_from(self.options.max_receives).unwrap_or(i32::MAX),
            self.options.visibility.as_secs_f64(),
            self.holder,
            self.looks.fetch_add(1, Ordering::Relaxed) % ANY_CLASS == ANY_CLASS - 1
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(doing))?;
        let delivered = rows.into_iter().map(|row| {
            let (run_id, team_id) = (RunId::new(row.run_id), TeamId::new(row.team_id));
            let id = row.id.to_string();
            Delivered {
                receipt: id.clone(),
                id,
                hint: Hint {
                    run_id,
                    team_id,
                    node: row.node.as_deref().map(NodeKey::from),
                    priority: priority::of_row(row.priority),
                },
                receive_count: u32::try_from(row.receive_count).unwrap_or(u32::MAX),
            }
        });
        Ok(delivered.collect())
    }

    pub(super) async fn release_message(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
        let doing = "release a hint";
        sqlx::query!(
            "update embedded.messages set visible_on = now() + make_interval(secs => $2), holder = null where id = $1",
            id_of(receipt)?,
            f64::from(delay_s)
        )
        .execute(&self.pool)
        .await
        .map_err(unavailable(doing))?;
        self.hands.expect_work_in(Duration::from_secs(u64::from(delay_s)));
        Ok(())
    }
}

pub(super) fn id_of(receipt: &str) -> Result<Uuid, StoreError> {
    receipt.parse().map_err(|_| malformed("find a message", "receipt"))
}
