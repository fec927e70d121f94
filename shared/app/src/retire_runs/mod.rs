//! Parting with runs whose time is over: exported first, then deleted (RUN-19).
//!
//! | the process dies | what is left | the next turn |
//! |---|---|---|
//! | before the file is stored | the runs | exports them |
//! | before a run is marked | the run, and a file with it | exports it again: the same line stands in two files |
//! | before a marked run is deleted | the run or a part of it | deletes the rest |
//!
//! So a run is deleted only once it is marked, and marked only once it stands in a durable file. Whoever reads a run while
//! another turn deletes it may see a part of it; the mark was set before that, so marks are asked for after reading. A file
//! is named by its content, so none ever takes another's place.

mod chunks;
mod export;

use domain::{RunId, TeamId, Timestamp};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tracing::{info, warn};

use crate::ports::{EndedRuns, Exports, RunStore, StoreError};
use chunks::Chunks;
use export::Export;

/// How much JSON one file holds, in bytes, but for the run that exceeds it.
const FILE_BYTES: usize = 32 * 1024 * 1024;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// What retention asks of the world.
#[derive(Clone, Copy)]
pub struct RetirePorts<'a> {
    /// The runs themselves.
    pub store: &'a dyn RunStore,
    /// Those whose time may be over.
    pub ended: &'a dyn EndedRuns,
    /// Where they go first.
    pub exports: &'a dyn Exports,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retired {
    /// Runs that were exported.
    pub exported: usize,
    /// Runs that were deleted.
    pub purged: usize,
    /// Whether there may be more.
    pub has_more: bool,
}

/// Exports and deletes up to `limit` of the team's runs that ended before this time, the first accepted first. A run that
/// can't be read is kept, and holds up no other.
pub async fn retire_runs(
    ports: &RetirePorts<'_>,
    team: TeamId,
    before: Timestamp,
    limit: u32,
) -> Result<Retired, StoreError> {
    let found = ports.ended.ended_before(team, before, limit).await?;
    let mut batch = Batch { ports, team, chunks: Chunks::new(ports.store), export: Export::default() };
    let is_cut = batch.read(&found).await?;
    let exported = batch.export().await?;
    let purged = batch.purge(&found).await?;
    if purged > 0 {
        info!(team_id = %team, exported, purged, "{purged} runs were over their time and are gone");
    }
    // What could not be read is found again: only a batch that got somewhere is followed by another.
    Ok(Retired { exported, purged, has_more: purged > 0 && (is_cut || found.len() >= limit as usize) })
}

/// Some runs of a team on their way.
struct Batch<'a> {
    ports: &'a RetirePorts<'a>,
    team: TeamId,
    chunks: Chunks<'a>,
    export: Export,
}

impl Batch<'_> {
    /// Reads runs until the file is full; answers whether it was.
    async fn read(&mut self, found: &[RunId]) -> Result<bool, StoreError> {
        for id in found {
            if self.export.bytes() >= FILE_BYTES {
                return Ok(true);
            }
            match self.read_one(*id).await {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => {
                    let error = error_chain(&error);
                    warn!(run_id = %id, team_id = %self.team, error, "run {id} can't be exported and is kept");
                }
            }
        }
        Ok(false)
    }

    async fn read_one(&mut self, id: RunId) -> Result<(), StoreError> {
        let loaded = self.ports.store.load(self.team, id).await?;
        let chunks = self.chunks.levels_of(&loaded.run).await?.concat();
        let read = stream::iter(chunks).map(|chunk| self.ports.store.load(self.team, chunk));
        let chunks: Vec<_> = read.buffered(AT_ONCE).try_collect().await?;
        let of_chunks = chunks.into_iter().flat_map(|chunk| chunk.records);
        let steps: Vec<_> = loaded.records.iter().cloned().chain(of_chunks).collect();
        self.export.add(&loaded, &steps)
    }

    /// Stores what was read of runs that no turn has exported yet, and marks them; answers how many.
    async fn export(&mut self) -> Result<usize, StoreError> {
        let read = self.export.runs();
        let gone_before = self.ports.ended.exported(self.team, &read).await?;
        self.export.leave_out(&gone_before);
        let Some((name, bytes)) = self.export.file() else { return Ok(0) };
        self.ports.exports.put_export(self.team, &name, bytes).await?;
        let runs = self.export.runs();
        for run in &runs {
            self.ports.ended.mark_exported(self.team, *run).await?;
        }
        Ok(runs.len())
    }

    /// Deletes those of the runs that are marked; answers how many.
    async fn purge(&mut self, found: &[RunId]) -> Result<usize, StoreError> {
        let marked = self.ports.ended.exported(self.team, found).await?;
        for id in &marked {
            let run = self.ports.store.load_control(self.team, *id).await?;
            // Children before their parents, the last before the first: what is left can be found as before.
            for level in self.chunks.levels_of(&run).await?.into_iter().rev() {
                let chunks = level.into_iter().rev().map(|chunk| self.ports.ended.purge(self.team, chunk));
                stream::iter(chunks).buffered(AT_ONCE).try_collect::<()>().await?;
            }
            self.ports.ended.purge(self.team, *id).await?;
        }
        Ok(marked.len())
    }
}

/// An error with its causes.
fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
