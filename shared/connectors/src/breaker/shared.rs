//! What the processes of a deployment tell each other of a host, through counters.
//!
//! | key | counts | read by |
//! |---|---|---|
//! | `breaker/<team>/<host>/failed` | failures within a minute | who just failed |
//! | `breaker/<team>/<host>/probes` | probes within a cool-off | who would be the next |
//! | `breaker/<team>/<host>/answered` | probes that were answered within a minute | who was not let probe |
//!
//! A call that succeeds through a closed circuit touches none of them. Counters that fail or dawdle leave a process to what
//! it knows itself.

use std::{sync::Arc, time::Duration};

use app::ports::{Count, Counters};
use domain::{TeamId, Timestamp};
use tokio::time::timeout;
use tracing::warn;

use super::circuit::{COOL_OFF, TRUST};

/// The longest that a call waits for a counter. Its outcome is worth more than the count.
const PATIENCE: Duration = Duration::from_millis(500);

/// A host as one team calls it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) team: TeamId,
    /// `host`, or `host:port` where the port is not the scheme's own.
    pub(super) host: String,
}

/// Whether a process may probe a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It may.
    Granted,
    /// Another one did, and was answered.
    Answered,
    /// Another one does, or was not answered. The next claim may be granted then.
    Taken(Timestamp),
}

pub(super) struct Shared {
    counters: Arc<dyn Counters>,
}

impl Shared {
    pub(super) fn new(counters: Arc<dyn Counters>) -> Self {
        Self { counters }
    }

    /// Counts a failure and answers how many there were lately; 0 where nobody knows.
    pub(super) async fn failed(&self, peer: &Peer) -> u64 {
        self.add(peer, "failed", 1, length(TRUST)).await.map_or(0, |count| count.count)
    }

    /// Asks to be the one that probes.
    pub(super) async fn claim_probe(&self, peer: &Peer) -> Claim {
        match self.add(peer, "probes", 1, length(COOL_OFF)).await {
            Some(probes) if probes.count > 1 => {
                let answered = self.add(peer, "answered", 0, length(TRUST)).await;
                let is_answered = answered.is_some_and(|answered| answered.count > 0);
                if is_answered { Claim::Answered } else { Claim::Taken(probes.ends_on) }
            }
            Some(_) | None => Claim::Granted,
        }
    }

    /// Tells that a probe was answered.
    pub(super) async fn answered(&self, peer: &Peer) {
        self.add(peer, "answered", 1, length(TRUST)).await;
    }

    async fn add(&self, peer: &Peer, what: &str, n: u32, window: Duration) -> Option<Count> {
        let key = format!("breaker/{}/{}/{what}", peer.team, peer.host);
        let error = match timeout(PATIENCE, self.counters.add(&key, n, window)).await {
            Ok(Ok(count)) => return Some(count),
            Ok(Err(error)) => format!("{error}"),
            Err(elapsed) => elapsed.to_string(),
        };
        warn!(team_id = %peer.team, host = peer.host, error, "failures can not be counted, this process judges by its own");
        None
    }
}

/// The circuit's times as the counters take them.
fn length(time: chrono::TimeDelta) -> Duration {
    time.to_std().unwrap_or_default()
}
