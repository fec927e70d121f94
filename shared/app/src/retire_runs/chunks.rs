//! The runs that work on chunks of another run's items. No list shows them; their ids follow from the run that they belong to.

use std::collections::HashMap;

use domain::{NodeKey, RunId, VersionId};
use engine::{Plan, Run, child_id, compile};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};

use super::AT_ONCE;
use crate::ports::{RunStore, StoreError, unavailable};

const DOING: &str = "find the chunks of a run";

/// How many ids are looked at together. As many as are ever started or deleted at once, so that where none of them is, none
/// follows.
#[allow(clippy::cast_possible_truncation)] // A handful.
const WINDOW: u32 = AT_ONCE as u32;

/// Finds chunks, and keeps the plans that say where to look.
pub(super) struct Chunks<'a> {
    store: &'a dyn RunStore,
    plans: HashMap<VersionId, Plan>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(store: &'a dyn RunStore) -> Self {
        Self { store, plans: HashMap::new() }
    }

    /// The chunks of a run, then the chunks of these, and so on; each level in the order of its items.
    pub(super) async fn levels_of(&mut self, run: &Run) -> Result<Vec<Vec<RunId>>, StoreError> {
        let plan = self.plan(run).await?;
        let (mut levels, mut parents) = (Vec::new(), vec![run.clone()]);
        loop {
            let mut places = Vec::new();
            for parent in &parents {
                let plan = plan.of_run(parent).ok_or_else(|| unavailable(DOING)("there is no such chunk"))?;
                let nodes = plan.chunked().filter(|node| parent.nodes.contains_key(*node));
                places.extend(nodes.map(|node| (parent.clone(), node.clone())));
            }
            let found = stream::iter(places).map(|(parent, node)| self.of_node(parent, node));
            let found: Vec<Vec<Run>> = found.buffered(AT_ONCE).try_collect().await?;
            parents = found.concat();
            if parents.is_empty() {
                return Ok(levels);
            }
            levels.push(parents.iter().map(|chunk| chunk.id).collect());
        }
    }

    async fn of_node(&self, parent: Run, node: NodeKey) -> Result<Vec<Run>, StoreError> {
        let mut chunks = Vec::new();
        for first in (0..).step_by(WINDOW as usize) {
            let ids = (first..first + WINDOW).map(|number| child_id(parent.id, &node, number));
            let window = try_join_all(ids.map(|id| self.control(&parent, id))).await?;
            let before = chunks.len();
            chunks.extend(window.into_iter().flatten().filter(Run::is_chunk));
            if chunks.len() == before {
                break;
            }
        }
        Ok(chunks)
    }

    async fn control(&self, parent: &Run, id: RunId) -> Result<Option<Run>, StoreError> {
        match self.store.load_control(parent.team_id, id).await {
            Err(StoreError::NotFound) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The plan of the version that a run executes.
    async fn plan(&mut self, run: &Run) -> Result<Plan, StoreError> {
        if let Some(plan) = self.plans.get(&run.version_id) {
            return Ok(plan.clone());
        }
        // That the version is gone does not mean that the run is.
        let version = self.store.version(run.team_id, run.version_id).await.map_err(unavailable(DOING))?;
        let plan = compile(version).map_err(|_| unavailable(DOING)("its version does not compile"))?;
        self.plans.insert(run.version_id, plan.clone());
        Ok(plan)
    }
}
