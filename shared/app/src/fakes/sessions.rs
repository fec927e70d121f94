//! Sessions as a list of tokens.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use domain::{SessionId, Timestamp, UserId};

use super::lock;
use crate::ports::{NewToken, Rotation, Session, Sessions, StoreError};

struct Row {
    user: UserId,
    session: SessionId,
    token: NewToken,
    made_on: Timestamp,
    /// When its successor was handed out, and the hash of that.
    replaced: Option<(Timestamp, [u8; 32])>,
    is_revoked: bool,
}

/// Sessions for as long as it lives.
#[derive(Default)]
pub struct MemorySessions(Mutex<Vec<Row>>);

impl MemorySessions {
    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        lock(&self.0)
    }
}

fn row(user: UserId, session: SessionId, token: &NewToken, made_on: Timestamp) -> Row {
    Row { user, session, token: token.clone(), made_on, replaced: None, is_revoked: false }
}

#[async_trait]
impl Sessions for MemorySessions {
    async fn begin(
        &self,
        user: UserId,
        session: SessionId,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.rows().push(row(user, session, token, now));
        Ok(())
    }

    async fn rotate(
        &self,
        sha256: [u8; 32],
        next: &NewToken,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Rotation, StoreError> {
        let mut rows = self.rows();
        let is_good = |row: &&Row| !row.is_revoked && row.token.expires_at > now;
        let Some(at) = rows.iter().position(|row| row.token.sha256 == sha256 && is_good(&row)) else {
            return Ok(Rotation::Refused);
        };
        let (user_id, session_id) = (rows[at].user, rows[at].session);
        let rotated = Rotation::Rotated { user_id, session_id };
        let Some((replaced_at, successor)) = rows[at].replaced else {
            rows[at].replaced = Some((now, next.sha256));
            rows.push(row(user_id, session_id, next, now));
            return Ok(rotated);
        };
        let is_unused = rows.iter().any(|row| row.token.sha256 == successor && row.replaced.is_none());
        if successor == next.sha256 && is_unused && (now - replaced_at).to_std().unwrap_or_default() < grace {
            return Ok(rotated);
        }
        rows.iter_mut().filter(|row| row.session == session_id).for_each(|row| row.is_revoked = true);
        Ok(Rotation::Reused { user_id, session_id })
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let rows = self.rows();
        let began = |session| rows.iter().filter(|row| row.session == session).map(|row| row.made_on).min();
        let is_live = |row: &&Row| {
            row.user == user && row.replaced.is_none() && !row.is_revoked && row.token.expires_at > now
        };
        let session = |row: &Row| Session {
            id: row.session,
            created_on: began(row.session).unwrap_or(row.made_on),
            last_activity_at: row.made_on,
            expires_at: row.token.expires_at,
            ip: row.token.ip,
            user_agent: row.token.user_agent.as_ref().map(|agent| agent.chars().take(500).collect()),
        };
        let mut found: Vec<Session> = rows.iter().filter(is_live).map(session).collect();
        found.sort_by_key(|session| std::cmp::Reverse((session.last_activity_at, session.id)));
        Ok(found)
    }

    async fn revoke(&self, user: UserId, session: SessionId, _now: Timestamp) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let mut found = false;
        for row in rows.iter_mut().filter(|row| row.user == user && row.session == session) {
            found |= !std::mem::replace(&mut row.is_revoked, true);
        }
        if found { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn revoke_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let others = rows.iter_mut().filter(|row| row.user == user && Some(row.session) != kept);
        others.for_each(|row| row.is_revoked = true);
        Ok(())
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut rows = self.rows();
        let had = rows.len();
        rows.retain(|row| row.token.expires_at >= before);
        Ok((had - rows.len()) as u64)
    }
}
