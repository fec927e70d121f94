//! Taking up an invitation (TEN-07).

use app::ports::Act;
use domain::{MemberId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Catalog, Invitation, Membership, StoreError, deeds::Deed, error::store_error, team_members::membership,
};

/// What a failure to accept is said to be of.
const ACCEPTING: &str = "accept an invitation";

impl Catalog {
    /// Makes the person a member of the team, as what the invitation says, unless it is over: then it is as if there were none. Whoever
    /// accepted it already, at the same moment even, gets the same place again, while they have it; so does who was in the team before.
    /// `id` is that of their place. That the address is theirs is for the caller to see to.
    pub async fn invitation_accept(
        &self,
        invitation: &Invitation,
        member: MemberId,
        id: Uuid,
        act: &Act,
    ) -> Result<Membership, StoreError> {
        let mut tx = self.team(invitation.team_id, ACCEPTING).await?;
        match accept(&mut tx, invitation, member, id, act.at).await {
            Ok(true) => {
                let place =
                    membership(&mut tx, invitation.team_id, member).await.map_err(store_error(ACCEPTING));
                let deed = Deed::new("invitation.accept", invitation.id)
                    .with("member_id", member)
                    .with("role", invitation.role);
                tx.done(place, act, deed).await
            }
            Ok(false) => {
                let place = membership(&mut tx, invitation.team_id, member).await;
                tx.end(place).await
            }
            Err(error) => tx.end(Err(error)).await,
        }
    }
}

/// Whether it was accepted now; else it is over, or was accepted before.
async fn accept(
    tx: &mut PgConnection,
    invitation: &Invitation,
    member: MemberId,
    id: Uuid,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let accepted = sqlx::query!(
        "update invitations set accepted_at = $3
        where team_id = $1 and id = $2 and accepted_at is null and expires_at > $3
        returning role, invited_by",
        invitation.team_id.uuid(),
        invitation.id.uuid(),
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(accepted) = accepted else {
        return was_accepted(tx, invitation).await.map(|()| false);
    };
    sqlx::query!(
        "insert into team_members (id, team_id, member_id, role, invited_by, joined_at) values ($1, $2, $3, $4, $5, $6)
        on conflict (team_id, member_id) do nothing",
        id,
        invitation.team_id.uuid(),
        member.uuid(),
        accepted.role,
        accepted.invited_by,
        now
    )
    .execute(tx)
    .await
    .map(|_| true)
}

/// Not found where it was not: it has expired, or was taken back.
async fn was_accepted(tx: &mut PgConnection, invitation: &Invitation) -> Result<(), sqlx::Error> {
    let found = sqlx::query_scalar!(
        "select id from invitations where team_id = $1 and id = $2 and accepted_at is not null",
        invitation.team_id.uuid(),
        invitation.id.uuid()
    );
    found.fetch_one(tx).await.map(drop)
}
