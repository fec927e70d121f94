//! Transactions that Postgres lets see one team's rows only: the second lock behind the queries' own filters
//! (docs/decisions/0011-two-roles-and-row-level-security.md).

use std::ops::{Deref, DerefMut};

use app::ports::{StoreError, unavailable};
use domain::TeamId;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, Postgres, pool::PoolConnection};

use crate::{Catalog, error::store_error};

/// The role that owns nothing, for which policies hold.
const BEGIN: &str = "begin; set local role heddle_functions";

impl Catalog {
    /// Begins to act for a team, in one round trip. Rows of other teams are not there. `doing` is what a failure is said to be of.
    pub(crate) async fn team(&self, team: TeamId, doing: &'static str) -> Result<Scope, StoreError> {
        // The text of an id is digits and hyphens.
        Scope::begin(&self.pool, format!("{BEGIN}; set local heddle.team_id = '{team}'"), doing).await
    }

    /// Begins to act for no team: what belongs to one is not there, only people and their sessions are.
    pub(crate) async fn outside_teams(&self, doing: &'static str) -> Result<Scope, StoreError> {
        Scope::begin(&self.pool, BEGIN.to_owned(), doing).await
    }

    /// For calls of the functions that look across teams, and of nothing else: each is a single question that the schema answers.
    pub(crate) const fn across_teams(&self) -> &PgPool {
        &self.pool
    }
}

/// A transaction that is over when [`end`](Self::end) is. Let go before that, its connection is closed: a function that was frozen
/// meanwhile must hold no locks.
#[derive(Debug)]
pub(crate) struct Scope {
    connection: PoolConnection<Postgres>,
    doing: &'static str,
    is_open: bool,
}

impl Scope {
    async fn begin(pool: &PgPool, statements: String, doing: &'static str) -> Result<Self, StoreError> {
        let connection = pool.acquire().await.map_err(store_error(doing))?;
        // Open from here on: where the role is missing, `begin` has happened all the same.
        let mut scope = Self { connection, doing, is_open: true };
        scope.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await.map_err(unavailable(doing))?;
        Ok(scope)
    }

    /// Commits what succeeded and rolls back what did not, and answers the same.
    pub(crate) async fn end<T>(self, outcome: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let doing = self.doing;
        self.close(outcome.map_err(store_error(doing))).await
    }

    /// [`end`](Self::end) for an outcome that was translated already.
    pub(crate) async fn close<T>(mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let last = if outcome.is_ok() { "commit" } else { "rollback" };
        let ended = self.execute(last).await;
        self.is_open = ended.is_err();
        // What failed is the answer, whether or not it could be rolled back.
        let value = outcome?;
        ended.map(|_| value).map_err(store_error(self.doing))
    }

    /// Rolls back what failed for a reason that is no error of a store.
    pub(crate) async fn undo(mut self) {
        self.is_open = self.execute("rollback").await.is_err();
    }
}

impl Deref for Scope {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Scope {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.is_open {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use test_support::TestDatabase;
    use uuid::Uuid;

    use super::*;
    use crate::MIGRATOR;

    const OURS: TeamId = TeamId::new(Uuid::from_u128(1));
    const THEIRS: TeamId = TeamId::new(Uuid::from_u128(2));

    async fn two_teams() -> (Catalog, TestDatabase) {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        catalog.team_insert(OURS, "Ours", "").await.unwrap();
        catalog.team_insert(THEIRS, "Theirs", "").await.unwrap();
        (catalog, database)
    }

    /// All teams that can be seen: a query that forgot whose it is.
    async fn seen(scope: &mut Scope) -> Vec<Uuid> {
        sqlx::query_scalar("select id from teams order by id").fetch_all(&mut **scope).await.unwrap()
    }

    #[tokio::test]
    async fn a_transaction_sees_its_team_and_no_later_one_does() {
        let (catalog, _database) = two_teams().await;
        for (team, expected) in [(Some(OURS), vec![OURS]), (Some(THEIRS), vec![THEIRS]), (None, vec![])] {
            let mut scope = match team {
                Some(team) => catalog.team(team, "look").await.unwrap(),
                None => catalog.outside_teams("look").await.unwrap(),
            };
            let found = seen(&mut scope).await;
            scope.end(Ok(())).await.unwrap();
            assert_eq!(found, expected.into_iter().map(TeamId::uuid).collect::<Vec<_>>());
        }
        // Nothing of it stays on the connection, which signed in as somebody who sees all.
        let all: i64 =
            sqlx::query_scalar("select count(*) from teams").fetch_one(&catalog.pool).await.unwrap();
        assert_eq!(all, 2);
    }

    #[tokio::test]
    async fn what_failed_or_was_let_go_is_undone() {
        let (catalog, database) = two_teams().await;
        let rename = "update teams set name = 'x'";
        let mut failed = catalog.team(OURS, "fail").await.unwrap();
        failed.execute(rename).await.unwrap();
        let error = failed.end::<()>(Err(sqlx::Error::RowNotFound)).await;
        assert!(matches!(error, Err(StoreError::NotFound)), "{error:?}");

        let mut let_go = catalog.team(OURS, "let go").await.unwrap();
        let_go.execute(rename).await.unwrap();
        drop(let_go);
        // Waits for the lock of whoever is still at it.
        let mut next = catalog.team(OURS, "look").await.unwrap();
        let name: String =
            sqlx::query_scalar("select name from teams for update").fetch_one(&mut *next).await.unwrap();
        next.end(Ok(())).await.unwrap();
        assert_eq!(name, "Ours");
        drop(database);
    }

    #[tokio::test]
    async fn a_database_that_was_not_migrated_is_unavailable_and_can_be_migrated_then() {
        let database = TestDatabase::empty().await;
        let catalog = Catalog::new(database.pool().clone());
        let early = catalog.team_get(OURS).await;
        assert!(matches!(early, Err(StoreError::Unavailable { .. })), "{early:?}");
        catalog.migrate().await.unwrap();
        assert!(matches!(catalog.team_get(OURS).await, Err(StoreError::NotFound)));
    }
}
