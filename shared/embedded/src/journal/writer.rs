//! The writer of a lane.

use std::{collections::VecDeque, time::Duration};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::{sync::mpsc, time::timeout};

use super::Claims;

/// The most entries of a batch, so that the first of them does not wait for ever more of the others.
const MOST_ENTRIES: usize = 256;

/// The most bytes of JSON of a batch.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How long what nobody waits for stays, to be written with something that somebody does.
const PATIENCE: Duration = Duration::from_millis(25);

/// Entries that are written together, by one statement.
pub(super) trait Batch: Sized + Send {
    type Entry: Send;
    /// Which rows were accepted.
    type Written: Send;

    fn new(claims: Claims) -> Self;

    /// Takes an entry in, or gives it back if it has to wait for the next batch: a statement does not see its own effects, so there
    /// is at most one entry for a row.
    fn add(&mut self, entry: Self::Entry) -> Option<Self::Entry>;

    /// Entries so far.
    fn len(&self) -> usize;

    /// Bytes of JSON so far.
    fn bytes(&self) -> usize;

    /// Whether somebody waits for any of it.
    fn is_awaited(&self) -> bool;

    /// Writes everything in one round trip; durable when this answers.
    fn write(
        &self,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Written, sqlx::Error>> + Send;

    /// Tells everyone what came of their entry.
    fn succeed(self, written: &Self::Written);

    /// Tells everyone that nothing is known to be written.
    fn fail(self, error: sqlx::Error);

    /// The entries again.
    fn into_entries(self) -> Vec<Self::Entry>;
}

/// Writes batch after batch, until every sender is dropped and nothing is left.
pub(super) async fn run<B: Batch>(pool: PgPool, claims: Claims, mut entries: mpsc::Receiver<B::Entry>) {
    let (mut held_over, mut line) = (VecDeque::new(), Line { pool, connection: None });
    while let Some(batch) = gather::<B>(&claims, &mut entries, &mut held_over).await {
        write(batch, &claims, &mut line).await;
    }
}

/// The writer's connection, kept for as long as it works: a pool asks a connection that comes back whether it is well, which would be a
/// second round trip for each batch.
struct Line {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
}

impl Line {
    async fn write<B: Batch>(&mut self, batch: &B) -> Result<B::Written, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(self.pool.acquire().await?),
        };
        let written = batch.write(connection).await;
        if written.as_ref().is_err_and(is_broken) {
            self.connection = None;
        }
        written
    }
}

/// Whether the connection is of no more use: it failed, or the server ends it (SQLSTATE 57P01 and its kin).
fn is_broken(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error();
    refusal.is_none_or(|refusal| refusal.code().is_some_and(|code| code.starts_with("57P")))
}

/// What there is to write; waits for it. None at the end.
async fn gather<B: Batch>(
    claims: &Claims,
    entries: &mut mpsc::Receiver<B::Entry>,
    held_over: &mut VecDeque<B::Entry>,
) -> Option<B> {
    let mut batch = B::new(claims.clone());
    for entry in std::mem::take(held_over) {
        held_over.extend(batch.add(entry));
    }
    while batch.len() < MOST_ENTRIES && batch.bytes() < MOST_BYTES {
        let next = match (batch.len(), batch.is_awaited()) {
            (0, _) => entries.recv().await,
            (_, false) => timeout(PATIENCE, entries.recv()).await.ok().flatten(),
            (_, true) => entries.try_recv().ok(),
        };
        match next {
            Some(entry) => held_over.extend(batch.add(entry)),
            None => break,
        }
    }
    (batch.len() > 0).then_some(batch)
}

/// Writes a batch. One that the database refuses is taken apart, so that what is wrong with one entry harms no other.
async fn write<B: Batch>(batch: B, claims: &Claims, line: &mut Line) {
    match line.write(&batch).await {
        Ok(written) => batch.succeed(&written),
        Err(error) if batch.len() > 1 && !is_broken(&error) => {
            for entry in batch.into_entries() {
                let mut single = B::new(claims.clone());
                single.add(entry);
                match line.write(&single).await {
                    Ok(written) => single.succeed(&written),
                    Err(error) => single.fail(error),
                }
            }
        }
        Err(error) => batch.fail(error),
    }
}
