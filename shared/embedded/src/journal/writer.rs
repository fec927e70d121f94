//! The writer of a lane.

use std::{collections::VecDeque, time::Duration};

use sqlx::PgPool;
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
    fn write(&self, pool: &PgPool) -> impl Future<Output = Result<Self::Written, sqlx::Error>> + Send;

    /// Tells everyone what came of their entry.
    fn succeed(self, written: &Self::Written);

    /// Tells everyone that nothing is known to be written.
    fn fail(self, error: sqlx::Error);

    /// The entries again.
    fn into_entries(self) -> Vec<Self::Entry>;
}

/// Writes batch after batch, until every sender is dropped and nothing is left.
pub(super) async fn run<B: Batch>(pool: PgPool, claims: Claims, mut entries: mpsc::Receiver<B::Entry>) {
    let mut held_over = VecDeque::new();
    while let Some(batch) = gather::<B>(&claims, &mut entries, &mut held_over).await {
        write(batch, &claims, &pool).await;
    }
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
async fn write<B: Batch>(batch: B, claims: &Claims, pool: &PgPool) {
    match batch.write(pool).await {
        Ok(written) => batch.succeed(&written),
        Err(error) if batch.len() > 1 && error.as_database_error().is_some() => {
            for entry in batch.into_entries() {
                let mut single = B::new(claims.clone());
                single.add(entry);
                match single.write(pool).await {
                    Ok(written) => single.succeed(&written),
                    Err(error) => single.fail(error),
                }
            }
        }
        Err(error) => batch.fail(error),
    }
}
