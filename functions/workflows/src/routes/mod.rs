//! The routes, relative to `/api/v1`.

mod documents;
mod drafts;
mod edges;
mod graph;
mod life;
mod node_types;
mod nodes;
mod plan;
mod schedule;
mod services;
mod validation;
mod versions;
mod workflows;

use domain::FieldError;
use engine::{Severity, Violation};
use heddle_http::ApiError;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(workflows::create, workflows::list))
        .routes(routes!(node_types::list))
        .routes(routes!(workflows::detail, workflows::update, life::delete))
        .routes(routes!(life::set_status))
        .routes(routes!(life::duplicate))
        .routes(routes!(documents::import))
        .routes(routes!(documents::export))
        .routes(routes!(graph::replace))
        .routes(routes!(nodes::list, nodes::create))
        .routes(routes!(nodes::detail, nodes::update, nodes::delete))
        .routes(routes!(edges::list, edges::create))
        .routes(routes!(edges::detail, edges::update, edges::delete))
        .routes(routes!(drafts::list))
        .routes(routes!(drafts::detail, drafts::delete))
        .routes(routes!(services::list))
        .routes(routes!(services::attach, services::detach))
        .routes(routes!(validation::check_graph))
        .routes(routes!(validation::check_draft))
        .routes(routes!(plan::plan))
        .routes(routes!(schedule::preview))
        .routes(routes!(versions::publish))
        .routes(routes!(versions::list))
        .routes(routes!(versions::detail))
        .routes(routes!(versions::diff))
        .routes(routes!(versions::restore))
}

/// One 422 with every error among the violations; Ok with the warnings if there is none.
fn refuse_errors(violations: Vec<Violation>) -> Result<Vec<Violation>, ApiError> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|v| v.severity == Severity::Error);
    if errors.is_empty() {
        Ok(warnings)
    } else {
        Err(ApiError::validation(errors.into_iter().map(field_error).collect()))
    }
}

/// One 422 with every error among the violations.
fn errors_of(violations: Vec<Violation>) -> ApiError {
    let errors = violations.into_iter().filter(|violation| violation.severity == Severity::Error);
    ApiError::validation(errors.map(field_error).collect())
}

fn field_error(violation: Violation) -> FieldError {
    FieldError {
        pointer: violation.pointer,
        code: violation.code,
        detail: violation.message,
        node: violation.node.map(|key| key.to_string()),
        offset: violation.offset,
    }
}
