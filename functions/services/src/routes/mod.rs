//! The routes, relative to `/api/v1`.

mod keys;
mod segments;
mod services;
mod users;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(services::create, services::list))
        .routes(routes!(services::detail, services::update, services::delete))
        .routes(routes!(keys::issue))
        .routes(routes!(segments::create, segments::list))
        .routes(routes!(segments::detail, segments::update, segments::delete))
        .routes(routes!(users::list))
        .routes(routes!(users::delete))
        .routes(routes!(users::resolve))
}
