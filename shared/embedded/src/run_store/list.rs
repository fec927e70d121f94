//! Lists of runs.

use app::{
    ports::{RunFilter, RunPage, RunSummary, StoreError},
    position::RunPosition,
};
use domain::{RunId, RunStatus, TeamId, Timestamp, WorkflowId};
use engine::Run;

use super::EmbeddedRunStore;
use crate::error::unavailable;

const DOING: &str = "list runs";

impl EmbeddedRunStore {
    /// A page of the team's runs, newest first.
    pub(super) async fn list_runs(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        let before = cursor.map(RunPosition::from_cursor).transpose()?;
        let states = sqlx::query_scalar!(
            "select state from embedded.runs
            where team_id = $1 and is_listed
                and ($2::uuid is null or workflow_id = $2)
                and ($3::text is null or status = $3)
                and ($4::timestamptz is null or (created_on, id) < ($4, $5))
            order by created_on desc, id desc
            limit $6",
            team.uuid(),
            filter.workflow_id.map(WorkflowId::uuid),
            filter.status.map(RunStatus::as_str),
            before.as_ref().map(RunPosition::created_on),
            before.as_ref().map(|before| before.id().uuid()),
            i64::from(limit) + 1
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        let mut items = Vec::with_capacity(states.len());
        for state in &states {
            let run: Run = serde_json::from_str(state).map_err(unavailable(DOING))?;
            items.push(RunSummary::of(&run));
        }
        Ok(RunPage::cut(items, limit))
    }

    /// Open runs whose check has passed, the most overdue first.
    pub(super) async fn overdue_runs(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        let rows = sqlx::query!(
            "select team_id, id from embedded.runs where check_at <= $1 order by check_at, id limit $2",
            now,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable("list overdue runs"))?;
        Ok(rows.into_iter().map(|row| (TeamId::new(row.team_id), RunId::new(row.id))).collect())
    }
}
