//! Teams, and the members in them with their roles (TEN-01 … TEN-04).

use app::ports::{AtOnce, MOST_RUNNING, MOST_STEPS, Retention, RunningLimit};
use domain::{MemberId, Role, TeamId, Timestamp};
use serde_json::Value;
use sqlx::query_as;
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    error::store_error,
    word::{Word, word},
};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// For people; not unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// A person to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Their id.
    pub id: MemberId,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Unique over all members, whatever its case.
    pub email: String,
}

/// A person's place in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The person.
    pub member_id: MemberId,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// In lower case.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

impl Catalog {
    /// Records a team.
    pub async fn team_insert(&self, id: TeamId, name: &str, description: &str) -> Result<Team, StoreError> {
        sqlx::query!(
            "insert into teams (id, name, description) values ($1, $2, $3)",
            id.uuid(),
            name,
            description
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("insert a team"))?;
        self.team_get(id).await
    }

    /// A team.
    pub async fn team_get(&self, id: TeamId) -> Result<Team, StoreError> {
        query_as!(
            Team,
            "select id, name, description, created_on, updated_on from teams where id = $1",
            id.uuid()
        )
        .fetch_one(&self.pool)
        .await
        .map_err(store_error("get a team"))
    }

    /// Teams that part with their runs: those whose settings have whole `retention_days`, at least one. Anything else there
    /// is no wish to delete anything.
    pub(crate) async fn team_retentions(&self) -> Result<Vec<Retention>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, settings -> 'retention_days' as "days!" from teams
            where jsonb_typeof(settings -> 'retention_days') = 'number'
            order by id"#
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error("list retentions"))?;
        let wishes = rows.into_iter().map(|row| (row.id, row.days.as_u64()));
        let retention = |(id, days): (Uuid, Option<u64>)| {
            let days = u16::try_from(days?).ok().filter(|days| *days > 0)?;
            Some(Retention { team_id: id.into(), days })
        };
        Ok(wishes.filter_map(retention).collect())
    }

    /// Teams that may have only so much under way: those whose settings have whole `max_running_runs`, from 1 to [`MOST_RUNNING`], or
    /// `max_running_steps`, from 1 to [`MOST_STEPS`].
    pub(crate) async fn team_limits(&self) -> Result<Vec<RunningLimit>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, settings -> 'max_running_runs' as runs, settings -> 'max_running_steps' as steps from teams
            where settings ?| array['max_running_runs', 'max_running_steps']
            order by id"#
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error("list limits"))?;
        let limits = rows.into_iter().map(|row| {
            let at_once = AtOnce { runs: limit(row.runs, MOST_RUNNING), steps: limit(row.steps, MOST_STEPS) };
            RunningLimit { team_id: row.id.into(), at_once }
        });
        Ok(limits.filter(|limit| limit.at_once != AtOnce::default()).collect())
    }

    /// Deletes a team with everything it owns, published versions included.
    pub async fn team_delete(&self, id: TeamId) -> Result<(), StoreError> {
        let deleted = sqlx::query!("delete from teams where id = $1", id.uuid())
            .execute(&self.pool)
            .await
            .map_err(store_error("delete a team"))?;
        if deleted.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// Records a person. An address that is taken is [`Violates`](StoreError::Violates)`("uq_members_email")`.
    pub async fn member_insert(&self, new: &NewMember) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into members (id, first_name, last_name, email) values ($1, $2, $3, lower($4))",
            new.id.uuid(),
            new.first_name,
            new.last_name,
            new.email
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("insert a member"))?;
        Ok(())
    }

    /// Puts a person into a team. `id` is the membership's. A person who is in it already is
    /// [`Violates`](StoreError::Violates)`("uq_team_members_team_id_member_id")`.
    pub async fn team_join(
        &self,
        team: TeamId,
        member: MemberId,
        role: Role,
        id: Uuid,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into team_members (id, team_id, member_id, role) values ($1, $2, $3, $4)",
            id,
            team.uuid(),
            member.uuid(),
            word(role)
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("join a team"))?;
        Ok(())
    }

    /// Everyone in a team, oldest membership first.
    pub async fn team_members(&self, team: TeamId) -> Result<Vec<Membership>, StoreError> {
        let rows = query_as!(
            MembershipRow,
            r#"select m.id, m.first_name, m.last_name, m.email, tm.role as "role: Word<Role>", tm.joined_at
            from team_members tm join members m on m.id = tm.member_id
            where tm.team_id = $1
            order by tm.joined_at, m.id"#,
            team.uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error("list the members of a team"))?;
        Ok(rows.into_iter().map(Membership::from).collect())
    }
}

struct MembershipRow {
    id: Uuid,
    first_name: String,
    last_name: String,
    email: String,
    role: Word<Role>,
    joined_at: Timestamp,
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        Self {
            member_id: row.id.into(),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            role: row.role.0,
            joined_at: row.joined_at,
        }
    }
}

/// A setting that is a whole number from 1 to `most`.
fn limit(setting: Option<Value>, most: u32) -> Option<u32> {
    let limit = u32::try_from(setting?.as_u64()?).ok()?;
    (1..=most).contains(&limit).then_some(limit)
}
