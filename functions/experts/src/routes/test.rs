//! What an expert answers (EXP-08).

use app::ports::{ModelError, Prompt};
use axum::extract::State as Ex;
use domain::ExpertId;
use engine::expr::Entropy;
use heddle_http::{ApiError, ApiResult, Caller, Code, Json, Path, docs};

use crate::{
    State,
    views::{TestExpert, Tested},
};

/// Try an expert out.
///
/// Its prompt is filled with the parameters and its model is asked, once: it calls no tools, asks no sub-experts and remembers nothing. A prompt
/// with a place that can't be filled is refused and costs nothing.
#[utoipa::path(post, path = "/experts/{expert_id}/test", tag = "experts", operation_id = "test_expert",
    params(("expert_id" = Uuid, Path)), request_body = TestExpert,
    responses((status = 200, body = Tested), docs::Asking))]
pub(crate) async fn ask(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<ExpertId>,
    Json(body): Json<TestExpert>,
) -> ApiResult<Json<Tested>> {
    let expert = s.catalog.get().await?.expert_get(who.team_id, id).await?;
    let entropy = Entropy { now: s.clock.now(), seed: [0; 32] };
    // Expressions may take their time, and others are served meanwhile.
    let prompt = tokio::task::spawn_blocking(move || body.prompt(&expert, entropy));
    let prompt = prompt.await.map_err(ApiError::internal)?.map_err(ApiError::validation)?;
    let began = s.clock.now();
    let answer = s.models.complete(&prompt).await.map_err(|error| refused(&prompt, error))?;
    Ok(Json(Tested::new(prompt, answer, s.clock.now() - began)))
}

fn refused(prompt: &Prompt, error: ModelError) -> ApiError {
    match error {
        ModelError::NotOffered => {
            let detail = format!("No provider of this deployment offers the model `{}`.", prompt.model);
            ApiError::new(Code::ModelNotOffered, detail)
        }
        ModelError::Refused { provider, status, message } => {
            ApiError::new(Code::ModelRefused, format!("{provider} answered {status}. {message}"))
        }
        busy @ ModelError::Busy { .. } => ApiError::unavailable(busy),
        ModelError::Store(error) => error.into(),
    }
}
