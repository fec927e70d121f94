//! The schema and how it gets into a database (OPS-10).

use std::collections::HashSet;

use sqlx::{
    PgConnection,
    migrate::{Migrate, MigrateError, Migrator},
};

use crate::{Catalog, StoreError, error::store_error};

/// The migrations in `migrations/`, embedded. Forward only, each safe while the code before it still serves.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What a failure is said to be of.
const DOING: &str = "migrate";

/// A migration that can't have its lock this long gives up, instead of queueing every request of the old code behind it.
const LOCK_TIMEOUT: &str = "set lock_timeout = '5s'";

/// SQLSTATE of a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

impl Catalog {
    /// Applies the migrations of the catalog; see [`Catalog::apply`].
    pub async fn migrate(&self) -> Result<Vec<i64>, StoreError> {
        self.apply(&MIGRATOR).await
    }

    /// Applies the migrations that are missing and answers their numbers. Of two calls at the same time the second waits for the
    /// first and finds nothing to do. What was applied before a failure stays applied.
    pub async fn apply(&self, migrator: &Migrator) -> Result<Vec<i64>, StoreError> {
        // A connection of our own: the advisory lock and the timeout end with it, on every way out of here.
        let mut connection = self.pool.acquire().await.map_err(store_error(DOING))?.detach();
        connection.lock().await.map_err(unavailable)?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut connection).await.map_err(store_error(DOING))?;
        let missing = missing(&mut connection, migrator).await?;
        migrator.run_direct(None, &mut connection, false).await.map_err(unavailable)?;
        Ok(missing)
    }

    /// The numbers of the migrations that [`Catalog::apply`] would apply. Changes nothing.
    pub async fn pending(&self, migrator: &Migrator) -> Result<Vec<i64>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(store_error(DOING))?;
        missing(&mut connection, migrator).await
    }
}

async fn missing(connection: &mut PgConnection, migrator: &Migrator) -> Result<Vec<i64>, StoreError> {
    let applied = match connection.list_applied_migrations(&migrator.table_name).await {
        Ok(applied) => applied,
        // Without its books, nothing was applied.
        Err(MigrateError::Execute(error)) if is_undefined_table(&error) => Vec::new(),
        Err(error) => return Err(unavailable(error)),
    };
    let applied: HashSet<i64> = applied.iter().map(|migration| migration.version).collect();
    Ok(migrator
        .iter()
        .map(|migration| migration.version)
        .filter(|number| !applied.contains(number))
        .collect())
}

fn is_undefined_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == UNDEFINED_TABLE)
}

fn unavailable(cause: MigrateError) -> StoreError {
    StoreError::Unavailable { doing: DOING, cause: Box::new(cause) }
}
