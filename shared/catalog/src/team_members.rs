//! Who is in a team, and as what (TEN-03, TEN-04, TEN-06, TEN-09). A team keeps an owner whatever is asked, at the same moment too: the
//! database refuses to let the last one go as `ck_team_members_owner`.

use app::ports::{Seat, Seats};
use async_trait::async_trait;
use domain::{MemberId, Role, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    error::{found_any, store_error},
    word::{Word, word},
};

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
    /// In what that differs for them.
    pub permissions: Map<String, Value>,
    /// Since when.
    pub joined_at: Timestamp,
}

impl Catalog {
    /// Puts a person into a team. `id` is the membership's. A person who is in it already is
    /// [`Violates`](StoreError::Violates)`("uq_team_members_team_id_member_id")`.
    pub async fn team_join(
        &self,
        team: TeamId,
        member: MemberId,
        role: Role,
        id: Uuid,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "join a team").await?;
        let joined = sqlx::query!(
            "insert into team_members (id, team_id, member_id, role) values ($1, $2, $3, $4)",
            id,
            team.uuid(),
            member.uuid(),
            word(role)
        )
        .execute(&mut *tx)
        .await;
        tx.end(joined).await.map(drop)
    }

    /// Everyone in a team, oldest membership first.
    pub async fn team_members(&self, team: TeamId) -> Result<Vec<Membership>, StoreError> {
        let mut tx = self.team(team, "list the members of a team").await?;
        let rows = query_as!(
            Row,
            r#"select m.id, m.first_name, m.last_name, m.email, tm.role as "role: Word<Role>",
                tm.permissions as "permissions: Json<Map<String, Value>>", tm.joined_at
            from team_members tm join members m on m.id = tm.member_id
            where tm.team_id = $1
            order by tm.joined_at, m.id"#,
            team.uuid()
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Membership::from).collect())
    }

    /// A person's place in a team.
    pub async fn team_member(&self, team: TeamId, member: MemberId) -> Result<Membership, StoreError> {
        let mut tx = self.team(team, "get a member of a team").await?;
        let row = query_as!(
            Row,
            r#"select m.id, m.first_name, m.last_name, m.email, tm.role as "role: Word<Role>",
                tm.permissions as "permissions: Json<Map<String, Value>>", tm.joined_at
            from team_members tm join members m on m.id = tm.member_id
            where tm.team_id = $1 and tm.member_id = $2"#,
            team.uuid(),
            member.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(row).await.map(Membership::from)
    }

    /// Gives a person another role, or other exceptions from it; what is absent stays.
    pub async fn team_member_update(
        &self,
        team: TeamId,
        member: MemberId,
        role: Option<Role>,
        permissions: Option<&Map<String, Value>>,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "update a member of a team").await?;
        let updated = sqlx::query!(
            "update team_members set role = coalesce($3, role), permissions = coalesce($4, permissions)
            where team_id = $1 and member_id = $2",
            team.uuid(),
            member.uuid(),
            role.map(word),
            permissions.map(Json) as _
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(updated).await?)
    }

    /// Takes a person out of a team.
    pub async fn team_leave(&self, team: TeamId, member: MemberId) -> Result<(), StoreError> {
        let mut tx = self.team(team, "leave a team").await?;
        let left = sqlx::query!(
            "delete from team_members where team_id = $1 and member_id = $2",
            team.uuid(),
            member.uuid()
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(left).await?)
    }
}

#[async_trait]
impl Seats for Catalog {
    async fn seats(&self, member: MemberId) -> Result<Vec<Seat>, StoreError> {
        let rows = sqlx::query!(
            r#"select team_id as "team_id!", team_name as "team_name!", role as "role!: Word<Role>",
                permissions as "permissions!: Json<Map<String, Value>>"
            from memberships_of($1) order by joined_at, team_id"#,
            member.uuid()
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("list the teams of a member"))?;
        let seat = rows.into_iter().map(|row| Seat {
            team_id: row.team_id.into(),
            team_name: row.team_name,
            role: row.role.0,
            permissions: row.permissions.0,
        });
        Ok(seat.collect())
    }
}

struct Row {
    id: Uuid,
    first_name: String,
    last_name: String,
    email: String,
    role: Word<Role>,
    permissions: Json<Map<String, Value>>,
    joined_at: Timestamp,
}

impl From<Row> for Membership {
    fn from(row: Row) -> Self {
        Self {
            member_id: row.id.into(),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            role: row.role.0,
            permissions: row.permissions.0,
            joined_at: row.joined_at,
        }
    }
}
