//! The port to the dead letters: hints that were received too often, kept for people to look at (RUN-14).

use async_trait::async_trait;
use domain::{NodeKey, RunId, TeamId, Timestamp};

use super::StoreError;

/// The dead letters of a queue. A team sees and redrives its own only.
///
/// A hint that died is no lost run: its run is still looked after. It says that handling it failed again and again, or that its workers died.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Up to `limit` letters of the team, newest first. A store that can't look for a team's letters looks through a bounded
    /// number of them, and may not see those that somebody else is looking at.
    async fn list(&self, team: TeamId, limit: u32) -> Result<DeadLetterPage, StoreError>;

    /// Sends letters of the team to the workers again, as new messages, and answers the ids of those that were. What is not found, and what is
    /// another team's, is left out. A letter may be sent twice if this fails halfway, which is harmless; it is never lost.
    async fn redrive(&self, team: TeamId, which: &Redrive) -> Result<Vec<String>, StoreError>;
}

/// Which letters to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redrive {
    /// Those with these ids.
    Only(Vec<String>),
    /// All that are seen, some hundreds at least.
    All,
}

impl Redrive {
    /// Whether it means the letter with this id.
    pub fn means(&self, id: &str) -> bool {
        match self {
            Self::Only(ids) => ids.iter().any(|wanted| wanted == id),
            Self::All => true,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPage {
    /// The letters.
    pub items: Vec<DeadLetter>,
    /// Whether these are all that the team has, as far as can be seen.
    pub is_complete: bool,
}

impl DeadLetterPage {
    /// The first `limit` of these letters, of which a store reads one more to see whether there are others.
    pub fn cut(mut items: Vec<DeadLetter>, limit: u32) -> Self {
        let is_complete = items.len() <= limit as usize;
        items.truncate(limit as usize);
        Self { items, is_complete }
    }
}

/// A hint that was received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue's name for the message.
    pub id: String,
    /// The run that it was about.
    pub run_id: RunId,
    /// The node, where it was about one.
    pub node: Option<NodeKey>,
    /// How often it was received; some queues count looking at the dead letters too.
    pub receive_count: u32,
    /// When it was sent.
    pub sent_on: Timestamp,
    /// When it came to the dead letters, where the queue notes that.
    pub died_on: Option<Timestamp>,
}
