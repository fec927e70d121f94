//! What a model would be told (EXP-09).

use axum::extract::State as Ex;
use domain::ExpertId;
use engine::expr::Entropy;
use heddle_http::{ApiError, ApiResult, Caller, Json, Path, docs};

use crate::{
    State,
    views::{RenderPrompt, Rendered},
};

/// Render an expert's prompt with parameters.
///
/// Nothing is called. What could not be filled is named and stands in the text as it is written; parameters that break the expert's
/// schema are named too. The same parameters give the same text, but for the time.
#[utoipa::path(post, path = "/experts/{expert_id}/render", tag = "experts", operation_id = "render_expert_prompt",
    params(("expert_id" = Uuid, Path)), request_body = RenderPrompt,
    responses((status = 200, body = Rendered), docs::Judging))]
pub(crate) async fn preview(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<ExpertId>,
    Json(body): Json<RenderPrompt>,
) -> ApiResult<Json<Rendered>> {
    let expert = s.catalog.get().await?.expert_get(who.team_id, id).await?;
    let entropy = Entropy { now: s.clock.now(), seed: [0; 32] };
    // Expressions may take their time, and others are served meanwhile.
    let rendered = tokio::task::spawn_blocking(move || Rendered::of(&expert, body.params, entropy));
    Ok(Json(rendered.await.map_err(ApiError::internal)?))
}
