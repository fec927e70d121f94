//! Admissions in Postgres.

use app::ports::{Admission, Admissions, StoreError};
use domain::{RunId, TeamId};
use embedded::EmbeddedAdmissions;
use test_support::TestDatabase;

/// Admissions with the database that they live in.
struct World {
    admissions: EmbeddedAdmissions,
    _database: TestDatabase,
}

#[async_trait::async_trait]
impl Admissions for World {
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError> {
        self.admissions.admit(team, run, limit).await
    }

    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError> {
        self.admissions.leave(team, run).await
    }

    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError> {
        self.admissions.position(team, run).await
    }
}

async fn admissions() -> World {
    let database = TestDatabase::create(&embedded::migrator()).await;
    World { admissions: EmbeddedAdmissions::new(database.pool().clone()), _database: database }
}

app::admissions_suite!(admissions());
