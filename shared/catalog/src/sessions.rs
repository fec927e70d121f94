//! Sessions: refresh tokens in families (AUT-08 … AUT-10). One token of a family is live; using it replaces it, and using one that was
//! replaced ends them all.

use std::{fmt, net::IpAddr, time::Duration};

use domain::{SessionId, Timestamp, UserId};
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use crate::{Catalog, StoreError, error::found_any};

/// A refresh token to record.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its row's id.
    pub id: Uuid,
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// Where it was asked for from.
    pub ip: Option<IpAddr>,
    /// By what program; the first 500 characters.
    pub user_agent: Option<String>,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewToken({}, until {})", self.id, self.expires_at)
    }
}

/// A sign-in that still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, the same through all rotations.
    pub id: SessionId,
    /// When the person signed in.
    pub created_on: Timestamp,
    /// When it was last used.
    pub last_activity_at: Timestamp,
    /// When it ends if it is not used again.
    pub expires_at: Timestamp,
    /// Where it was last used from.
    pub ip: Option<IpAddr>,
    /// By what program.
    pub user_agent: Option<String>,
}

/// What came of presenting a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The new token holds in place of the one presented.
    Rotated {
        /// Whose it is.
        user_id: UserId,
        /// The session.
        session_id: SessionId,
    },
    /// The token had been replaced long ago: somebody has a copy. The session was ended.
    Reused {
        /// Whose it is.
        user_id: UserId,
        /// The session.
        session_id: SessionId,
    },
    /// There is no such token, it is over, it was revoked, or its owner may not sign in.
    Refused,
}

impl Catalog {
    /// Begins a session.
    pub async fn session_insert(
        &self,
        user: UserId,
        session: SessionId,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("begin a session").await?;
        let begun = insert_token(&mut tx, user.uuid(), session.uuid(), token, now).await;
        tx.end(begun).await
    }

    /// Replaces the token with this hash by `next`.
    ///
    /// A token that was replaced less than `grace` ago is taken once more, as long as its successor was not used: the answer that
    /// brought it was lost. The lost one is then replaced too.
    pub async fn session_rotate(
        &self,
        sha256: [u8; 32],
        next: &NewToken,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Rotation, StoreError> {
        let mut tx = self.outside_teams("rotate a session").await?;
        let rotated = rotate(&mut tx, sha256, next, now, grace).await;
        tx.end(rotated).await
    }

    /// The sessions of a user that still hold, the last used first.
    pub async fn session_list(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut tx = self.outside_teams("list sessions").await?;
        let rows = query_as!(
            Row,
            r#"select s.family, s.last_activity_at, s.expires_at, host(s.ip) as ip, s.user_agent,
                (select min(first.created_on) from sessions first where first.family = s.family) as "created_on!"
            from sessions s
            where s.user_id = $1 and s.replaced_at is null and s.revoked_at is null and s.expires_at > $2
            order by s.last_activity_at desc, s.id desc"#,
            user.uuid(),
            now
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Session::from).collect())
    }

    /// Ends a session of the user.
    pub async fn session_revoke(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("revoke a session").await?;
        let revoked = sqlx::query!(
            "update sessions set revoked_at = $3 where user_id = $1 and family = $2 and revoked_at is null",
            user.uuid(),
            session.uuid(),
            now
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(revoked).await?)
    }

    /// Ends all sessions of the user but `kept`: after a change of the password, say.
    pub async fn session_revoke_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("revoke the sessions of a user").await?;
        let revoked = sqlx::query!(
            "update sessions set revoked_at = $3
            where user_id = $1 and family is distinct from $2 and revoked_at is null",
            user.uuid(),
            kept.map(SessionId::uuid),
            now
        )
        .execute(&mut *tx)
        .await;
        tx.end(revoked).await.map(drop)
    }

    /// Forgets tokens that were over before this moment; answers how many there were.
    pub async fn session_forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.outside_teams("forget sessions").await?;
        let forgotten =
            sqlx::query!("delete from sessions where expires_at < $1", before).execute(&mut *tx).await;
        tx.end(forgotten).await.map(|done| done.rows_affected())
    }
}

async fn rotate(
    tx: &mut PgConnection,
    sha256: [u8; 32],
    next: &NewToken,
    now: Timestamp,
    grace: Duration,
) -> Result<Rotation, sqlx::Error> {
    // One after the other for each family: what follows looks at more than one of its tokens.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended(family::text, 0)) as "locked!: ()"
        from sessions where refresh_hash = $1"#,
        &sha256[..]
    )
    .fetch_optional(&mut *tx)
    .await?;
    let found = sqlx::query!(
        r#"select s.id, s.user_id, s.family, s.replaced_at, coalesce(next.id, s.id) as "live_id!",
            s.revoked_at is null and s.expires_at > $2 and coalesce(m.is_active, true) as "is_good!",
            next.replaced_at is null as "is_next_unused!"
        from sessions s
            join users u on u.id = s.user_id
            left join members m on m.id = u.member_id
            left join sessions next on next.id = s.replaced_by
        where s.refresh_hash = $1"#,
        &sha256[..],
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(token) = found.filter(|token| token.is_good) else {
        return Ok(Rotation::Refused);
    };
    let (user_id, session_id) = (token.user_id.into(), token.family.into());
    let is_lost = |replaced_at: Timestamp| {
        token.is_next_unused && (now - replaced_at).to_std().unwrap_or_default() < grace
    };
    if !token.replaced_at.is_none_or(is_lost) {
        sqlx::query!(
            "update sessions set revoked_at = $2 where family = $1 and revoked_at is null",
            token.family,
            now
        )
        .execute(tx)
        .await?;
        return Ok(Rotation::Reused { user_id, session_id });
    }
    insert_token(&mut *tx, token.user_id, token.family, next, now).await?;
    // The one presented, and the lost one where there was one: both lead to the new one now.
    sqlx::query!(
        "update sessions set replaced_at = coalesce(replaced_at, $3), replaced_by = $4 where id in ($1, $2)",
        token.id,
        token.live_id,
        now,
        next.id
    )
    .execute(tx)
    .await?;
    Ok(Rotation::Rotated { user_id, session_id })
}

async fn insert_token(
    tx: &mut PgConnection,
    user: Uuid,
    family: Uuid,
    token: &NewToken,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into sessions (id, user_id, family, refresh_hash, expires_at, ip, user_agent, last_activity_at, created_on)
        values ($1, $2, $3, $4, $5, $6::text::inet, left($7, 500), $8, $8)",
        token.id,
        user,
        family,
        &token.sha256[..],
        token.expires_at,
        token.ip.map(|ip| ip.to_string()),
        token.user_agent,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

struct Row {
    family: Uuid,
    last_activity_at: Timestamp,
    expires_at: Timestamp,
    ip: Option<String>,
    user_agent: Option<String>,
    created_on: Timestamp,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.family.into(),
            created_on: row.created_on,
            last_activity_at: row.last_activity_at,
            expires_at: row.expires_at,
            ip: row.ip.and_then(|ip| ip.parse().ok()),
            user_agent: row.user_agent,
        }
    }
}
