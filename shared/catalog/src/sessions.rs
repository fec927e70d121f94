//! Sessions: refresh tokens in families (AUT-08 … AUT-10). One token of a family is live; using it replaces it, and using one that was
//! replaced ends them all.

use std::time::Duration;

use app::ports::{NewToken, Rotation, Session, Sessions};
use async_trait::async_trait;
use domain::{SessionId, Timestamp, UserId};
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use crate::{Catalog, StoreError, error::found_any};

#[async_trait]
impl Sessions for Catalog {
    async fn begin(
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

    async fn rotate(
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

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
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

    async fn revoke(&self, user: UserId, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
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

    async fn revoke_all(
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

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
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
        r#"select s.id, s.user_id, s.family, s.replaced_at,
            s.revoked_at is null and s.expires_at > $2 and coalesce(m.is_active, true) as "is_good!",
            coalesce(next.refresh_hash = $3 and next.replaced_at is null, false) as "is_next_unused!"
        from sessions s
            join users u on u.id = s.user_id
            left join members m on m.id = u.member_id
            left join sessions next on next.id = s.replaced_by
        where s.refresh_hash = $1"#,
        &sha256[..],
        now,
        &next.sha256[..]
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(token) = found.filter(|token| token.is_good) else {
        return Ok(Rotation::Refused);
    };
    let (user_id, session_id) = (token.user_id.into(), token.family.into());
    let rotated = Rotation::Rotated { user_id, session_id };
    let Some(replaced_at) = token.replaced_at else {
        insert_token(&mut *tx, token.user_id, token.family, next, now).await?;
        sqlx::query!(
            "update sessions set replaced_at = $2, replaced_by = $3 where id = $1",
            token.id,
            now,
            next.id
        )
        .execute(tx)
        .await?;
        return Ok(rotated);
    };
    if token.is_next_unused && (now - replaced_at).to_std().unwrap_or_default() < grace {
        return Ok(rotated);
    }
    sqlx::query!(
        "update sessions set revoked_at = $2 where family = $1 and revoked_at is null",
        token.family,
        now
    )
    .execute(tx)
    .await?;
    Ok(Rotation::Reused { user_id, session_id })
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
