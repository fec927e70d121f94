//! Publishing a draft: every problem at once, or an immutable version that runs.

mod experts;
pub(crate) mod settings;
pub(crate) mod uses;

use std::collections::HashSet;

use domain::{
    FrozenExpert, Graph, NodeKey, RunSettings, TeamId, UsedVersion, VersionId, WorkflowId, WorkflowVersion,
};
use engine::{
    Known, Reference, ReferenceKind, Severity, Violation, check_shapes, forecast::Forecast, plan_workflow,
};
use serde_json::{Map, Value};
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

/// A version that was made, and what is known of its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The version.
    pub version: WorkflowVersion,
    /// Places that run, but perhaps not as their author means.
    pub warnings: Vec<Violation>,
    /// What a run of it does and takes, over all inputs that it allows.
    pub plan: Forecast,
}

/// Publishes the draft as the workflow's next version. The catalog comes first, because it numbers versions and refuses a draft
/// that was edited meanwhile. Should the run store then fail, the version is published all the same and the first start
/// hands it over ([`crate::start_run`]); an error here would only make the client publish twice.
pub async fn publish_workflow(
    ports: &PublishPorts<'_>,
    wish: &PublishWorkflow,
) -> Result<Publication, PublishError> {
    let draft = ports.catalog.draft(wish.team_id, wish.workflow_id).await?;
    if wish.if_revision.is_some_and(|seen| seen != draft.revision) {
        return Err(PublishError::Changed);
    }
    let mut violations = engine::validate_for_publish(&draft.graph);
    violations.extend(input_params_violations(&draft));
    violations.extend(schedule_violation(&draft));
    violations.extend(unknown_references(ports.catalog, wish.team_id, &draft.graph).await?);
    let (settings, limits, wrong) = settings::read(&draft.settings);
    violations.extend(wrong);
    let resolved =
        uses::resolve(ports.catalog, ports.store, wish.team_id, wish.workflow_id, &draft, &settings).await?;
    // A workflow that does not exist has no version either, and that was said.
    let said: HashSet<_> = violations.iter().map(|violation| violation.pointer.clone()).collect();
    let wrong = resolved.violations.into_iter();
    violations.extend(wrong.filter(|violation| !said.contains(&violation.pointer)));
    let frozen = experts::freeze(ports.catalog, wish.team_id, &draft.graph).await?;
    violations.extend(frozen.violations);
    let known = Known { input_params: Some(&draft.input_params), versions: &resolved.versions };
    violations.extend(check_shapes(&draft.graph, &known));
    if violations.iter().any(|violation| violation.severity == Severity::Error) {
        return Err(PublishError::Invalid(violations));
    }
    let plan = plan_workflow(&draft.graph, &known, None).map_err(PublishError::Invalid)?;
    let over = limits.violations(&plan);
    if !over.is_empty() {
        violations.extend(over);
        return Err(PublishError::Invalid(violations));
    }
    let revision = draft.revision;
    let version = ports
        .catalog
        .insert_version(
            snapshot(ports, wish, draft, settings, (resolved.uses, frozen.experts)),
            revision,
            wish.note.as_deref(),
            &wish.act,
        )
        .await?;
    if let Err(error) = ports.store.put_version(&version).await {
        warn!(version_id = %version.id, team_id = %version.team_id, %error, "version {} is not in the run store yet", version.id);
    }
    info!(version_id = %version.id, team_id = %version.team_id, number = version.number, "workflow {} published", wish.workflow_id);
    Ok(Publication { version, warnings: violations, plan })
}

/// Every violation of the save-time rules, every reference to something that the team does not have, and every use of what can't be there in
/// a run whose inputs match `input_params`.
pub async fn validate_graph(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    graph: &Graph,
    input_params: &Map<String, Value>,
) -> Result<Vec<Violation>, StoreError> {
    let mut violations = engine::validate(graph);
    violations.extend(unknown_references(catalog, team, graph).await?);
    let versions = uses::look_up(catalog, team, graph).await?;
    violations.extend(check_shapes(graph, &Known { input_params: Some(input_params), versions: &versions }));
    Ok(violations)
}

/// What the settings of a workflow say of its runs that can't be, and the workflow for failures where the team has none like it. Pointers
/// begin with `/settings`.
pub async fn validate_settings(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    settings: &Map<String, Value>,
) -> Result<Vec<Violation>, StoreError> {
    let (read, _, mut violations) = settings::read(settings);
    if let Some(workflow) = read.error_workflow_id {
        let missing = catalog.missing(team, &[error_workflow(&workflow.to_string())]).await?;
        violations
            .extend(missing.into_iter().map(|reference| Violation { node: None, ..unknown(reference) }));
    }
    Ok(violations)
}

/// What a workflow refers to by naming another one for its failures. No node does.
pub fn error_workflow(id: &str) -> Reference {
    let pointer = "/settings/error_workflow_id".to_owned();
    Reference { kind: ReferenceKind::Workflow, id: id.to_owned(), node: NodeKey::new(""), pointer }
}

/// What a run of a draft would do, over sample inputs or over all that it allows, and why it could not be published for that. Nothing is
/// called and nothing is stored (WF-11).
#[derive(Debug, Clone, PartialEq)]
pub struct DraftPlan {
    /// The plan.
    pub plan: Forecast,
    /// Limits of its settings that it exceeds.
    pub over_limits: Vec<Violation>,
}

/// Plans a draft. Fails with the errors of the graph, of the schema of its inputs, and of inputs that do not match it.
pub async fn plan_draft(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    draft: &Draft,
    inputs: Option<&Value>,
) -> Result<DraftPlan, PublishError> {
    let mut violations: Vec<_> = input_params_violations(draft).collect();
    let (_, limits, wrong) = settings::read(&draft.settings);
    violations.extend(wrong);
    if let (true, Some(inputs)) = (violations.is_empty(), inputs) {
        let misfits = engine::validate_inputs(&draft.input_params, inputs).into_iter();
        violations
            .extend(misfits.map(|found| Violation { pointer: format!("/inputs{}", found.pointer), ..found }));
    }
    if !violations.is_empty() {
        return Err(PublishError::Invalid(violations));
    }
    let versions = uses::look_up(catalog, team, &draft.graph).await?;
    let known = Known { input_params: Some(&draft.input_params), versions: &versions };
    let plan = plan_workflow(&draft.graph, &known, inputs).map_err(PublishError::Invalid)?;
    let over_limits = limits.violations(&plan);
    Ok(DraftPlan { plan, over_limits })
}

/// The schema's violations, with pointers that lead there from the workflow.
fn input_params_violations(draft: &Draft) -> impl Iterator<Item = Violation> {
    engine::validate_input_params(&draft.input_params)
        .into_iter()
        .map(|violation| Violation { pointer: format!("/input_params{}", violation.pointer), ..violation })
}

/// The clock starts runs without inputs: a workflow that asks for some would never run by it (WF-10).
fn schedule_violation(draft: &Draft) -> Option<Violation> {
    draft.cron_schedule.as_ref()?;
    let without_inputs = engine::validate_inputs(&draft.input_params, &Value::Object(Map::new()));
    let message = without_inputs.first().map(|wrong| {
        format!("the clock starts runs without inputs, and input_params asks for some: {}", wrong.message)
    })?;
    Some(Violation {
        severity: Severity::Error,
        node: None,
        pointer: "/cron_schedule".to_owned(),
        code: "inputs_required".to_owned(),
        message,
        offset: None,
    })
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
        .map(unknown)
        .collect())
}

fn unknown(reference: Reference) -> Violation {
    Violation {
        severity: Severity::Error,
        message: format!("the team has no {} `{}`", noun(reference.kind), reference.id),
        node: Some(reference.node),
        pointer: reference.pointer,
        code: "unknown_reference".to_owned(),
        offset: None,
    }
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
    (uses, experts): (Vec<UsedVersion>, Vec<FrozenExpert>),
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
        experts,
        created_on: ports.clock.now(),
    }
}
