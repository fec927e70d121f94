//! A process' sign of life: an advisory lock that the database gives back by itself when the process is gone.

use std::time::Duration;

use app::ports::StoreError;
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgConnectOptions};

use crate::error::unavailable;

/// The first half of our advisory locks' names; the second is the holder.
const CLASS: i32 = 0x4865_6464;

/// How often the messages of dead processes are looked for.
const INTERVAL: Duration = Duration::from_secs(2);

/// The connection that holds the lock.
pub(crate) struct Holder {
    connection: PgConnection,
    options: PgConnectOptions,
    number: i32,
}

impl Holder {
    /// Takes a lock that no living process has, named after the server's process for this connection.
    pub(crate) async fn take(pool: &PgPool) -> Result<Self, StoreError> {
        let doing = "register with the step queue";
        let options = (*pool.connect_options()).clone();
        let mut connection = PgConnection::connect_with(&options).await.map_err(unavailable(doing))?;
        let number =
            sqlx::query_scalar!(r#"select pg_backend_pid() as "pid!""#).fetch_one(&mut connection).await;
        let number = number.map_err(unavailable(doing))?;
        if lock(&mut connection, number).await.map_err(unavailable(doing))? {
            return Ok(Self { connection, options, number });
        }
        Err(unavailable(doing)("a process that reconnected has taken our number; try again"))
    }

    /// What this process' messages are marked with.
    pub(crate) const fn number(&self) -> i32 {
        self.number
    }

    /// Keeps the lock, and frees the messages of processes that have lost theirs, for as long as it is polled. `freed` is called when
    /// there were any.
    pub(crate) async fn keep(mut self, freed: impl Fn()) {
        loop {
            match self.free_orphans().await {
                Ok(0) => {}
                Ok(count) => {
                    tracing::info!(count, "messages of a process that has died are free again");
                    freed();
                }
                Err(error) => {
                    tracing::warn!(%error, "the step queue can't be looked after, connecting anew");
                    self.reconnect().await;
                }
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn free_orphans(&mut self) -> Result<u64, sqlx::Error> {
        let freed = sqlx::query!(
            "update embedded.messages set holder = null, visible_on = now()
            where holder is not null and holder not in (
                select objid::bigint::integer from pg_locks
                where locktype = 'advisory' and granted and classid::bigint = $1
                    and database = (select oid from pg_database where datname = current_database())
            )",
            i64::from(CLASS)
        );
        Ok(freed.execute(&mut self.connection).await?.rows_affected())
    }

    /// Whoever saw us without our lock may have freed our messages: they are delivered twice then, which is harmless.
    async fn reconnect(&mut self) {
        if let Ok(mut connection) = PgConnection::connect_with(&self.options).await
            && let Ok(true) = lock(&mut connection, self.number).await
        {
            self.connection = connection;
        }
    }
}

async fn lock(connection: &mut PgConnection, number: i32) -> Result<bool, sqlx::Error> {
    let locked = sqlx::query_scalar!(r#"select pg_try_advisory_lock($1, $2) as "locked!""#, CLASS, number);
    locked.fetch_one(connection).await
}
