//! Workflows as documents: out of a team, and into one.

use app::{ports::WorkflowCatalog as _, validate_graph, validate_settings};
use axum::{
    extract::State as Ex,
    response::{IntoResponse, Response},
};
use domain::{FieldError, WorkflowId};
use engine::{Severity, Violation};
use heddle_http::{ApiError, ApiResult, BASE, Caller, Json, Origin, Path, docs, etag};
use http::{StatusCode, header};
use serde_json::Map;

use super::{field_error, graph::unstorable};
use crate::{
    State,
    views::{ImportedWorkflow, WorkflowDetail, WorkflowDocument, references},
};

/// Export a workflow with its draft graph.
///
/// The document has a fixed order and no ids of rows, times or revisions: copies of a workflow are the same document, and what is different
/// between two of them shows line by line.
#[utoipa::path(get, path = "/workflows/{workflow_id}/export", tag = "workflows", operation_id = "export_workflow",
    params(("workflow_id" = Uuid, Path)), responses((status = 200, body = WorkflowDocument), docs::Reading))]
pub(crate) async fn export(Ex(s): Ex<State>, who: Caller, Path(id): Path<WorkflowId>) -> ApiResult<Response> {
    let catalog = s.catalog.get().await?;
    let draft = catalog.draft(who.team_id, id).await?;
    let workflow = catalog.workflow_get(who.team_id, id).await?;
    let found = references(&draft.graph, &workflow.settings);
    let names = catalog.reference_names(who.team_id, &found).await?;
    let document = WorkflowDocument::of(workflow, draft.graph, &names);
    let mut text = serde_json::to_string_pretty(&document).map_err(ApiError::internal)?;
    text.push('\n');
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Import a workflow.
///
/// Everything is checked before anything is stored: the form, the graph, its types, what it refers to, its schedule and its settings, with
/// all mistakes in one answer. `mapping` puts ids of this team in the place of those that the document names.
#[utoipa::path(post, path = "/workflows/import", tag = "workflows", operation_id = "import_workflow",
    request_body = WorkflowDocument, responses((status = 201, body = ImportedWorkflow, headers(
        ("Location" = String, description = "The workflow's path."), ("ETag" = String, description = "Its revision."))),
        docs::Creating))]
pub(crate) async fn import(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Json(mut document): Json<WorkflowDocument>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let mut mistakes = document.map();
    let found = judge(&s, who, &document).await?;
    let service = who.service().map(|service| (service, s.ids.next()));
    let WorkflowDocument { workflow, graph, .. } = document;
    let new = workflow.check(WorkflowId::new(s.ids.next()), service);
    let wrong = new.as_ref().err().into_iter().flatten();
    mistakes.extend(
        wrong.map(|wrong| FieldError { pointer: format!("/workflow{}", wrong.pointer), ..wrong.clone() }),
    );
    let (errors, warnings): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|violation| violation.severity == Severity::Error);
    mistakes.extend(errors.into_iter().map(field_error));
    let new = match new {
        Ok(new) if mistakes.is_empty() => new,
        _ => return Err(ApiError::validation(mistakes)),
    };
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let made = catalog.workflow_import(who.team_id, &new, &graph, s.ids.as_ref(), &act).await;
    let (workflow, draft) = made.map_err(|error| unstorable("/graph", error))?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{}", workflow.id))];
    let tag = etag(draft.revision);
    let imported = ImportedWorkflow::new(WorkflowDetail::new(workflow, draft), warnings);
    Ok((StatusCode::CREATED, location, tag, Json(imported)))
}

/// What is wrong with the graph and the settings, with pointers into the document. What is wrong with the schema of the inputs is told
/// with the rest of the workflow, and then nothing is known of them here.
async fn judge(s: &State, who: Caller, document: &WorkflowDocument) -> ApiResult<Vec<Violation>> {
    let catalog = s.catalog.as_ref();
    let any = Map::new();
    let schema = document.workflow.input_params();
    let schema = if engine::validate_input_params(schema).is_empty() { schema } else { &any };
    let in_graph = validate_graph(catalog, who.team_id, &document.graph, schema).await?;
    let in_settings = validate_settings(catalog, who.team_id, document.workflow.settings()).await?;
    let below = |base: &'static str| {
        move |found: Violation| Violation { pointer: format!("{base}{}", found.pointer), ..found }
    };
    Ok(in_graph
        .into_iter()
        .map(below("/graph"))
        .chain(in_settings.into_iter().map(below("/workflow")))
        .collect())
}
