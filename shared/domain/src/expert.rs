//! Experts: prompt, model and parameters under a name.

use serde::{Deserialize, Serialize};

/// Where an expert stands in its life (EXP-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpertStatus {
    /// Being written.
    Draft,
    /// In use.
    Active,
    /// Put away.
    Archive,
    /// Kept for the record.
    Historical,
}
