//! The draft graph as a whole.

use app::{ports::StoreError, validate_graph};
use axum::{extract::State as Ex, response::IntoResponse};
use domain::{FieldError, Graph, WorkflowId};
use heddle_http::{ApiError, ApiResult, Caller, IfMatch, Json, Path, docs, etag};

use super::{refuse_errors, workflows::stale_if};
use crate::{
    State,
    views::{GraphDoc, SavedGraph},
};

/// Replace the draft graph.
///
/// All of it or nothing: a graph with errors is answered with every one of them and not stored; warnings come with the answer.
/// A node without an id keeps the id that its key had before.
#[utoipa::path(put, path = "/workflows/{workflow_id}/graph", tag = "workflows", operation_id = "replace_graph",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = GraphDoc,
    responses((status = 200, body = SavedGraph, headers(("ETag" = String, description = "The new revision."))), docs::Changing))]
pub(crate) async fn replace(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(graph): Json<Graph>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let present = catalog.workflow_get(who.team_id, id).await?;
    if revision.is_some_and(|revision| revision != present.revision) {
        return Err(IfMatch::stale());
    }
    let found = validate_graph(catalog, who.team_id, &graph, &present.input_params).await?;
    let warnings = refuse_errors(found)?;
    let saved = catalog.graph_replace(who.team_id, id, &graph, revision, s.ids.as_ref()).await;
    let draft = saved.map_err(|error| refused(revision, error))?;
    Ok((etag(draft.revision), Json(SavedGraph::new(draft, warnings))))
}

/// What the rows refuse although the rules of graphs don't know it.
fn refused(revision: Option<i64>, error: StoreError) -> ApiError {
    match error {
        StoreError::Violates(_) => unstorable("", error),
        other => stale_if(revision, other),
    }
}

/// The same for a graph that is somewhere in a body.
pub(super) fn unstorable(graph_at: &str, error: StoreError) -> ApiError {
    let (code, detail) = match error {
        StoreError::Violates(rule) if rule == catalog::UNKNOWN_NODE => (
            "unknown_node_id",
            "A node names an id that no node of this workflow has, or that another node names too."
                .to_owned(),
        ),
        StoreError::Violates(rule) => ("unstorable", format!("The graph breaks the rule {rule}.")),
        other => return other.into(),
    };
    let pointer = format!("{graph_at}/nodes");
    ApiError::validation(vec![FieldError {
        pointer,
        code: code.to_owned(),
        detail,
        node: None,
        offset: None,
    }])
}
