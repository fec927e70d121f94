//! Runs that have ended, as retention sees them.

use std::collections::BTreeSet;

use app::ports::{EndedRuns, StoreError};
use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp};
use uuid::Uuid;

use super::EmbeddedRunStore;
use crate::error::unavailable;

#[async_trait]
impl EndedRuns for EmbeddedRunStore {
    async fn ended_before(
        &self,
        team: TeamId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select id from embedded.runs
            where team_id = $1 and created_on < $2 and is_listed
                and (state::jsonb ->> 'finished_on')::timestamptz < $2
            order by created_on, id
            limit $3",
            team.uuid(),
            before,
            i64::from(limit)
        );
        let ids = ids.fetch_all(&self.pool).await.map_err(unavailable("list ended runs"))?;
        Ok(ids.into_iter().map(RunId::new).collect())
    }

    async fn mark_exported(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let doing = "mark a run as exported";
        let marked = sqlx::query!(
            "update embedded.runs set is_exported = true
            where id = $1 and team_id = $2 and status in ('succeeded', 'failed', 'cancelled')",
            run.uuid(),
            team.uuid()
        );
        let marked = marked.execute(&self.pool).await.map_err(unavailable(doing))?;
        self.expect_no_open_run(team, run, marked.rows_affected()).await
    }

    async fn exported(&self, team: TeamId, runs: &[RunId]) -> Result<BTreeSet<RunId>, StoreError> {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.uuid()).collect();
        let exported = sqlx::query_scalar!(
            "select id from embedded.runs where id = any($1) and team_id = $2 and is_exported",
            &ids,
            team.uuid()
        );
        let exported = exported.fetch_all(&self.pool).await.map_err(unavailable("find exported runs"))?;
        Ok(exported.into_iter().map(RunId::new).collect())
    }

    async fn purge(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        // One statement: all of it or nothing.
        let purged = sqlx::query_scalar!(
            r#"with purged as (
                delete from embedded.runs
                where id = $1 and team_id = $2 and status in ('succeeded', 'failed', 'cancelled')
                returning id
            ),
            steps as (delete from embedded.steps where run_id in (select id from purged))
            select count(*) as "count!" from purged"#,
            run.uuid(),
            team.uuid()
        );
        let purged = purged.fetch_one(&self.pool).await.map_err(unavailable("delete a run"))?;
        self.recent.forget(run);
        self.expect_no_open_run(team, run, purged.unsigned_abs()).await
    }
}

impl EmbeddedRunStore {
    /// Where nothing was changed: that the team's run is gone, and not open.
    async fn expect_no_open_run(&self, team: TeamId, run: RunId, changed: u64) -> Result<(), StoreError> {
        if changed > 0 {
            return Ok(());
        }
        match self.load_state(team, run).await {
            Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(StoreError::Conflict),
        }
    }
}
