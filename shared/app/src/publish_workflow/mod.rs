//! Publishing a draft: every problem at once, or an immutable version that runs.

mod settings;
mod uses;

use std::collections::HashSet;

use domain::{Graph, RunSettings, TeamId, UsedVersion, VersionId, WorkflowId, WorkflowVersion};
use engine::{ReferenceKind, Severity, Violation};
use tracing::{info, warn};

use crate::ports::{Act, Clock, Draft, Ids, RunStore, StoreError, WorkflowCatalog};

/// What publishing asks of the world.
#[derive(Clone, Copy)]
pub struct PublishPorts<'a> {
    /// Drafts, references and versions.
    pub catalog: &'a dyn WorkflowCatalog,
    /// Where workers read versions.
    pub store: &'a dyn RunStore,
    /// The present.
    pub clock: &'a dyn Clock,
    /// The version's id.
    pub ids: &'a dyn Ids,
}

/// A wish to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishWorkflow {
    /// The caller's team.
    pub team_id: TeamId,
    /// Whose draft.
    pub workflow_id: WorkflowId,
    /// Only if the draft still has this revision (`If-Match`).
    pub if_revision: Option<i64>,
    /// What the publisher has to say about it.
    pub note: Option<String>,
    /// Who they are.
    pub act: Act,
}

/// Why a draft was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The team has no such workflow.
    #[error("there is no such workflow in this team")]
    NotFound,
    /// The draft is not the one that the caller saw.
    #[error("the draft was changed in the meantime")]
    Changed,
    /// The draft has errors; warnings are listed with them.
    #[error("the draft has errors")]
    Invalid(Vec<Violation>),
    /// A store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict => Self::Changed,
            other => Self::Store(other),
        }
    }
}

/// Publishes the draft as the workflow's next version. The catalog comes first, because it numbers versions and refuses a draft
/// that was edited meanwhile. Should the run store then fail, the version is published all the same and the first start
/// hands it over ([`crate::start_run`]); an error here would only make the client publish twice.
pub async fn publish_workflow(
    ports: &PublishPorts<'_>,
    wish: &PublishWorkflow,
) -> Result<WorkflowVersion, PublishError> {
    let draft = ports.catalog.draft(wish.team_id, wish.workflow_id).await?;
    if wish.if_revision.is_some_and(|seen| seen != draft.revision) {
        return Err(PublishError::Changed);
    }
    let mut violations = engine::validate_for_publish(&draft.graph);
    violations.extend(input_params_violations(&draft));
    violations.extend(unknown_references(ports.catalog, wish.team_id, &draft.graph).await?);
    let (settings, wrong) = settings::read(&draft.settings);
    violations.extend(wrong);
    let (uses, wrong) =
        uses::resolve(ports.catalog, ports.store, wish.team_id, wish.workflow_id, &draft, &settings).await?;
    // A workflow that does not exist has no version either, and that was said.
    let said: HashSet<_> = violations.iter().map(|violation| violation.pointer.clone()).collect();
    violations.extend(wrong.into_iter().filter(|violation| !said.contains(&violation.pointer)));
    if violations.iter().any(|violation| violation.severity == Severity::Error) {
        return Err(PublishError::Invalid(violations));
    }
    let revision = draft.revision;
    let version = ports
        .catalog
        .insert_version(
            snapshot(ports, wish, draft, settings, uses),
            revision,
            wish.note.as_deref(),
            &wish.act,
        )
        .await?;
    if let Err(error) = ports.store.put_version(&version).await {
        warn!(version_id = %version.id, team_id = %version.team_id, %error, "version {} is not in the run store yet", version.id);
    }
    info!(version_id = %version.id, team_id = %version.team_id, number = version.number, "workflow {} published", wish.workflow_id);
    Ok(version)
}

/// Every violation of the save-time rules, and every reference to something that the team does not have.
pub async fn validate_graph(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    graph: &Graph,
) -> Result<Vec<Violation>, StoreError> {
    let mut violations = engine::validate(graph);
    violations.extend(unknown_references(catalog, team, graph).await?);
    Ok(violations)
}

/// The schema's violations, with pointers that lead there from the workflow.
fn input_params_violations(draft: &Draft) -> impl Iterator<Item = Violation> {
    engine::validate_input_params(&draft.input_params)
        .into_iter()
        .map(|violation| Violation { pointer: format!("/input_params{}", violation.pointer), ..violation })
}

async fn unknown_references(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    graph: &Graph,
) -> Result<Vec<Violation>, StoreError> {
    let references = engine::references(graph);
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let missing = catalog.missing(team, &references).await?;
    let mut seen = HashSet::new();
    Ok(missing
        .into_iter()
        .filter(|reference| seen.insert((reference.pointer.clone(), reference.id.clone())))
        .map(|reference| Violation {
            severity: Severity::Error,
            node: Some(reference.node),
            pointer: reference.pointer,
            code: "unknown_reference".to_owned(),
            message: format!("the team has no {} `{}`", noun(reference.kind), reference.id),
            offset: None,
        })
        .collect())
}

const fn noun(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Expert => "expert",
        ReferenceKind::Workflow => "workflow",
        ReferenceKind::Collection => "collection",
        ReferenceKind::McpServer => "MCP server",
        ReferenceKind::Secret => "secret",
    }
}

/// The draft as a version; the catalog gives the number.
fn snapshot(
    ports: &PublishPorts<'_>,
    wish: &PublishWorkflow,
    draft: Draft,
    settings: RunSettings,
    uses: Vec<UsedVersion>,
) -> WorkflowVersion {
    WorkflowVersion {
        id: VersionId::new(ports.ids.next()),
        team_id: wish.team_id,
        workflow_id: wish.workflow_id,
        workflow_name: draft.name,
        number: 0,
        graph: draft.graph,
        input_params: draft.input_params,
        is_api: draft.is_api,
        settings,
        uses,
        created_on: ports.clock.now(),
    }
}
