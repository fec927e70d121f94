//! Sessions, as those who have them see them (AUT-09, AUT-10).

use std::fmt;

use app::ports::{Account, Session, StoreError};
use domain::SessionId;

use crate::{Claims, Identity, SignInError};

/// What a client gets that signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who signed in.
    pub account: Account,
    /// The session.
    pub session_id: SessionId,
    /// For the next quarter of an hour.
    pub access_token: String,
    /// For another one.
    pub refresh_token: String,
    /// What a page repeats whose tokens are cookies.
    pub csrf_token: String,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({:?} in {})", self.account, self.session_id)
    }
}

/// One of the caller's sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// The session.
    pub session: Session,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl Identity {
    /// Ends the session that asks. One that has ended is not ended again, and that is all the same.
    pub async fn logout(&self, who: &Claims) -> Result<(), SignInError> {
        match self.end_session(who, who.session_id).await {
            Err(SignInError::Store(StoreError::NotFound)) => Ok(()),
            ended => ended,
        }
    }

    /// The caller's sessions that still hold, the last used first.
    pub async fn sessions(&self, who: &Claims) -> Result<Vec<OwnSession>, SignInError> {
        let account = self.account(who).await?;
        let sessions = self.ports.sessions.list(account.user_id, self.ports.clock.now()).await?;
        let own = |session: Session| OwnSession { is_current: session.id == who.session_id, session };
        Ok(sessions.into_iter().map(own).collect())
    }

    /// Ends one of the caller's sessions; [`StoreError::NotFound`] where it is not theirs or has ended.
    pub async fn end_session(&self, who: &Claims, session: SessionId) -> Result<(), SignInError> {
        let account = self.account(who).await?;
        let ended = self.ports.sessions.revoke(account.user_id, session, self.ports.clock.now()).await;
        // Not to be taken for a caller who is not known.
        ended.map_err(SignInError::Store)
    }
}
