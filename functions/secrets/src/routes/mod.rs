//! The routes, relative to `/api/v1`.

mod secrets;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::put, secrets::delete))
        .routes(routes!(secrets::rotate))
}
