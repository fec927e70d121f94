//! Group commit: what is to become durable goes through a writer, which takes what has gathered while it wrote the last time and writes
//! it as one statement, so that many runs share one round trip and one flush to the disk. A lone entry waits for nobody: the writer
//! is idle then and takes it at once.
//!
//! There are two lanes, each with its writer, since they have nothing to do with each other and each one's statement is so much the
//! smaller: the [`intake`] of new runs, and the [`progress`] of those that are under way.

mod intake;
mod messages;
mod progress;
mod writer;

use std::{sync::Arc, time::Duration};

use app::ports::StoreError;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub(crate) use intake::{NewKey, NewRun};
pub(crate) use messages::NewMessage;
pub(crate) use progress::Commit;

use crate::{error::unavailable, step_queue::Hands};

/// Entries that may wait for a writer. More callers than that wait at the door.
const WAITING: usize = 4096;

/// The way to the writers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    intake: mpsc::Sender<intake::Entry>,
    progress: mpsc::Sender<progress::Entry>,
}

/// What becomes of messages: those with a worker are stored as received by this process, of the others the queue is told.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) hands: Arc<Hands>,
    pub(crate) holder: i32,
    pub(crate) visibility: Duration,
}

/// Where whoever handed in an entry waits for what came of it.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

impl Journal {
    /// Starts the writers. They end when the last journal is dropped and everything is written.
    pub(crate) fn start(pool: &PgPool, claims: &Claims) -> Self {
        let ((intake, new), (progress, next)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        tokio::spawn(writer::run::<intake::Batch>(pool.clone(), claims.clone(), new));
        tokio::spawn(writer::run::<progress::Batch>(pool.clone(), claims.clone(), next));
        Self { intake, progress }
    }

    /// Stores a run with its first hint and its key. Answers whether it did: its id and its key were free.
    pub(crate) async fn create(&self, run: NewRun) -> Result<bool, StoreError> {
        let entry = |answer| intake::Entry(Box::new(run), answer);
        ask(&self.intake, intake::DOING, entry).await
    }

    /// Replaces a run's state. Answers whether it did: the revision was the next one.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<bool, StoreError> {
        let entry = |answer| progress::Entry::Commit(Box::new(commit), answer);
        ask(&self.progress, progress::COMMITTING, entry).await
    }

    /// Puts messages into the queue.
    pub(crate) async fn send(&self, messages: Vec<NewMessage>) -> Result<(), StoreError> {
        ask(&self.progress, progress::SENDING, |answer| progress::Entry::Send(messages, answer)).await
    }

    /// Deletes a message that was handled, sometime soon. Should it come back instead, it finds nothing to do.
    pub(crate) async fn done(&self, message: Uuid) {
        // Fails only while the process ends.
        let _ = self.progress.send(progress::Entry::Done(message)).await;
    }
}

async fn ask<E, T>(
    lane: &mpsc::Sender<E>,
    doing: &'static str,
    entry: impl FnOnce(Answer<T>) -> E,
) -> Result<T, StoreError> {
    let (answer, answered) = oneshot::channel();
    let gone = || unavailable(doing)("the process ends");
    lane.send(entry(answer)).await.map_err(|_| gone())?;
    answered.await.map_err(|_| gone())?
}

/// A column of rows, as one array parameter.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
