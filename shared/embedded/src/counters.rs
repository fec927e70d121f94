//! Counters as rows of a table that is not logged.

use std::{sync::Arc, time::Duration};

use app::ports::{Clock, Count, Counters, StoreError, Window};
use async_trait::async_trait;
use sqlx::{PgPool, query, query_scalar};

use crate::error::unavailable;

/// Counters in the table `embedded.counters`: a row per key and window, and one statement per addition, which waits for no disk.
pub struct EmbeddedCounters {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

impl EmbeddedCounters {
    /// Counters in a migrated database, in windows of this clock.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    /// Deletes the counts of windows that have ended; answers how many. To be called now and then: nobody reads them any more.
    pub async fn forget_ended(&self) -> Result<u64, StoreError> {
        let delete = query("delete from embedded.counters where ends_on <= $1").bind(self.clock.now());
        let deleted = delete.execute(&self.pool).await.map_err(unavailable("forget ended counters"))?;
        Ok(deleted.rows_affected())
    }
}

#[async_trait]
impl Counters for EmbeddedCounters {
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError> {
        let Window { length_s, ends_on } = Window::at(self.clock.now(), window);
        let count: i64 = query_scalar(
            "insert into embedded.counters as present (key, window_s, ends_on, count)
            values ($1, $2, $3, $4)
            on conflict (key, window_s, ends_on) do update set count = present.count + excluded.count
            returning count",
        )
        .bind(key)
        .bind(length_s)
        .bind(ends_on)
        .bind(i64::from(n))
        .fetch_one(&self.pool)
        .await
        .map_err(unavailable("count"))?;
        Ok(Count { count: count.unsigned_abs(), ends_on })
    }
}
