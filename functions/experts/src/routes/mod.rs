//! The routes, relative to `/api/v1`.

mod experts;
mod history;
mod links;
mod render;
mod test;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(experts::create, experts::list))
        .routes(routes!(experts::detail, experts::update, experts::delete))
        .routes(routes!(history::list))
        .routes(routes!(links::attach_workflow, links::detach_workflow))
        .routes(routes!(links::attach_service, links::detach_service))
        .routes(routes!(render::preview))
        .routes(routes!(test::ask))
}
