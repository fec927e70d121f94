//! The routes, relative to `/api/v1`.

mod invitations;
mod logs;
mod members;
mod teams;

pub(crate) use invitations::INVITATION_LIFE;

use heddle_http::Limit;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::State;

pub(crate) fn all() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(teams::create, teams::list))
        .routes(routes!(teams::detail, teams::update, teams::delete))
        .routes(routes!(members::list))
        .routes(routes!(members::update, members::remove))
        .routes(routes!(invitations::invite))
        .routes(routes!(invitations::list))
        .routes(routes!(invitations::revoke))
        .routes(routes!(invitations::mine))
        .routes(routes!(invitations::accept))
        .routes(routes!(logs::activity))
        .routes(routes!(logs::audit))
        .routes(routes!(logs::verify))
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
