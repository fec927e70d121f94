//! The versions of other workflows that a draft is published with.

use std::collections::{BTreeMap, HashSet};

use domain::{Graph, NodeKey, RunSettings, TeamId, UsedVersion, VersionId, WorkflowId, WorkflowVersion};
use engine::{Severity, Violation, used_workflows};

use crate::ports::{Draft, RunStore, StoreError, WorkflowCatalog};

/// How deep workflows may run in each other.
const MAX_DEPTH: usize = 10;

/// What a draft names: a workflow, perhaps the number of its version, and where it does so.
struct Named {
    workflow_id: WorkflowId,
    number: Option<u32>,
    node: Option<NodeKey>,
    pointer: String,
}

/// A version, with the workflow and perhaps the number that it was asked for by.
pub(crate) type Known = (WorkflowId, Option<u32>, WorkflowVersion);

/// What a draft uses of other workflows.
pub(super) struct Resolved {
    pub(super) uses: Vec<UsedVersion>,
    pub(super) versions: Vec<Known>,
    pub(super) violations: Vec<Violation>,
}

/// The versions that the nodes of a graph would run, as far as there are any.
pub(crate) async fn look_up(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    graph: &Graph,
) -> Result<Vec<Known>, StoreError> {
    let mut known: Vec<Known> = Vec::new();
    for (node, workflow_id, number) in used_workflows(graph) {
        if known.iter().any(|(id, of, _)| *id == workflow_id && *of == number) {
            continue;
        }
        let named = Named { workflow_id, number, node: Some(node), pointer: String::new() };
        if let Ok(version) = find(catalog, team, &named).await? {
            known.push((workflow_id, number, version));
        }
    }
    Ok(known)
}

/// Looks up every version that the draft of `workflow` names, by its nodes and for its failures, so that it is frozen with this one. What
/// is not published, runs itself again, or runs too deep is a violation; what does not exist is told elsewhere.
/// Each is handed to the run store again, which may have missed it when it was published.
pub(super) async fn resolve(
    catalog: &dyn WorkflowCatalog,
    store: &dyn RunStore,
    team: TeamId,
    workflow: WorkflowId,
    draft: &Draft,
    settings: &RunSettings,
) -> Result<Resolved, StoreError> {
    let mut used: BTreeMap<(WorkflowId, Option<u32>), UsedVersion> = BTreeMap::new();
    let (mut versions, mut violations) = (Vec::new(), Vec::new());
    for named in names(draft, settings) {
        let key = (named.workflow_id, named.number);
        let found = find(catalog, team, &named).await?;
        let problem = match found {
            Ok(version) => {
                let problem = problem_of(catalog, workflow, &version).await?;
                store.put_version(&version).await?;
                let Named { workflow_id, number, .. } = named;
                used.insert(key, UsedVersion { workflow_id, number, version_id: version.id });
                versions.push((workflow_id, number, version));
                problem
            }
            Err(problem) => Some(problem),
        };
        violations.extend(problem.map(|(code, message)| violation(&named, code, message)));
    }
    Ok(Resolved { uses: used.into_values().collect(), versions, violations })
}

fn names(draft: &Draft, settings: &RunSettings) -> Vec<Named> {
    let place = |key: &NodeKey| {
        let place = draft.graph.nodes.iter().position(|node| node.key == *key);
        place.map_or_else(|| "/nodes".to_owned(), |i| format!("/nodes/{i}/metadata/workflow_id"))
    };
    let of_nodes = used_workflows(&draft.graph).into_iter().map(|(node, workflow_id, number)| Named {
        workflow_id,
        number,
        pointer: place(&node),
        node: Some(node),
    });
    let of_errors = settings.error_workflow_id.map(|workflow_id| Named {
        workflow_id,
        number: None,
        node: None,
        pointer: "/settings/error_workflow_id".to_owned(),
    });
    of_nodes.chain(of_errors).collect()
}

type Problem = (&'static str, String);

async fn find(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    named: &Named,
) -> Result<Result<WorkflowVersion, Problem>, StoreError> {
    let found = match named.number {
        Some(number) => catalog.numbered(team, named.workflow_id, number).await,
        None => match catalog.runnable(team, named.workflow_id, None).await {
            Ok(runnable) => match runnable.version_id {
                Some(id) => catalog.version(team, id).await,
                None => Err(StoreError::NotFound),
            },
            Err(error) => Err(error),
        },
    };
    match found {
        Ok(version) => Ok(Ok(version)),
        Err(StoreError::NotFound) => {
            let which =
                named.number.map_or_else(|| "published version".to_owned(), |n| format!("version {n}"));
            Ok(Err(("not_published", format!("the workflow {} has no {which}", named.workflow_id))))
        }
        Err(error) => Err(error),
    }
}

/// Whether a version runs `workflow` again, or goes too deep, looking through all that it uses.
async fn problem_of(
    catalog: &dyn WorkflowCatalog,
    workflow: WorkflowId,
    version: &WorkflowVersion,
) -> Result<Option<Problem>, StoreError> {
    let mut seen: HashSet<VersionId> = HashSet::new();
    let mut level = vec![version.clone()];
    for _ in 1..MAX_DEPTH {
        if level.iter().any(|version| version.workflow_id == workflow) {
            return Ok(Some(("recursive_workflow", "the workflow would run itself again".to_owned())));
        }
        let mut next = Vec::new();
        for used in level.iter().flat_map(|version| &version.uses) {
            if seen.insert(used.version_id) {
                next.push(catalog.version(version.team_id, used.version_id).await?);
            }
        }
        if next.is_empty() {
            return Ok(None);
        }
        level = next;
    }
    Ok(Some(("too_deep", format!("workflows may run {MAX_DEPTH} deep in each other"))))
}

fn violation(named: &Named, code: &str, message: String) -> Violation {
    Violation {
        severity: Severity::Error,
        node: named.node.clone(),
        pointer: named.pointer.clone(),
        code: code.to_owned(),
        message,
        offset: None,
    }
}
