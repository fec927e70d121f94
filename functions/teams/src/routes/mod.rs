//! The routes, relative to `/api/v1`.

mod invitations;
mod logs;
mod members;
mod teams;

pub(crate) use invitations::INVITATION_LIFE;

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
