//! Timers as rows that a loop of the process looks through.

use std::sync::Arc;

use app::{
    ports::{Clock, Due, Fired, Name, StoreError, Timer, TimerSink, Timers},
    recurrence::Recurrence,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::Timestamp;
use sqlx::{PgConnection, PgPool, query, query_as};
use tracing::warn;

use crate::error::{malformed, unavailable};

const FIRE: &str = "fire timers";

/// A message that could not be handed over is tried again after 1, 2, 4 … seconds, and at last every so many.
const LONGEST_PAUSE_S: i64 = 300;

/// Timers in the table `embedded.timers`. They fire while somebody calls [`EmbeddedTimers::fire_due`]; several may, in several
/// processes, and none of them gets a timer that another one is handing over.
pub struct EmbeddedTimers {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

impl EmbeddedTimers {
    /// Timers in a migrated database, due by this clock.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    /// Hands up to `limit` due timers to the sink, the longest due first, and answers how many were due: as many as `limit`, if there
    /// may be more. To be called about once a second.
    ///
    /// A one-time timer is deleted, and a recurring one moved to its next occurrence after now, in the transaction that found it due and
    /// only when its message was taken over. A crash before the commit delivers again. Occurrences that were missed while
    /// nobody called are delivered as one, the first of them. A message that the sink refuses waits a while and holds up no other.
    ///
    /// Holds one connection while the sink works, so a sink that uses the same pool needs another.
    pub async fn fire_due(&self, limit: u32, sink: &dyn TimerSink) -> Result<u32, StoreError> {
        let now = self.clock.now();
        let mut transaction = self.pool.begin().await.map_err(unavailable(FIRE))?;
        let due = take_due(&mut transaction, now, limit).await?;
        for row in &due {
            match row.hand_over(sink).await {
                Ok(due) => settle(&mut transaction, &row.name, due.next(now)).await?,
                Err(error) => {
                    warn!(timer = row.name, failures = row.failures, %error, "timer {} could not be delivered, retrying", row.name);
                    put_off(&mut transaction, row, now).await?;
                }
            }
        }
        transaction.commit().await.map_err(unavailable(FIRE))?;
        Ok(u32::try_from(due.len()).unwrap_or(limit))
    }
}

#[async_trait]
impl Timers for EmbeddedTimers {
    async fn put(&self, timer: &Timer) -> Result<(), StoreError> {
        let Some(due_on) = timer.due.first(self.clock.now()) else {
            return self.delete(&timer.name).await;
        };
        let recurrence = match &timer.due {
            Due::Once(_) => None,
            Due::Recurring(recurrence) => Some(recurrence),
        };
        query(
            "insert into embedded.timers (name, due_on, cron, time_zone, message, next_try_on)
            values ($1, $2, $3, $4, $5, $2)
            on conflict (name) do update set
                due_on = excluded.due_on, cron = excluded.cron, time_zone = excluded.time_zone,
                message = excluded.message, next_try_on = excluded.next_try_on, failures = 0",
        )
        .bind(timer.name.as_str())
        .bind(due_on)
        .bind(recurrence.map(Recurrence::cron))
        .bind(recurrence.map(Recurrence::time_zone))
        .bind(timer.message.to_string())
        .execute(&self.pool)
        .await
        .map_err(unavailable("keep a timer"))?;
        Ok(())
    }

    async fn delete(&self, name: &Name) -> Result<(), StoreError> {
        let delete = query("delete from embedded.timers where name = $1").bind(name.as_str());
        delete.execute(&self.pool).await.map_err(unavailable("delete a timer"))?;
        Ok(())
    }
}

/// A timer that is due, locked.
#[derive(sqlx::FromRow)]
struct DueRow {
    name: String,
    due_on: Timestamp,
    cron: Option<String>,
    time_zone: Option<String>,
    message: String,
    failures: i32,
}

impl DueRow {
    /// Delivers the message; answers the timer's rule.
    async fn hand_over(&self, sink: &dyn TimerSink) -> Result<Due, StoreError> {
        let due = match (&self.cron, &self.time_zone) {
            (Some(cron), Some(zone)) => {
                Due::Recurring(Recurrence::parse(cron, zone).map_err(unavailable(FIRE))?)
            }
            _ => Due::Once(self.due_on),
        };
        let timer = Name::parse(&self.name).map_err(|_| malformed(FIRE, "name"))?;
        let message = serde_json::from_str(&self.message).map_err(unavailable(FIRE))?;
        sink.fired(&Fired { timer, due_on: self.due_on, message }).await?;
        Ok(due)
    }
}

async fn take_due(
    transaction: &mut PgConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueRow>, StoreError> {
    query_as(
        "select name, due_on, cron, time_zone, message, failures
        from embedded.timers
        where next_try_on <= $1
        order by next_try_on
        limit $2
        for update skip locked",
    )
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(transaction)
    .await
    .map_err(unavailable(FIRE))
}

/// Moves a timer that was delivered to its next occurrence, or deletes it.
async fn settle(
    transaction: &mut PgConnection,
    timer: &str,
    next: Option<Timestamp>,
) -> Result<(), StoreError> {
    let settle = match next {
        Some(next) => {
            query("update embedded.timers set due_on = $2, next_try_on = $2, failures = 0 where name = $1")
                .bind(timer)
                .bind(next)
        }
        None => query("delete from embedded.timers where name = $1").bind(timer),
    };
    settle.execute(transaction).await.map_err(unavailable(FIRE))?;
    Ok(())
}

/// Lets a timer wait that could not be delivered.
async fn put_off(transaction: &mut PgConnection, row: &DueRow, now: Timestamp) -> Result<(), StoreError> {
    let pause_s = LONGEST_PAUSE_S.min(1 << row.failures.clamp(0, 30));
    query("update embedded.timers set next_try_on = $2, failures = failures + 1 where name = $1")
        .bind(&row.name)
        .bind(now + TimeDelta::seconds(pause_s))
        .execute(transaction)
        .await
        .map_err(unavailable(FIRE))?;
    Ok(())
}
