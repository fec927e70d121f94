//! The port to one-time codes that wait for an answer.

use std::{fmt, net::IpAddr};

use async_trait::async_trait;
use domain::Timestamp;
use uuid::Uuid;

use super::StoreError;

/// One-time codes by whom they were sent to, one at a time each (AUT-03). They may be lost in a crash of the store, whereupon another is
/// asked for; one that was taken never comes back.
///
/// On AWS a challenge costs a write when it is made, one for each try, and one when it is taken.
#[async_trait]
pub trait Challenges: Send + Sync {
    /// Keeps a challenge, in place of the one that the key had. A key is 1 to 1,000 bytes.
    async fn put(&self, key: &str, challenge: &Challenge) -> Result<(), StoreError>;

    /// Counts a try and answers what was to be guessed. None if there is nothing, if it is over at `now`, or if `most` tries were
    /// counted already: of tries at once, no more than that are answered.
    async fn attempt(&self, key: &str, most: u32, now: Timestamp) -> Result<Option<Challenge>, StoreError>;

    /// Takes the challenge with this id away, and answers whether it was there: of those who try at once, one is told so. One whose answer
    /// was lost may be told that it was not, so that a code is refused too often rather than taken twice.
    async fn take(&self, key: &str, id: Uuid) -> Result<bool, StoreError>;
}

/// A code that somebody was sent. The code itself is nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its id.
    pub id: Uuid,
    /// What the code has to come to.
    pub mac: [u8; 32],
    /// What it was asked for: a short word.
    pub purpose: String,
    /// Until when it may be answered, exclusive. In whole seconds.
    pub expires_at: Timestamp,
    /// Where it was asked for from.
    pub ip: Option<IpAddr>,
    /// By what program.
    pub user_agent: Option<String>,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({} for {}, until {})", self.id, self.purpose, self.expires_at)
    }
}
