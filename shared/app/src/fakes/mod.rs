//! The ports in memory, for tests of everything above them.

mod accounts;
mod admissions;
mod annotations;
mod builders;
mod catalog;
mod challenges;
mod chance;
mod connectors;
mod counters;
mod crash;
mod exports;
mod kept_answers;
mod limits;
mod mail;
mod models;
mod queue;
mod run_store;
mod seats;
mod secrets;
mod sessions;
mod team_secrets;
mod timers;
mod web;

pub use accounts::MemoryAccounts;
pub use admissions::MemoryAdmissions;
pub use annotations::MemoryAnnotations;
pub use builders::{a_conductor, a_conductor_with, a_run, a_version, an_expert, graph, team, trigger};
pub use catalog::{MemoryCatalog, MemoryKeys};
pub use challenges::MemoryChallenges;
pub use chance::{FixedChance, ManualClock, SequentialEntropy, SequentialIds};
pub use connectors::ScriptedConnectors;
pub use counters::MemoryCounters;
pub use crash::{CrashSwitch, Crashing};
pub use exports::MemoryExports;
pub use kept_answers::MemoryAnswers;
pub use limits::MemoryLimits;
pub use mail::MemoryMailer;
pub use models::ScriptedModels;
pub use queue::MemoryQueue;
pub use run_store::{MemoryBlobs, MemoryRunStore, Requests};
pub use seats::MemorySeats;
pub use secrets::MemorySecrets;
pub use sessions::MemorySessions;
pub use team_secrets::{MemorySecretCatalog, MemorySecretCopies, MemoryTeamSecrets};
pub use timers::{MemorySink, MemoryTimers};
pub use web::{MemoryWeb, SentForm};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a test panicked while it held the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
