//! Runs that this process began and moved on all by itself, as it wrote them: what need not be read from the database.
//!
//! Two things are known without asking. A run that has ended and is not to be looked at never changes again, so its last state is its state
//! for ever. And the worker that is handed a run as it is created finds what was just written; should another process have changed it in that moment, the
//! worker's commit is refused, and then it reads the run. Everything else is read: other processes may have written.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::ports::LoadedRun;
use domain::{RunId, TeamId};
use engine::{Run, StepRecord};

/// Runs that are remembered. Those who started them ask within seconds.
const MOST_RUNS: usize = 1024;

/// The most JSON of a run that is remembered, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// The runs, the oldest first to be forgotten.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    runs: HashMap<RunId, Entry>,
    oldest_first: VecDeque<RunId>,
}

#[derive(Debug)]
struct Entry {
    loaded: LoadedRun,
    bytes: usize,
    is_untouched: bool,
}

impl Recent {
    /// A run that was just created, and handed to a worker of this process.
    pub(super) fn began(&self, loaded: LoadedRun, bytes: usize) {
        if bytes > MOST_BYTES {
            return;
        }
        let (known, id) = (&mut *self.known(), loaded.run.id);
        known.runs.insert(id, Entry { loaded, bytes, is_untouched: true });
        known.oldest_first.push_back(id);
        while known.oldest_first.len() > MOST_RUNS {
            if let Some(oldest) = known.oldest_first.pop_front() {
                known.runs.remove(&oldest);
            }
        }
    }

    /// A commit of this process that was accepted.
    pub(super) fn moved_on(&self, run: &Run, records: &[StepRecord], bytes: usize) {
        let mut known = self.known();
        let Some(entry) = known.runs.get_mut(&run.id) else { return };
        entry.bytes += bytes;
        entry.is_untouched = false;
        // An accepted commit follows the last one; if that was not ours, what we know is not all there is.
        if entry.loaded.run.revision + 1 == run.revision && entry.bytes <= MOST_BYTES {
            entry.loaded.move_on(run.clone(), records.to_vec());
        } else {
            known.runs.remove(&run.id);
        }
    }

    /// Someone else has written the run.
    pub(super) fn forget(&self, run: RunId) {
        self.known().runs.remove(&run);
    }

    /// The run, if it is known as it is stored. An untouched one is given out once.
    pub(super) fn get(&self, team: TeamId, id: RunId) -> Option<LoadedRun> {
        let mut known = self.known();
        let entry = known.runs.get_mut(&id).filter(|entry| entry.loaded.run.team_id == team)?;
        let is_known = is_final(&entry.loaded.run) || std::mem::take(&mut entry.is_untouched);
        is_known.then(|| entry.loaded.clone())
    }

    /// The control state, if it is the run's last.
    pub(super) fn ended(&self, team: TeamId, id: RunId) -> Option<Run> {
        let known = self.known();
        let run = &known.runs.get(&id)?.loaded.run;
        (run.team_id == team && is_final(run)).then(|| run.clone())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_final(run: &Run) -> bool {
    run.status.is_terminal() && run.next_check_on.is_none()
}
