//! Nodes of the draft, one at a time (WF-15).

use app::ports::WorkflowCatalog as _;
use axum::{extract::State as Ex, response::IntoResponse};
use domain::{Node, NodeId, WorkflowId};
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, IfMatch, Json, Origin, Page, PageQuery, Path, Query, docs, etag,
};
use http::{StatusCode, header};

use super::graph::{judge, refused_edit};
use crate::{
    State,
    views::{CreateNode, EditedDraft, EditedNode, NodeDoc, UpdateNode},
};

/// List the nodes of the draft in their author's order.
#[utoipa::path(get, path = "/workflows/{workflow_id}/nodes", tag = "drafts", operation_id = "list_nodes",
    params(("workflow_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<NodeDoc>, headers(("ETag" = String, description = "The draft's revision."))),
        docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<impl IntoResponse> {
    let draft = s.catalog.draft(who.team_id, id).await?;
    Ok((etag(draft.revision), Json(q.page_of(draft.graph.nodes))))
}

/// Add a node to the draft.
///
/// A draft may be wrong while it is built: whatever other pieces can still mend is stored, and told of the whole. Refused are a key that
/// is none or is taken, and a type that there is not.
#[utoipa::path(post, path = "/workflows/{workflow_id}/nodes", tag = "drafts", operation_id = "create_node",
    params(("workflow_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    request_body = CreateNode, responses((status = 201, body = EditedNode, headers(
        ("Location" = String, description = "The node's path."), ("ETag" = String, description = "The draft's new revision."))),
        docs::Changing))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(body): Json<CreateNode>,
) -> ApiResult<impl IntoResponse> {
    let node = body.check().map_err(ApiError::validation)?;
    let (catalog, ids) = (s.catalog.get().await?, s.ids.as_ref());
    let act = who.act(origin, ids, s.clock.as_ref());
    let edited =
        catalog.graph_edit(who.team_id, id, revision, &act, |pieces| pieces.add_node(node, ids)).await;
    let (node, draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{id}/nodes/{node}"))];
    let revision = etag(draft.revision);
    Ok((StatusCode::CREATED, location, revision, Json(EditedNode::new(node, draft, violations))))
}

/// Read a node of the draft.
#[utoipa::path(get, path = "/workflows/{workflow_id}/nodes/{node_id}", tag = "drafts", operation_id = "get_node",
    params(("workflow_id" = Uuid, Path), ("node_id" = Uuid, Path)),
    responses((status = 200, body = NodeDoc, headers(("ETag" = String, description = "The draft's revision."))), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, node)): Path<(WorkflowId, NodeId)>,
) -> ApiResult<impl IntoResponse> {
    let draft = s.catalog.draft(who.team_id, id).await?;
    let is_meant = |found: &Node| found.id == Some(node);
    let node = draft.graph.nodes.into_iter().find(is_meant).ok_or_else(ApiError::not_found)?;
    Ok((etag(draft.revision), Json(node)))
}

/// Change a node of the draft.
///
/// Absent fields stay as they are; `metadata` is replaced as a whole. Under a new key the node keeps its edges.
#[utoipa::path(patch, path = "/workflows/{workflow_id}/nodes/{node_id}", tag = "drafts", operation_id = "update_node",
    params(("workflow_id" = Uuid, Path), ("node_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    request_body = UpdateNode,
    responses((status = 200, body = EditedNode, headers(("ETag" = String, description = "The draft's new revision."))),
        docs::Changing))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, node)): Path<(WorkflowId, NodeId)>,
    IfMatch(revision): IfMatch,
    Json(body): Json<UpdateNode>,
) -> ApiResult<impl IntoResponse> {
    let change = body.check().map_err(ApiError::validation)?;
    let catalog = s.catalog.get().await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let edited =
        catalog.graph_edit(who.team_id, id, revision, &act, |pieces| pieces.change_node(node, change)).await;
    let ((), draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    Ok((etag(draft.revision), Json(EditedNode::new(node, draft, violations))))
}

/// Take a node out of the draft, with its edges.
#[utoipa::path(delete, path = "/workflows/{workflow_id}/nodes/{node_id}", tag = "drafts", operation_id = "delete_node",
    params(("workflow_id" = Uuid, Path), ("node_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The workflow's ETag that was read.")),
    responses((status = 200, body = EditedDraft, headers(("ETag" = String, description = "The draft's new revision."))),
        docs::Removing))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, node)): Path<(WorkflowId, NodeId)>,
    IfMatch(revision): IfMatch,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let edited = catalog.graph_edit(who.team_id, id, revision, &act, |pieces| pieces.remove_node(node)).await;
    let ((), draft) = edited.map_err(|error| refused_edit(revision, error))?;
    let violations = judge(catalog, who.team_id, &draft).await?;
    Ok((etag(draft.revision), Json(EditedDraft::new(draft.revision, violations))))
}
