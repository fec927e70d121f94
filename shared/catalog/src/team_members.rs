//! Who is in a team, and as what (TEN-03, TEN-04, TEN-06, TEN-09). A team keeps an owner whatever is asked, at the same moment too: the
//! database refuses to let the last one go as [`LAST_OWNER`].

use app::ports::{Act, Actor, Seat, Seats};
use async_trait::async_trait;
use domain::{MemberId, Role, Standing, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::{Deed, out_of_reach},
    error::store_error,
    word::{Word, word},
};

/// The rule that refuses to let the last owner go.
pub const LAST_OWNER: &str = "ck_team_members_owner";

/// What a failure to change somebody's place is said to be of.
const REGRADING: &str = "update a member of a team";

/// What a failure to take somebody out is said to be of.
const LEAVING: &str = "leave a team";

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

/// What to change of a person's place in a team; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembershipPatch {
    /// Their role.
    pub role: Option<Role>,
    /// In what they are an exception from it.
    pub permissions: Option<Map<String, Value>>,
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
        act: &Act,
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
        let joined = joined.map(drop).map_err(store_error("join a team"));
        tx.done(joined, act, Deed::new("member.join", member).with("role", role)).await
    }

    /// Who is in a team, oldest membership first.
    pub async fn team_members(&self, team: TeamId, window: Window) -> Result<Page<Membership>, StoreError> {
        let mut tx = self.team(team, "list the members of a team").await?;
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select count(*) as "count!" from team_members where team_id = $1"#,
                team.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select m.id, m.first_name, m.last_name, m.email, tm.role as "role: Word<Role>",
                    tm.permissions as "permissions: Json<Map<String, Value>>", tm.joined_at
                from team_members tm join members m on m.id = tm.member_id
                where tm.team_id = $1
                order by tm.joined_at, m.id limit $2 offset $3"#,
                team.uuid(),
                i64::from(window.limit),
                i64::from(window.offset)
            )
            .fetch_all(&mut *tx)
            .await?;
            Ok(Page::new(rows, total))
        };
        let page = page.await;
        tx.end(page).await
    }

    /// A person's place in a team.
    pub async fn team_member(&self, team: TeamId, member: MemberId) -> Result<Membership, StoreError> {
        let mut tx = self.team(team, "get a member of a team").await?;
        let found = membership(&mut tx, team, member).await;
        tx.end(found).await
    }

    /// Gives a person another role, or other exceptions from it. What whoever asks may not give or touch is
    /// [`Violates`](StoreError::Violates)`(`[`OUT_OF_REACH`](crate::OUT_OF_REACH)`)`.
    pub async fn team_member_update(
        &self,
        team: TeamId,
        member: MemberId,
        patch: &MembershipPatch,
        act: &Act,
    ) -> Result<Membership, StoreError> {
        let mut tx = self.team(team, REGRADING).await?;
        let regraded = regrade(&mut tx, team, member, patch, act.actor).await;
        let deed = Deed::new("member.update", member)
            .with("role", patch.role)
            .with("permissions", &patch.permissions);
        tx.done(regraded, act, deed).await
    }

    /// Takes a person out of a team; anybody may go themselves.
    pub async fn team_leave(&self, team: TeamId, member: MemberId, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.team(team, LEAVING).await?;
        let left = leave(&mut tx, team, member, act.actor).await;
        let action = if act.actor == Actor::Member(member) { "member.leave" } else { "member.remove" };
        tx.done(left, act, Deed::new(action, member)).await
    }
}

/// Lets changes of who is in a team wait for each other: what they were decided by holds until they are made.
async fn in_turn(tx: &mut PgConnection, team: TeamId) -> Result<(), sqlx::Error> {
    let locked = sqlx::query_scalar!("select id from teams where id = $1 for no key update", team.uuid());
    locked.fetch_one(tx).await.map(drop)
}

/// What whoever acts is in the team now, whatever they were when their request came in; None for Heddle itself.
pub(crate) async fn standing_of(
    tx: &mut PgConnection,
    team: TeamId,
    actor: Actor,
) -> Result<Option<Standing>, StoreError> {
    in_turn(tx, team).await.map_err(store_error("wait for a team"))?;
    let member = match actor {
        Actor::Member(member) => member,
        Actor::System => return Ok(None),
        Actor::Service(_) => return Err(out_of_reach()),
    };
    let place = membership(tx, team, member).await.map_err(store_error("get a member of a team"))?;
    Ok(Some(place.standing()))
}

async fn regrade(
    tx: &mut PgConnection,
    team: TeamId,
    member: MemberId,
    patch: &MembershipPatch,
    actor: Actor,
) -> Result<Membership, StoreError> {
    let mine = standing_of(tx, team, actor).await?;
    let present = membership(tx, team, member).await.map_err(store_error(REGRADING))?.standing();
    let next = Standing {
        role: patch.role.unwrap_or(present.role),
        exceptions: patch.permissions.clone().unwrap_or_else(|| present.exceptions.clone()),
    };
    if mine.is_some_and(|mine| !mine.may_regrade(&present, &next)) {
        return Err(out_of_reach());
    }
    let updated = sqlx::query!(
        "update team_members set role = $3, permissions = $4 where team_id = $1 and member_id = $2",
        team.uuid(),
        member.uuid(),
        word(next.role),
        Json(&next.exceptions) as _
    );
    updated.execute(&mut *tx).await.map_err(store_error(REGRADING))?;
    membership(tx, team, member).await.map_err(store_error(REGRADING))
}

async fn leave(
    tx: &mut PgConnection,
    team: TeamId,
    member: MemberId,
    actor: Actor,
) -> Result<(), StoreError> {
    let mine = standing_of(tx, team, actor).await?;
    let place = membership(tx, team, member).await.map_err(store_error(LEAVING))?;
    if actor != Actor::Member(member) && mine.is_some_and(|mine| !mine.may_remove(place.role)) {
        return Err(out_of_reach());
    }
    let left = sqlx::query!(
        "delete from team_members where team_id = $1 and member_id = $2",
        team.uuid(),
        member.uuid()
    );
    left.execute(tx).await.map(drop).map_err(store_error(LEAVING))
}

pub(crate) async fn membership(
    tx: &mut PgConnection,
    team: TeamId,
    member: MemberId,
) -> Result<Membership, sqlx::Error> {
    query_as!(
        Row,
        r#"select m.id, m.first_name, m.last_name, m.email, tm.role as "role: Word<Role>",
            tm.permissions as "permissions: Json<Map<String, Value>>", tm.joined_at
        from team_members tm join members m on m.id = tm.member_id
        where tm.team_id = $1 and tm.member_id = $2"#,
        team.uuid(),
        member.uuid()
    )
    .fetch_one(tx)
    .await
    .map(Membership::from)
}

impl Membership {
    fn standing(&self) -> Standing {
        Standing { role: self.role, exceptions: self.permissions.clone() }
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
