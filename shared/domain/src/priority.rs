//! Which of the runs that wait goes first.

use serde::{Deserialize, Serialize};

/// The class of a run in the queue of the workers (RUN-16). A class goes before the next one, which never waits for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Somebody waits for it.
    High,
    /// Where nothing is said.
    #[default]
    Default,
    /// It may take its time.
    Low,
}

impl Priority {
    /// Every class, the one that goes first at the front.
    pub const ALL: [Self; 3] = [Self::High, Self::Default, Self::Low];

    /// Whether nothing was said.
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::Default)
    }
}
