//! The palette of an editor.

use heddle_http::{ApiResult, Caller, Json, docs};

use crate::views::PaletteView;

/// List the node types.
///
/// In the groups of the palette, each with the JSON Schema of its metadata. Schemas come from the registry that validates graphs.
#[utoipa::path(get, path = "/workflows/node-types", tag = "workflows", operation_id = "list_node_types",
    responses((status = 200, body = PaletteView), docs::Reading))]
pub(crate) async fn list(_who: Caller) -> ApiResult<Json<PaletteView>> {
    Ok(Json(PaletteView::new()))
}
