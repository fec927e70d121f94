//! Invitations into a team (TEN-07). Whoever has the token may look at one before any team is known to be theirs.

use std::fmt;

use app::ports::{Act, Actor};
use domain::{InvitationId, Role, TeamId, Timestamp};
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::{Deed, out_of_reach},
    error::store_error,
    team_members::standing_of,
    word::{Word, word},
};

/// An offer to join a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The team.
    pub team_id: TeamId,
    /// What that is called.
    pub team_name: String,
    /// Whom it is for, in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Until when it may be accepted.
    pub expires_at: Timestamp,
    /// When it was.
    pub accepted_at: Option<Timestamp>,
}

/// An invitation to record.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Its id.
    pub id: InvitationId,
    /// Whom it is for, whatever the case of the address.
    pub email: String,
    /// As what.
    pub role: Role,
    /// SHA-256 of the token.
    pub token_sha256: [u8; 32],
    /// Until when it may be accepted.
    pub expires_at: Timestamp,
}

impl fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewInvitation({} as {:?})", self.id, self.role)
    }
}

/// What a failure to invite is said to be of.
const INVITING: &str = "invite into a team";

/// What a failure to revoke is said to be of.
const REVOKING: &str = "take an invitation back";

/// The rule that nobody is in a team twice.
pub const ALREADY_IN: &str = "uq_team_members_team_id_member_id";

impl Catalog {
    /// Records an invitation by whoever acts. An open one for the same address gives way to it, and its token is void. An address of
    /// somebody who is in the team already is [`Violates`](StoreError::Violates)`(`[`ALREADY_IN`]`)`; a role that whoever acts may not give, or
    /// take away with an invitation that was there, `(`[`OUT_OF_REACH`](crate::OUT_OF_REACH)`)`.
    pub async fn invitation_insert(
        &self,
        team: TeamId,
        new: &NewInvitation,
        act: &Act,
    ) -> Result<Invitation, StoreError> {
        let mut tx = self.team(team, INVITING).await?;
        let invited = invite(&mut tx, team, new, act.actor).await;
        let deed = Deed::new("invitation.create", new.id).with("email", &new.email).with("role", new.role);
        tx.done(invited, act, deed).await
    }

    /// The team's open invitations, newest first, those included that nobody took up in time.
    pub async fn invitation_list(
        &self,
        team: TeamId,
        window: Window,
    ) -> Result<Page<Invitation>, StoreError> {
        let mut tx = self.team(team, "list invitations").await?;
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select count(*) as "count!" from invitations where team_id = $1 and accepted_at is null"#,
                team.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select i.id as "id!", i.team_id as "team_id!", t.name as "team_name!", i.email as "email!",
                    i.role as "role!: Word<Role>", i.expires_at as "expires_at!", i.accepted_at
                from invitations i join teams t on t.id = i.team_id
                where i.team_id = $1 and i.accepted_at is null
                order by i.id desc limit $2 offset $3"#,
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

    /// The open invitations of an address, of whatever team. For the person whom the address belongs to.
    pub async fn invitations_of(&self, email: &str) -> Result<Vec<Invitation>, StoreError> {
        let rows = query_as!(
            Row,
            r#"select id as "id!", team_id as "team_id!", team_name as "team_name!", email as "email!",
                role as "role!: Word<Role>", expires_at as "expires_at!", accepted_at
            from invitations_for($1) order by id desc"#,
            email
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("list the invitations of an address"))?;
        Ok(rows.into_iter().map(Invitation::from).collect())
    }

    /// The invitation with this token.
    pub async fn invitation_by_token(&self, token_sha256: [u8; 32]) -> Result<Invitation, StoreError> {
        query_as!(
            Row,
            r#"select id as "id!", team_id as "team_id!", team_name as "team_name!", email as "email!",
                role as "role!: Word<Role>", expires_at as "expires_at!", accepted_at
            from invitation_by_token($1)"#,
            &token_sha256[..]
        )
        .fetch_one(self.across_teams())
        .await
        .map(Invitation::from)
        .map_err(store_error("find an invitation by its token"))
    }

    /// Takes an invitation back, unless it was accepted.
    pub async fn invitation_delete(
        &self,
        team: TeamId,
        id: InvitationId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, REVOKING).await?;
        let revoked = revoke(&mut tx, team, id, act.actor).await;
        tx.done(revoked, act, Deed::new("invitation.delete", id)).await
    }
}

async fn invite(
    tx: &mut PgConnection,
    team: TeamId,
    new: &NewInvitation,
    actor: Actor,
) -> Result<Invitation, StoreError> {
    let mine = standing_of(tx, team, actor).await?;
    let found = sqlx::query!(
        r#"select (select role from invitations where team_id = $1 and email = lower($2) and accepted_at is null)
                as "open: Word<Role>",
            exists (select from team_members tm join members m on m.id = tm.member_id
                where tm.team_id = $1 and m.email = lower($2)) as "is_in!""#,
        team.uuid(),
        new.email
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(store_error(INVITING))?;
    let roles = [Some(new.role), found.open.map(|open| open.0)];
    if mine.is_some_and(|mine| roles.into_iter().flatten().any(|role| !mine.may_invite(role))) {
        return Err(out_of_reach());
    }
    if found.is_in {
        return Err(StoreError::Violates(ALREADY_IN.to_owned()));
    }
    query_as!(
        Row,
        r#"with made as (
            insert into invitations (id, team_id, email, role, token_hash, expires_at, invited_by)
            values ($1, $2, lower($3), $4, $5, $6, $7)
            on conflict (team_id, email) where accepted_at is null do update set
                id = excluded.id, role = excluded.role, token_hash = excluded.token_hash,
                expires_at = excluded.expires_at, invited_by = excluded.invited_by
            returning *
        )
        select i.id as "id!", i.team_id as "team_id!", t.name as "team_name!", i.email as "email!",
            i.role as "role!: Word<Role>", i.expires_at as "expires_at!", i.accepted_at
        from made i join teams t on t.id = i.team_id"#,
        new.id.uuid(),
        team.uuid(),
        new.email,
        word(new.role),
        &new.token_sha256[..],
        new.expires_at,
        inviter(actor)
    )
    .fetch_one(tx)
    .await
    .map(Invitation::from)
    .map_err(store_error(INVITING))
}

const fn inviter(actor: Actor) -> Option<Uuid> {
    match actor {
        Actor::Member(id) => Some(id.uuid()),
        Actor::Service(_) | Actor::System => None,
    }
}

async fn revoke(
    tx: &mut PgConnection,
    team: TeamId,
    id: InvitationId,
    actor: Actor,
) -> Result<(), StoreError> {
    let mine = standing_of(tx, team, actor).await?;
    let role = sqlx::query_scalar!(
        r#"select role as "role: Word<Role>" from invitations
        where team_id = $1 and id = $2 and accepted_at is null for update"#,
        team.uuid(),
        id.uuid()
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(store_error(REVOKING))?;
    if mine.is_some_and(|mine| !mine.may_invite(role.0)) {
        return Err(out_of_reach());
    }
    let deleted =
        sqlx::query!("delete from invitations where team_id = $1 and id = $2", team.uuid(), id.uuid());
    deleted.execute(tx).await.map(drop).map_err(store_error(REVOKING))
}

struct Row {
    id: Uuid,
    team_id: Uuid,
    team_name: String,
    email: String,
    role: Word<Role>,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
}

impl From<Row> for Invitation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            team_id: row.team_id.into(),
            team_name: row.team_name,
            email: row.email,
            role: row.role.0,
            expires_at: row.expires_at,
            accepted_at: row.accepted_at,
        }
    }
}
