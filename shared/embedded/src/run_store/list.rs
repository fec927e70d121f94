//! Lists of runs.

use app::{
    ports::{RunFilter, RunPage, RunSummary, StoreError},
    position::RunPosition,
};
use domain::{RunId, TeamId, Timestamp, WorkflowId};
use engine::Run;

use super::EmbeddedRunStore;
use crate::error::unavailable;

const DOING: &str = "list runs";

/// Runs that one question looks through when few of them may pass the filter.
const WIDE: u32 = 250;

/// Questions that one page may cost. A filter that almost nothing passes then gives a short page whose cursor goes on.
const MOST_QUESTIONS: usize = 20;

impl EmbeddedRunStore {
    /// A page of the team's runs, newest first. Workflow, status and time are asked of Postgres; what else the filter says stands inside
    /// the states, and is judged here.
    pub(super) async fn list_runs(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        let mut before = cursor.map(RunPosition::from_cursor).transpose()?;
        let is_narrow = filter.trigger.is_some() || filter.search.is_some() || filter.asks_people;
        let at_once = if is_narrow { WIDE.max(limit + 1) } else { limit + 1 };
        let mut items = Vec::new();
        for _ in 0..MOST_QUESTIONS {
            let found = self.runs_before(team, filter, before.as_ref(), at_once).await?;
            let is_end = found.len() < at_once as usize;
            before = found.last().map(RunPosition::of_summary);
            items.extend(found.into_iter().filter(|run| filter.shows(run)));
            if is_end {
                return Ok(RunPage::cut(items, limit, None));
            }
            if items.len() > limit as usize {
                break;
            }
        }
        Ok(RunPage::cut(items, limit, before))
    }

    async fn runs_before(
        &self,
        team: TeamId,
        filter: &RunFilter,
        before: Option<&RunPosition>,
        at_once: u32,
    ) -> Result<Vec<RunSummary>, StoreError> {
        let statuses: Vec<String> = filter.statuses.iter().map(|status| status.as_str().to_owned()).collect();
        let states = sqlx::query_scalar!(
            "select state from embedded.runs
            where team_id = $1 and is_listed
                and ($2::uuid is null or workflow_id = $2)
                and (cardinality($3::text[]) = 0 or status = any($3))
                and ($4::timestamptz is null or created_on >= $4)
                and ($5::timestamptz is null or created_on < $5)
                and ($6::timestamptz is null or (created_on, id) < ($6, $7))
            order by created_on desc, id desc
            limit $8",
            team.uuid(),
            filter.workflow_id.map(WorkflowId::uuid),
            &statuses,
            filter.from,
            filter.to,
            before.map(RunPosition::created_on),
            before.map(|before| before.id().uuid()),
            i64::from(at_once)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        let summary = |state: &String| {
            let run: Run = serde_json::from_str(state).map_err(unavailable(DOING))?;
            Ok(RunSummary::of(&run))
        };
        states.iter().map(summary).collect()
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
