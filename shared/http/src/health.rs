//! `GET health` says that the process lives; `GET health/ready` that what it needs answers.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::timeout};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiError, ApiResult, Json, docs::Unready};

/// How long an answer of the checks is given again: without a key, nobody may make us ask Postgres more often.
const KEPT: Duration = Duration::from_secs(5);

/// A part that has not answered by then is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

type Cause = Box<dyn std::error::Error + Send + Sync>;
type Check = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>> + Send + Sync>;

/// The parts that a function needs, with a question to each.
#[derive(Default)]
pub(crate) struct Checks {
    parts: Vec<(&'static str, Check)>,
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Checks {
    pub(crate) fn add<W, E>(&mut self, part: &'static str, ask: impl Fn() -> W + Send + Sync + 'static)
    where
        W: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cause>,
    {
        let check = move || -> Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>> {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(Into::into) })
        };
        self.parts.push((part, Box::new(check)));
    }

    /// Ok, or the first part that is not ready. Concurrent callers wait for one round of questions.
    async fn ready(&self) -> Result<(), &'static str> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = *last
            && at.elapsed() < KEPT
        {
            return answer;
        }
        let answer = self.ask().await;
        *last = Some((Instant::now(), answer));
        answer
    }

    async fn ask(&self) -> Result<(), &'static str> {
        for (part, check) in &self.parts {
            match timeout(PATIENCE, check()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(part, error = runtime::log::chain(error.as_ref()), "{part} is not ready");
                    return Err(part);
                }
                Err(_) => {
                    tracing::warn!(part, "{part} did not answer in {PATIENCE:?}");
                    return Err(part);
                }
            }
        }
        Ok(())
    }
}

/// That all is well.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; anything else is a problem.
    #[schema(example = "ok")]
    status: String,
}

impl Health {
    fn ok() -> Json<Self> {
        Json(Self { status: "ok".to_owned() })
    }
}

pub(crate) fn routes(checks: Arc<Checks>) -> OpenApiRouter {
    OpenApiRouter::default().routes(routes!(live)).routes(routes!(ready)).with_state(checks)
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses((status = 200, body = Health)))]
async fn live() -> Json<Health> {
    Health::ok()
}

/// Whether everything the process needs answers.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()), responses((status = 200, body = Health), Unready))]
async fn ready(State(checks): State<Arc<Checks>>) -> ApiResult<Json<Health>> {
    match checks.ready().await {
        Ok(()) => Ok(Health::ok()),
        Err(part) => Err(ApiError::new(crate::Code::Unavailable, format!("{part} is not ready."))),
    }
}
