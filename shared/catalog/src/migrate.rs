//! The schema and how it gets into a database (OPS-10).

use std::collections::HashSet;

use sqlx::migrate::{Migrate, MigrateError, Migrator};

use crate::{Catalog, StoreError, error::store_error};

/// The migrations in `migrations/`, embedded. Forward only, each safe while the code before it still serves.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// A migration that can't have its lock this long gives up, instead of queueing every request of the old code behind it.
const LOCK_TIMEOUT: &str = "set lock_timeout = '5s'";

impl Catalog {
    /// Applies the migrations that are missing and answers their numbers. Of two calls at the same time the second waits for the
    /// first and finds nothing to do. What was applied before a failure stays applied.
    pub async fn migrate(&self) -> Result<Vec<i64>, StoreError> {
        const DOING: &str = "migrate";
        // A connection of our own: the advisory lock and the timeout end with it, on every way out of here.
        let mut connection = self.pool.acquire().await.map_err(store_error(DOING))?.detach();
        connection.lock().await.map_err(unavailable)?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut connection).await.map_err(store_error(DOING))?;
        connection.ensure_migrations_table(&MIGRATOR.table_name).await.map_err(unavailable)?;
        let before = connection.list_applied_migrations(&MIGRATOR.table_name).await.map_err(unavailable)?;
        MIGRATOR.run_direct(None, &mut connection, false).await.map_err(unavailable)?;

        let before: HashSet<i64> = before.iter().map(|migration| migration.version).collect();
        Ok(MIGRATOR
            .iter()
            .map(|migration| migration.version)
            .filter(|number| !before.contains(number))
            .collect())
    }
}

fn unavailable(cause: MigrateError) -> StoreError {
    StoreError::Unavailable { doing: "migrate", cause: Box::new(cause) }
}
