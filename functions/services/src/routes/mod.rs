//! The routes, relative to `/api/v1`.

mod keys;
mod segments;
mod services;
mod users;

use heddle_http::Limit;
use serde::Deserialize;
use utoipa::IntoParams;
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

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// How many to skip.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    offset: u32,
}
