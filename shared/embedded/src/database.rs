//! The schema and the connections.

use std::{borrow::Cow, time::Duration};

use sqlx::{
    PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// How long a caller waits for a connection before it gets [`StoreError::Unavailable`](app::ports::StoreError::Unavailable).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The migrations of this crate. They keep to a schema of their own, `embedded`, books included, beside the catalog's.
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.table_name = Cow::Borrowed("embedded.migrations");
    migrator.create_schemas = Cow::Borrowed(&[Cow::Borrowed("embedded")]);
    migrator
}

/// How statements are planned: once, since planning the writer's anew for each batch costs more than executing it; and by index whatever
/// the tables hold at that moment, since on the first day they are empty and reading them whole looks cheap.
const BY_INDEX: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// Connections for [`Embedded`](crate::Embedded), made when they are first needed. Whoever asks Postgres other questions than it does, of
/// which not all have an index, wants connections of their own.
///
/// Must be called inside a tokio runtime.
pub fn connect_lazy(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // One process with a server of its own: a connection that broke shows by its next error, and asking first would double each query.
        .test_before_acquire(false)
        .connect_lazy_with(options.application_name("heddle").options(BY_INDEX))
}
