//! Admissions in Postgres.

use embedded::EmbeddedAdmissions;
use test_support::TestDatabase;

/// Admissions with the database that they live in.
struct World {
    admissions: EmbeddedAdmissions,
    _database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create(&embedded::migrator()).await;
        Self { admissions: EmbeddedAdmissions::new(database.pool().clone()), _database: database }
    }

    const fn admissions(&self) -> &EmbeddedAdmissions {
        &self.admissions
    }
}

app::admissions_suite!(World::new(), World::admissions);
app::step_slots_suite!(World::new(), World::admissions);
