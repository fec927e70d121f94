//! What is different between two editions of a workflow.

use domain::{Graph, RunSettings, TeamId, Timestamp, VersionId, WorkflowId, WorkflowVersion};
use engine::{
    Known,
    diff::{Diff, Edition, diff},
};
use serde_json::{Map, Value};

use crate::{
    ports::{StoreError, WorkflowCatalog},
    publish_workflow,
};

/// Which edition of a workflow is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The version of this number.
    Number(u32),
    /// The draft as it stands.
    Draft,
}

/// Two editions, and what is different in the later one.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What it is compared with.
    pub from: Told,
    /// What is compared.
    pub to: Told,
    /// The difference.
    pub diff: Diff,
}

/// An edition, to be told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A version.
    Version {
        /// Its id.
        id: VersionId,
        /// Its number.
        number: u32,
        /// The workflow's name in it.
        name: String,
        /// When it was published.
        created_on: Timestamp,
    },
    /// The draft.
    Draft {
        /// Its revision.
        revision: i64,
        /// The workflow's name.
        name: String,
    },
}

/// Compares two editions of a workflow of the team. A version is seen with the versions of other workflows that it was published with, the
/// draft with those that it would be published with now.
pub async fn diff_versions(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    workflow: WorkflowId,
    (from, to): (Which, Which),
) -> Result<Compared, StoreError> {
    let (from, to) = (read(catalog, team, workflow, from).await?, read(catalog, team, workflow, to).await?);
    let diff = diff(&from.edition(), &to.edition());
    Ok(Compared { from: from.told, to: to.told, diff })
}

/// An edition with all that is known around it.
struct Side {
    told: Told,
    graph: Graph,
    input_params: Map<String, Value>,
    is_api: bool,
    settings: RunSettings,
    versions: Vec<(WorkflowId, Option<u32>, WorkflowVersion)>,
}

impl Side {
    fn edition(&self) -> Edition<'_> {
        let (Told::Version { name, .. } | Told::Draft { name, .. }) = &self.told;
        let known = Known { input_params: Some(&self.input_params), versions: &self.versions };
        Edition { name, graph: &self.graph, is_api: self.is_api, settings: &self.settings, known }
    }
}

async fn read(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    workflow: WorkflowId,
    which: Which,
) -> Result<Side, StoreError> {
    match which {
        Which::Number(number) => {
            let version = catalog.numbered(team, workflow, number).await?;
            let versions = frozen(catalog, &version).await?;
            let WorkflowVersion { id, workflow_name: name, number, created_on, .. } = version;
            let told = Told::Version { id, number, name, created_on };
            let WorkflowVersion { graph, input_params, is_api, settings, .. } = version;
            Ok(Side { told, graph, input_params, is_api, settings, versions })
        }
        Which::Draft => {
            let draft = catalog.draft(team, workflow).await?;
            let versions = publish_workflow::uses::look_up(catalog, team, &draft.graph).await?;
            let told = Told::Draft { revision: draft.revision, name: draft.name };
            let (settings, ..) = publish_workflow::settings::read(&draft.settings);
            let (graph, input_params, is_api) = (draft.graph, draft.input_params, draft.is_api);
            Ok(Side { told, graph, input_params, is_api, settings, versions })
        }
    }
}

/// The versions that a version was published with. One whose workflow is gone is not known any more.
async fn frozen(
    catalog: &dyn WorkflowCatalog,
    version: &WorkflowVersion,
) -> Result<Vec<(WorkflowId, Option<u32>, WorkflowVersion)>, StoreError> {
    let mut versions = Vec::new();
    for used in &version.uses {
        match catalog.version(version.team_id, used.version_id).await {
            Ok(found) => versions.push((used.workflow_id, used.number, found)),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(versions)
}
