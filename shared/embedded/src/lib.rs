//! The ports of `app` on Postgres and the file system, for one process on one machine: what DynamoDB, SQS, S3 and their kin are on AWS.
//! All of it survives a `kill -9`: what was answered is on the disk, and what was under way is begun again.
//!
//! - [`Embedded::open`]: the run store, the step queue with its [`Workers`], and who waits for which run.
//! - [`EmbeddedTimers`], [`EmbeddedCounters`], [`EmbeddedChallenges`]: timers that a loop lets fire, counters and codes that are forgotten.
//! - [`FolderSecrets`], [`Mailbox`]: the deployment's secrets and its mail as files.
//! - [`migrator`]: the tables, in a Postgres schema of their own.

mod admissions;
mod challenges;
mod counters;
mod database;
mod error;
mod files;
mod journal;
mod kept_answers;
mod mailbox;
mod run_ends;
mod run_moves;
mod run_store;
mod secrets;
mod step_queue;
mod step_slots;
mod timers;
mod workers;

use std::sync::Arc;

use app::ports::{Blobs, Clock, Ids, StoreError};
use sqlx::PgPool;
use tokio::task::JoinSet;

pub use admissions::EmbeddedAdmissions;
pub use challenges::EmbeddedChallenges;
pub use counters::EmbeddedCounters;
pub use database::{connect_lazy, migrator};
pub use kept_answers::EmbeddedAnswers;
pub use mailbox::Mailbox;
pub use run_ends::LocalRunEnds;
pub use run_moves::LocalRunMoves;
pub use run_store::EmbeddedRunStore;
pub use secrets::FolderSecrets;
pub use step_queue::{EmbeddedStepQueue, QueueOptions};
pub use timers::EmbeddedTimers;
pub use workers::Workers;

use journal::{Claims, Journal};
use step_queue::{Hands, Outbox, holder::Holder};

/// The durable half of a process. Dropping it stops its tasks; what was being written is written.
pub struct Embedded {
    /// Runs and versions.
    pub store: Arc<EmbeddedRunStore>,
    /// The queue that drives runs.
    pub queue: Arc<EmbeddedStepQueue>,
    /// Which runs have ended in this process.
    pub ends: Arc<LocalRunEnds>,
    /// Which runs move on in this process.
    pub moves: LocalRunMoves,
    /// Where workers get their messages.
    pub workers: Workers,
    journal: Journal,
    tasks: JoinSet<()>,
}

impl Embedded {
    /// Opens the stores on a migrated database, best over [`connect_lazy`], and registers this process with the queue. Messages reach
    /// workers once [`Embedded::start`] was called.
    pub async fn open(
        pool: PgPool,
        blobs: Arc<dyn Blobs>,
        ids: Arc<dyn Ids>,
        options: QueueOptions,
    ) -> Result<Self, StoreError> {
        let hands = Arc::new(Hands::default());
        let holder = Holder::take(&pool).await?;
        let number = holder.number();
        let claims = Claims { hands: Arc::clone(&hands), holder: number, visibility: options.visibility };
        let journal = Journal::start(&pool, &claims);
        let outbox = Outbox::new(Arc::clone(&ids), Arc::clone(&hands));
        let (ends, moves) = (Arc::new(LocalRunEnds::default()), LocalRunMoves::default());
        let store = EmbeddedRunStore::new(
            pool.clone(),
            journal.clone(),
            outbox.clone(),
            blobs,
            ids,
            Arc::clone(&ends),
            moves.clone(),
        );
        let queue =
            EmbeddedStepQueue::new(pool, journal.clone(), outbox, Arc::clone(&hands), number, options);
        let mut tasks = JoinSet::new();
        let freed = Arc::clone(&hands);
        tasks.spawn(holder.keep(move || freed.wake()));
        Ok(Self {
            store: Arc::new(store),
            queue: Arc::new(queue),
            ends,
            moves,
            workers: Workers::new(hands),
            journal,
            tasks,
        })
    }

    /// Returns when all that was handed in before is written, acknowledgements of messages included, which nobody waits for otherwise.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.journal.send(Vec::new()).await
    }

    /// The timers in the same database, due by this clock.
    pub fn timers(&self, clock: Arc<dyn Clock>) -> EmbeddedTimers {
        EmbeddedTimers::new(self.queue.pool(), clock)
    }

    /// Who of a limited team is under way, in the same database.
    pub fn admissions(&self) -> EmbeddedAdmissions {
        EmbeddedAdmissions::new(self.queue.pool())
    }

    /// Counters on the same database, in windows of this clock.
    pub fn counters(&self, clock: Arc<dyn Clock>) -> EmbeddedCounters {
        EmbeddedCounters::new(self.queue.pool(), clock)
    }

    /// One-time codes in the same database.
    pub fn challenges(&self) -> EmbeddedChallenges {
        EmbeddedChallenges::new(self.queue.pool())
    }

    /// Answers that are given again, in the same database.
    pub fn answers(&self) -> EmbeddedAnswers {
        EmbeddedAnswers::new(self.queue.pool())
    }

    /// Begins to look for messages whenever a worker is idle.
    pub fn start(&mut self) {
        self.start_alone();
        self.tasks.spawn(workers::listen(self.queue.pool(), self.workers.hands()));
    }

    /// As [`Embedded::start`], on one connection less: what other processes send is noticed within a second, and not at once.
    pub fn start_alone(&mut self) {
        self.tasks.spawn(workers::dispatch(Arc::clone(&self.queue), self.workers.hands()));
    }
}
