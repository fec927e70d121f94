//! What the tests share: stores on a database of their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::ports::Ids;
use blobs::ObjectBlobs;
use embedded::{Embedded, QueueOptions, migrator};
use test_support::TestDatabase;
use uuid::Uuid;

/// As the suites of the ports want it.
pub(crate) const IMPATIENT: QueueOptions =
    QueueOptions { visibility: Duration::from_secs(2), max_receives: 3 };

/// Stores with everything they need.
pub(crate) struct World {
    pub(crate) embedded: Embedded,
    // Last, so that the database outlives its users.
    pub(crate) database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(IMPATIENT).await
    }

    /// With idle workers, which take every message and do nothing: a run that is created is handed to one of them.
    pub(crate) async fn with_workers() -> Self {
        let world = Self::new().await;
        for _ in 0..32 {
            let workers = world.embedded.workers.clone();
            tokio::spawn(async move {
                loop {
                    workers.next().await;
                }
            });
        }
        // Each offers itself when it is first polled.
        tokio::task::yield_now().await;
        world
    }

    pub(crate) async fn with(options: QueueOptions) -> Self {
        let database = TestDatabase::create(&migrator()).await;
        let embedded = open(&database, options).await;
        Self { embedded, database }
    }
}

/// A process on this database.
pub(crate) async fn open(database: &TestDatabase, options: QueueOptions) -> Embedded {
    let folder = tempfile::tempdir().unwrap().keep();
    let blobs = Arc::new(ObjectBlobs::in_folder(&folder).unwrap());
    Embedded::open(database.pool().clone(), blobs, Arc::new(Sequence::new()), options).await.unwrap()
}

/// Ids in order, of no other process or test.
pub(crate) struct Sequence(AtomicU64, u128);

impl Sequence {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let series = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
        Self(AtomicU64::new(1), (u128::from(std::process::id()) << 80) + (series << 40))
    }
}

impl Ids for Sequence {
    fn next(&self) -> Uuid {
        Uuid::from_u128(self.1 + u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}
