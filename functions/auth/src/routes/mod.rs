//! The routes, relative to `/api/v1`, and the one beside it.

mod jwks;
mod me;
mod oidc;
mod sessions;
mod sign_in;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(sign_in::request_otp))
        .routes(routes!(sign_in::verify_otp))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(oidc::start))
        .routes(routes!(oidc::callback))
        .routes(routes!(sessions::logout))
        .routes(routes!(me::me, me::update))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
}

pub(crate) fn well_known() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(jwks::jwks))
}
