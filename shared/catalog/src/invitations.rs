//! Invitations into a team (TEN-07). Whoever has the token may look at one before any team is known to be theirs.

use std::fmt;

use domain::{InvitationId, MemberId, Role, TeamId, Timestamp};
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    error::{found_any, store_error},
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
    /// Who asked them.
    pub invited_by: Option<MemberId>,
}

impl fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewInvitation({} as {:?})", self.id, self.role)
    }
}

/// What a failure to accept is said to be of.
const ACCEPTING: &str = "accept an invitation";

impl Catalog {
    /// Records an invitation. An open one for the same address gives way to it, and its token is void.
    pub async fn invitation_insert(&self, team: TeamId, new: &NewInvitation) -> Result<(), StoreError> {
        let mut tx = self.team(team, "invite into a team").await?;
        let invited = sqlx::query!(
            "insert into invitations (id, team_id, email, role, token_hash, expires_at, invited_by)
            values ($1, $2, lower($3), $4, $5, $6, $7)
            on conflict (team_id, email) where accepted_at is null do update set
                id = excluded.id, role = excluded.role, token_hash = excluded.token_hash,
                expires_at = excluded.expires_at, invited_by = excluded.invited_by",
            new.id.uuid(),
            team.uuid(),
            new.email,
            word(new.role),
            &new.token_sha256[..],
            new.expires_at,
            new.invited_by.map(MemberId::uuid)
        )
        .execute(&mut *tx)
        .await;
        tx.end(invited).await.map(drop)
    }

    /// The team's open invitations, newest first, those included that nobody took up in time.
    pub async fn invitation_list(&self, team: TeamId) -> Result<Vec<Invitation>, StoreError> {
        let mut tx = self.team(team, "list invitations").await?;
        let rows = query_as!(
            Row,
            r#"select i.id as "id!", i.team_id as "team_id!", t.name as "team_name!", i.email as "email!",
                i.role as "role!: Word<Role>", i.expires_at as "expires_at!", i.accepted_at
            from invitations i join teams t on t.id = i.team_id
            where i.team_id = $1 and i.accepted_at is null
            order by i.id desc"#,
            team.uuid()
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Invitation::from).collect())
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

    /// Makes the person a member of the team, as what the invitation says, unless it is over: then it is as if there were none. Of two
    /// who accept at the same moment one does. `membership` is the id of their place in the team. That the address is theirs is for the
    /// caller to see to.
    pub async fn invitation_accept(
        &self,
        invitation: &Invitation,
        (member, membership): (MemberId, Uuid),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(invitation.team_id, ACCEPTING).await?;
        let accepted = accept(&mut tx, invitation, (member, membership), now).await;
        tx.end(accepted).await
    }

    /// Takes an invitation back, unless it was accepted.
    pub async fn invitation_delete(&self, team: TeamId, id: InvitationId) -> Result<(), StoreError> {
        let mut tx = self.team(team, "take an invitation back").await?;
        let deleted = sqlx::query!(
            "delete from invitations where team_id = $1 and id = $2 and accepted_at is null",
            team.uuid(),
            id.uuid()
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(deleted).await?)
    }
}

async fn accept(
    tx: &mut PgConnection,
    invitation: &Invitation,
    (member, membership): (MemberId, Uuid),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let accepted = sqlx::query!(
        "update invitations set accepted_at = $3
        where team_id = $1 and id = $2 and accepted_at is null and expires_at > $3
        returning role, invited_by",
        invitation.team_id.uuid(),
        invitation.id.uuid(),
        now
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into team_members (id, team_id, member_id, role, invited_by, joined_at) values ($1, $2, $3, $4, $5, $6)",
        membership,
        invitation.team_id.uuid(),
        member.uuid(),
        accepted.role,
        accepted.invited_by,
        now
    )
    .execute(tx)
    .await
    .map(drop)
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
