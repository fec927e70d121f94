//! Refresh tokens: 256 bits, stored as SHA-256, replaced by their use (AUT-08).
//!
//! The token that replaces another is not drawn but derived from it by a key that only the deployment has. So who asks twice with the same
//! token, because the answer was lost or two pages asked at once, gets the same answer, although nothing but hashes is stored. The window
//! for that is short; later, a token that was replaced means that somebody has a copy, and the session ends.

use std::{fmt, time::Duration};

use app::ports::{NewToken, Rotation};
use chrono::TimeDelta;
use domain::{SessionId, Timestamp};
use ring::hmac;
use uuid::Uuid;

use crate::{
    Client, Identity, SignInError, SignedIn,
    pepper::Pepper,
    text::{decode, encode, sha256},
};

/// How long a refresh token may be used, and so how long a session lasts that is not.
pub const REFRESH_LIFE: TimeDelta = TimeDelta::days(7);

/// How long the same answer is given again.
pub const GRACE: Duration = Duration::from_secs(10);

/// 256 bits in base64url.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken(String);

impl RefreshToken {
    pub(crate) fn new(random: &[u8; 32]) -> Self {
        Self(encode(random))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        decode(text).filter(|bytes| bytes.len() == 32).map(|_| Self(text.to_owned()))
    }

    /// The one that replaces it.
    pub(crate) fn next(&self, pepper: &Pepper) -> Self {
        Self(encode(hmac::sign(&pepper.refresh, self.0.as_bytes()).as_ref()))
    }

    pub(crate) fn to_record(&self, id: Uuid, now: Timestamp, client: &Client) -> NewToken {
        NewToken {
            id,
            sha256: self.sha256(),
            expires_at: now + REFRESH_LIFE,
            ip: client.ip,
            user_agent: client.user_agent.clone(),
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

impl Identity {
    /// Signs in again by a refresh token, which is replaced. Where it came as a cookie, `page` is what the page repeated of its session's
    /// CSRF token, without which nothing is done.
    pub async fn refresh(
        &self,
        token: &str,
        page: Option<SessionId>,
        client: &Client,
    ) -> Result<SignedIn, SignInError> {
        let token = RefreshToken::parse(token).ok_or(SignInError::Refused)?;
        let (now, next) = (self.ports.clock.now(), token.next(self.peppers.get().await?));
        let record = next.to_record(self.ports.ids.next(), now, client);
        match self.ports.sessions.rotate(token.sha256(), &record, now, GRACE).await? {
            Rotation::Rotated { user_id, session_id } if page.is_none_or(|page| page == session_id) => {
                let account = self.ports.accounts.by_user(user_id).await?;
                if !account.is_active {
                    return Err(SignInError::Refused);
                }
                self.signed_in(account, session_id, next).await
            }
            Rotation::Reused { user_id, session_id } => {
                tracing::warn!(%user_id, %session_id, "a refresh token was used again: its session was ended");
                Err(SignInError::Refused)
            }
            Rotation::Rotated { .. } | Rotation::Refused => Err(SignInError::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_one_other_that_only_the_pepper_tells() {
        let first = RefreshToken::new(&[1; 32]);
        let (ours, theirs) = (Pepper::of(&[1; 32]), Pepper::of(&[2; 32]));
        assert_eq!(first.next(&ours), first.next(&ours));
        assert_ne!(first.next(&ours), first.next(&theirs));
        assert_ne!(first.next(&ours), first);
        let text = first.next(&ours).into_text();
        assert_eq!(RefreshToken::parse(&text).map(RefreshToken::into_text), Some(text));
        for bad in ["", "x", &encode(&[1; 31]), &encode(&[1; 33]), &format!("{}=", encode(&[1; 32]))] {
            assert_eq!(RefreshToken::parse(bad), None, "{bad}");
        }
    }
}
