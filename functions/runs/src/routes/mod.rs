//! The routes, relative to `/api/v1`.

mod annotations;
mod approvals;
mod cancel;
mod dead_letters;
mod events;
mod list;
mod read;
mod replay;
mod retry;
mod start;
mod wait;

use app::ports::{LoadedRun, StoreError};
use domain::{RunId, WorkflowVersion};
use engine::Run;
use heddle_http::{ApiError, Caller};
use runtime::scope;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(start::start, list::list))
        .routes(routes!(read::detail))
        .routes(routes!(read::steps))
        .routes(routes!(read::logs))
        .routes(routes!(events::events))
        .routes(routes!(annotations::annotate, annotations::list))
        .routes(routes!(cancel::cancel))
        .routes(routes!(retry::retry))
        .routes(routes!(retry::retry_many))
        .routes(routes!(replay::replay))
        .routes(routes!(approvals::inbox))
        .routes(routes!(approvals::decide))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::redrive))
}

/// A run of the caller's team with all that is kept of it, and the version it executes.
async fn load(s: &State, who: Caller, id: RunId) -> Result<(LoadedRun, Arc<WorkflowVersion>), ApiError> {
    let run = s.store.load(who.team_id, id).await?;
    scope::set_run(id);
    let version = version_of(s, &run.run).await?;
    Ok((run, version))
}

/// The version that a run executes.
async fn version_of(s: &State, run: &Run) -> Result<Arc<WorkflowVersion>, ApiError> {
    s.store.version(run.team_id, run.version_id).await.map_err(|error| match error {
        // A run's version is kept as long as the run is: its absence is our fault, not the client's.
        StoreError::NotFound => ApiError::internal(format!("version {} of a run is gone", run.version_id)),
        other => other.into(),
    })
}
