//! The port to sessions: refresh tokens in families (AUT-08 … AUT-10).

use std::{fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use domain::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::StoreError;

/// Sign-ins with the refresh tokens that they were given. One token of a session is live; using it replaces it, and using one that was
/// replaced ends the session.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session.
    async fn begin(
        &self,
        user: UserId,
        session: SessionId,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Replaces the token with this hash by `next`, which is the same whenever the same token is presented.
    ///
    /// A token that was replaced less than `grace` ago is taken once more, as long as its successor was not used: the answer that
    /// brought it was lost, or two asked at once. It changes nothing then.
    async fn rotate(
        &self,
        sha256: [u8; 32],
        next: &NewToken,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Rotation, StoreError>;

    /// The sessions of a user that still hold, the last used first.
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// Ends a session of the user; [`StoreError::NotFound`] where they have no such session, or it was ended before.
    async fn revoke(&self, user: UserId, session: SessionId, now: Timestamp) -> Result<(), StoreError>;

    /// Ends all sessions of the user but `kept`: after a change of the password, say.
    async fn revoke_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets tokens that were over before this moment; answers how many there were. To be called now and then.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;
}

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
    /// By what program; the first 500 characters are kept.
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
