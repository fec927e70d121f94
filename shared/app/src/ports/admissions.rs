//! The port to who is under way of a team that may have only so many runs at a time, and who waits (RUN-16).

use async_trait::async_trait;
use domain::{RunId, TeamId};

use super::{StepSlots, StoreError};

/// The most runs at a time that a team can be limited to. Whoever is under way is kept in one item, which each beginning and end
/// rewrites.
pub const MOST_RUNNING: u32 = 1000;

/// Lets runs of a team in, so many at a time, and keeps the others in a line. Their order is that of their ids, which are those of their
/// acceptance (UUIDv7). Teams without a limit are never asked about.
///
/// - What was let in stays so until it leaves: at no moment are more in than the limit that the last of them was let in by.
/// - A run is let in only if there is room for it and for all who wait before it. Two that arrive at the same moment may pass each other.
/// - All may be asked twice: what is in is let in again, what has left leaves again.
///
/// Who keeps them keeps the slots for calls too: what a team may have at a time is one matter to everybody who asks.
///
/// On AWS an admission costs one query and one write, of a kilobyte for every 27 runs that are in; a refusal two writes and what of
/// the line is read.
#[async_trait]
pub trait Admissions: StepSlots {
    /// Lets the run in beside at most `limit - 1` others, or puts it in line.
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError>;

    /// Takes the run out, whether it is in or in line, and answers who is then the first in line.
    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError>;

    /// Where the run is in line, from 1; None if it is not. Behind [`MOST_RUNNING`] others it is not counted further.
    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError>;
}

/// What came of [`Admissions::admit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The run may begin.
    Admitted,
    /// It waits.
    Waits {
        /// Its place in line, from 1. Behind [`MOST_RUNNING`] others it is not counted further.
        position: u32,
        /// Whom it waits for: the runs that are in, and those before it in line.
        behind: Vec<RunId>,
    },
}
