//! What happened, in order, for people. Kept only if someone is to read it: a line costs more than what it tells of.

use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::{NodeState, Run};

/// The story of a seed.
#[derive(Debug, Default)]
pub struct Trace {
    is_kept: bool,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    actor: String,
    lines: Vec<String>,
}

impl Trace {
    /// A story that is kept, or not.
    pub fn new(is_kept: bool) -> Self {
        Self { is_kept, ..Self::default() }
    }

    /// Who acts from now on.
    pub fn turn_to(&self, actor: &str) {
        if self.is_kept {
            actor.clone_into(&mut self.told().actor);
        }
    }

    /// Adds a line at a time in milliseconds, with who acts.
    pub fn note(&self, ms: u128, line: impl FnOnce() -> String) {
        if self.is_kept {
            let (line, mut told) = (line(), self.told());
            let line = format!("{:>9}.{:03} {:<16} {line}", ms / 1000, ms % 1000, told.actor);
            told.lines.push(line);
        }
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.told().lines.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The nodes that a commit changed, and the status of the run.
pub fn changes(before: &Run, after: &Run) -> String {
    let changed = after.nodes.iter().filter(|(key, state)| before.nodes.get(*key) != Some(state));
    let words: Vec<_> = changed.map(|(key, state)| format!("{key} {}", word(state))).collect();
    format!("{}; run {}", words.join(", "), after.status.as_str())
}

fn word(state: &NodeState) -> String {
    match state {
        NodeState::Ready { attempt, .. } => format!("ready as {attempt}"),
        NodeState::Running { attempt, .. } => format!("claimed as {attempt}"),
        NodeState::Waiting { .. } => "waits".to_owned(),
        NodeState::Succeeded { attempt, .. } => format!("succeeded as {attempt}"),
        NodeState::Failed { attempt, .. } => format!("failed as {attempt}"),
        NodeState::Skipped { .. } => "skipped".to_owned(),
        NodeState::Cancelled { .. } => "cancelled".to_owned(),
    }
}
