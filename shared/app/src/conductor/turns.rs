//! What one process does for a run, one after the other.

use domain::RunId;
use tokio::sync::Mutex;

/// A process works on few runs at a time; two of them seldom share a lock, and then they only wait for each other.
const LOCKS: usize = 64;

/// Locks for runs, to be held for moments. They spare a process work that it would do twice; between processes only the store decides.
pub(super) struct RunTurns([Mutex<()>; LOCKS]);

impl RunTurns {
    /// The lock of a run.
    pub(super) fn of(&self, run: RunId) -> &Mutex<()> {
        let bytes = run.uuid().into_bytes();
        // The last bytes of an id are random.
        &self.0[usize::from(bytes[15]) % LOCKS]
    }
}

impl Default for RunTurns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}
