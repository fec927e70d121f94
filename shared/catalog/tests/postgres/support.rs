//! What the tests share: a catalog with two teams, ids in order, small graphs.

use std::sync::atomic::{AtomicU64, Ordering};

use app::ports::{Act, Actor, Ids, StoreError};
use catalog::{Catalog, MIGRATOR, NewWorkflow, Window, Workflow};
use domain::{Graph, MemberId, TeamId, Timestamp};
use serde_json::{Value, from_value, json};
use sqlx::{AssertSqlSafe, PgPool};
use test_support::TestDatabase;
use uuid::Uuid;

/// A page that holds everything a test makes.
pub(crate) const ALL: Window = Window { limit: 100, offset: 0 };

/// A catalog with two teams and nothing else.
pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) ours: TeamId,
    pub(crate) theirs: TeamId,
    pub(crate) ids: Sequence,
    // Last, so that the database outlives its users.
    database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let ids = Sequence::default();
        let (ours, theirs) = (TeamId::new(ids.next()), TeamId::new(ids.next()));
        catalog.team_insert(ours, "Ours", "").await.unwrap();
        catalog.team_insert(theirs, "Theirs", "").await.unwrap();
        Self { catalog, ours, theirs, ids, database }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// What Heddle does itself, now.
    pub(crate) fn act(&self) -> Act {
        Act::of_system(self.ids.next(), Timestamp::from_timestamp_micros(1_770_000_000_123_456).unwrap())
    }

    /// What this person does.
    pub(crate) fn act_of(&self, member: MemberId) -> Act {
        Act { actor: Actor::Member(member), ..self.act() }
    }

    /// A workflow of our team.
    pub(crate) async fn workflow(&self, name: &str) -> Workflow {
        self.catalog.workflow_insert(self.ours, &self.new_workflow(name), &self.act()).await.unwrap()
    }

    pub(crate) fn new_workflow(&self, name: &str) -> NewWorkflow {
        NewWorkflow { is_api: true, ..NewWorkflow::named(self.ids.next().into(), name) }
    }

    /// Runs SQL as it stands.
    pub(crate) async fn sql(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await?;
        Ok(done.rows_affected())
    }

    /// The constraint that refuses this SQL.
    pub(crate) async fn refusal(&self, sql: &str) -> String {
        let error = self.sql(sql).await.expect_err(sql);
        let database = error.as_database_error().unwrap_or_else(|| panic!("{sql}: {error}"));
        database.constraint().unwrap_or_else(|| panic!("{sql}: {error}")).to_owned()
    }
}

/// Ids in order, the same in every run.
#[derive(Default)]
pub(crate) struct Sequence(AtomicU64);

impl Ids for Sequence {
    fn next(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
    }
}

/// A graph of `return` nodes with these keys and edges.
pub(crate) fn graph(keys: &[&str], edges: &[(&str, &str)]) -> Graph {
    let nodes: Vec<Value> = keys.iter().map(|key| json!({"key": key, "node_type": "return"})).collect();
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
    from_value(json!({"nodes": nodes, "edges": edges})).unwrap()
}

/// The rule that was broken.
pub(crate) fn rule<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Violates(rule)) => rule,
        other => panic!("no rule broken: {other:?}"),
    }
}

/// Whether the answer is that there is no such entity.
pub(crate) fn is_not_found<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound))
}
