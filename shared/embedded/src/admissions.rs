//! Who is under way of a team that may have only so many runs at a time, and who waits, as rows.

use app::ports::{Admission, Admissions, MOST_RUNNING, StoreError};
use async_trait::async_trait;
use domain::{RunId, TeamId};
use sqlx::{PgPool, query, query_scalar};
use uuid::Uuid;

use crate::error::unavailable;

/// Admissions in the table `embedded.admissions`: a row for each run that is in or waits. Those of one team take place one after the other.
pub struct EmbeddedAdmissions {
    pub(crate) pool: PgPool,
}

impl EmbeddedAdmissions {
    /// Admissions in a migrated database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Lets the run in if there is room for it and for all before it; else puts it in line. Answers whether it is in.
    async fn enter(&self, team: TeamId, run: RunId, limit: u32) -> Result<bool, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // Whoever comes next sees what this one has done.
        query("select pg_advisory_xact_lock(hashtextextended('admissions ' || $1::text, 0))")
            .bind(team.uuid())
            .execute(&mut *transaction)
            .await?;
        let is_inside = query_scalar(
            "insert into embedded.admissions as present (team_id, run_id, is_inside)
            values ($1, $2, (
                select count(*) < $3 from embedded.admissions
                where team_id = $1 and run_id <> $2 and (is_inside or run_id < $2)
            ))
            on conflict (team_id, run_id) do update set is_inside = present.is_inside or excluded.is_inside
            returning is_inside",
        )
        .bind(team.uuid())
        .bind(run.uuid())
        .bind(i64::from(limit))
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(is_inside)
    }

    /// Those that the run waits for: who is in, and who is before it in line, as `is_inside` says.
    async fn others(&self, team: TeamId, run: RunId, is_inside: bool) -> Result<Vec<RunId>, sqlx::Error> {
        let ids: Vec<Uuid> = query_scalar(
            "select run_id from embedded.admissions
            where team_id = $1 and run_id <> $2 and is_inside = $3 and (is_inside or run_id < $2)
            order by run_id limit $4",
        )
        .bind(team.uuid())
        .bind(run.uuid())
        .bind(is_inside)
        .bind(i64::from(MOST_RUNNING))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(RunId::new).collect())
    }
}

#[async_trait]
impl Admissions for EmbeddedAdmissions {
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError> {
        let doing = "admit a run";
        if self.enter(team, run, limit).await.map_err(unavailable(doing))? {
            return Ok(Admission::Admitted);
        }
        let mut behind = self.others(team, run, true).await.map_err(unavailable(doing))?;
        let ahead = self.others(team, run, false).await.map_err(unavailable(doing))?;
        let position = u32::try_from(ahead.len() + 1).unwrap_or(u32::MAX);
        behind.extend(ahead);
        Ok(Admission::Waits { position, behind })
    }

    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError> {
        let doing = "let a run leave";
        let delete = query("delete from embedded.admissions where team_id = $1 and run_id = $2");
        let delete = delete.bind(team.uuid()).bind(run.uuid());
        delete.execute(&self.pool).await.map_err(unavailable(doing))?;
        let first: Option<Uuid> = query_scalar(
            "select run_id from embedded.admissions where team_id = $1 and not is_inside order by run_id limit 1",
        )
        .bind(team.uuid())
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(doing))?;
        Ok(first.map(RunId::new))
    }

    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError> {
        let position: Option<i64> = query_scalar(
            "select (
                select count(*) + 1 from (
                    select from embedded.admissions
                    where team_id = $1 and run_id < $2 and not is_inside limit $3
                ) ahead
            )
            from embedded.admissions where team_id = $1 and run_id = $2 and not is_inside",
        )
        .bind(team.uuid())
        .bind(run.uuid())
        .bind(i64::from(MOST_RUNNING))
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable("find a run in line"))?;
        Ok(position.map(|position| u32::try_from(position).unwrap_or(u32::MAX)))
    }
}
