//! Edges of the draft, one at a time (WF-15).

use app::{Pieces, PlacedEdge};
use axum::{extract::State as Ex, response::IntoResponse};
use domain::{EdgeId, WorkflowId};
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, IfMatch, Json, Origin, Page, PageQuery, Path, Query, docs, etag,
};
use http::{StatusCode, header};

use super::graph::{judge, refused_edit};
use crate::{
    State,
    views::{CreateEdge, EditedDraft, EditedEdge, PlacedEdgeDoc, UpdateEdge},
};

/// List the edges of the draft in their author's order.
#[utoipa::path(get, path = "/workflows/{workflow_id}/edges", tag = "drafts", operation_id = "list_edges",
    params(("workflow_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<PlacedEdgeDoc>, headers(("ETag" = String, description = "The draft's revision."))),
        docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<impl IntoResponse> {
    let (edges, revision) = s.catalog.get().await?.edge_list(who.team_id, id).await?;
    Ok((etag(revision), Json(q.page_of(edges))))
}

/// Add an edge to the draft.
///
/// Refused are ends that are no nodes, an edge that is there already, and one that leads back to where it comes from; whatever other
/// pieces can still mend is stored, and told of the whole.
#[utoipa::path(post, path = "/workflows/{workflow_id}/edges", tag = "drafts", operation_id = "create_edge",
    params(("workflow_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    request_body = CreateEdge, responses((status = 201, body = EditedEdge, headers(
        ("Location" = String, description = "The edge's path."), ("ETag" = String, description = "The draft's new revision."))),
        docs::Changing))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(body): Json<CreateEdge>,
) -> ApiResult<impl IntoResponse> {
    let edge = body.check().map_err(ApiError::validation)?;
    let (catalog, ids) = (s.catalog.get().await?, s.ids.as_ref());
    let act = who.act(origin, ids, s.clock.as_ref());
    let edited =
        catalog.graph_edit(who.team_id, id, revision, &act, |pieces| pieces.add_edge(edge, ids)).await;
    let (edge, draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{id}/edges/{}", edge.id))];
    let view = EditedEdge::new(edge, &draft, violations);
    Ok((StatusCode::CREATED, location, etag(draft.revision), Json(view)))
}

/// Read an edge of the draft.
#[utoipa::path(get, path = "/workflows/{workflow_id}/edges/{edge_id}", tag = "drafts", operation_id = "get_edge",
    params(("workflow_id" = Uuid, Path), ("edge_id" = Uuid, Path)),
    responses((status = 200, body = PlacedEdgeDoc, headers(("ETag" = String, description = "The draft's revision."))),
        docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, edge)): Path<(WorkflowId, EdgeId)>,
) -> ApiResult<impl IntoResponse> {
    let (edges, revision) = s.catalog.get().await?.edge_list(who.team_id, id).await?;
    let is_meant = |placed: &PlacedEdge| placed.id == edge;
    let edge = edges.into_iter().find(is_meant).ok_or_else(ApiError::not_found)?;
    Ok((etag(revision), Json(edge)))
}

/// Give an edge another label.
#[utoipa::path(patch, path = "/workflows/{workflow_id}/edges/{edge_id}", tag = "drafts", operation_id = "update_edge",
    params(("workflow_id" = Uuid, Path), ("edge_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    request_body = UpdateEdge,
    responses((status = 200, body = EditedEdge, headers(("ETag" = String, description = "The draft's new revision."))),
        docs::Changing))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, edge)): Path<(WorkflowId, EdgeId)>,
    IfMatch(revision): IfMatch,
    Json(body): Json<UpdateEdge>,
) -> ApiResult<impl IntoResponse> {
    let label = body.check().map_err(ApiError::validation)?;
    let catalog = s.catalog.get().await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let relabel = |pieces: &mut Pieces| pieces.label_edge(edge, |present| label.apply(present));
    let edited = catalog.graph_edit(who.team_id, id, revision, &act, relabel).await;
    let (edge, draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    Ok((etag(draft.revision), Json(EditedEdge::new(edge, &draft, violations))))
}

/// Take an edge out of the draft.
#[utoipa::path(delete, path = "/workflows/{workflow_id}/edges/{edge_id}", tag = "drafts", operation_id = "delete_edge",
    params(("workflow_id" = Uuid, Path), ("edge_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    responses((status = 200, body = EditedDraft, headers(("ETag" = String, description = "The draft's new revision."))),
        docs::Removing))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, edge)): Path<(WorkflowId, EdgeId)>,
    IfMatch(revision): IfMatch,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let edited = catalog.graph_edit(who.team_id, id, revision, &act, |pieces| pieces.remove_edge(edge)).await;
    let ((), draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    Ok((etag(draft.revision), Json(EditedDraft::new(draft.revision, violations))))
}
