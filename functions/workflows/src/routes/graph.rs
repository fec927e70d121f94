//! The draft graph as a whole (WF-02).

use app::{
    EditError,
    ports::{Act, Draft, StoreError},
    validate_graph,
};
use axum::{extract::State as Ex, response::IntoResponse};
use catalog::Catalog;
use domain::{FieldError, Graph, TeamId, WorkflowId};
use engine::Violation;
use heddle_http::{ApiError, ApiResult, BASE, Caller, IfMatch, Json, Origin, Path, docs, etag};
use http::{HeaderValue, header};

use super::{errors_of, refuse_errors, workflows::stale_if};
use crate::{
    State,
    views::{GraphDoc, SavedGraph},
};

/// Replace the draft graph.
///
/// All of it or nothing: a graph with errors is answered with every one of them and not stored; warnings come with the answer.
/// A node without an id keeps the id that its key had before.
///
/// A graph that comes with an older tag is not stored as the draft, but kept: the problem names where (`draft_kept`), as does the `Link`
/// field. Without a tag the draft of somebody else is kept that this one takes the place of.
#[utoipa::path(put, path = "/workflows/{workflow_id}/graph", tag = "workflows", operation_id = "replace_graph",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = GraphDoc,
    responses((status = 200, body = SavedGraph, headers(("ETag" = String, description = "The new revision."))), docs::Changing))]
pub(crate) async fn replace(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(graph): Json<Graph>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let present = catalog.workflow_get(who.team_id, id).await?;
    if let Some(based_on) = revision.filter(|revision| *revision != present.revision) {
        return Err(too_late(catalog, who.team_id, id, &graph, based_on, &act).await);
    }
    let found = validate_graph(catalog, who.team_id, &graph, &present.input_params).await?;
    let warnings = refuse_errors(found)?;
    let saved = catalog.graph_replace(who.team_id, id, &graph, revision, s.ids.as_ref(), &act).await;
    match (saved, revision) {
        (Err(StoreError::Conflict), Some(based_on)) => {
            Err(too_late(catalog, who.team_id, id, &graph, based_on, &act).await)
        }
        (saved, _) => {
            let draft = saved.map_err(refused)?;
            Ok((etag(draft.revision), Json(SavedGraph::new(draft, warnings))))
        }
    }
}

/// The 412 of a graph that was based on another revision. What was sent is kept, so that its author can have both drafts.
async fn too_late(
    catalog: &Catalog,
    team: TeamId,
    id: WorkflowId,
    graph: &Graph,
    based_on: i64,
    act: &Act,
) -> ApiError {
    // There never was such a revision to begin with.
    if based_on < 1 {
        return IfMatch::stale();
    }
    let draft = match catalog.draft_set_aside(team, id, graph, based_on, act).await {
        Ok(draft) => draft,
        Err(error) => return error.into(),
    };
    let path = format!("{BASE}/workflows/{id}/drafts/{draft}");
    let kept = FieldError::new("", "draft_kept", format!("The graph that was sent is kept at {path}"));
    let stale = IfMatch::stale().with_errors(vec![kept]);
    match HeaderValue::try_from(format!("<{path}>; rel=\"related\"")) {
        Ok(link) => stale.with_header(header::LINK, link),
        Err(_) => stale,
    }
}

/// What is wrong with the whole of a draft.
pub(super) async fn judge(
    catalog: &Catalog,
    team: TeamId,
    draft: &Draft,
) -> Result<Vec<Violation>, StoreError> {
    validate_graph(catalog, team, &draft.graph, &draft.input_params).await
}

/// Why a piece was not edited.
pub(super) fn refused_edit(revision: Option<i64>, error: EditError) -> ApiError {
    match error {
        EditError::Refused(violations) => errors_of(violations),
        EditError::Store(error) => stale_if(revision, error),
    }
}

/// What the rows refuse although the rules of graphs don't know it.
fn refused(error: StoreError) -> ApiError {
    unstorable("", error)
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
    ApiError::validation(vec![FieldError::new(format!("{graph_at}/nodes"), code, &detail)])
}
