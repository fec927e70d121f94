//! What the gate found out, for handlers.

use app::ports::Actor;
use axum::extract::FromRequestParts;
use domain::{Permission, Permissions, Role, ServiceId, TeamId};
use http::request::Parts;
use identity::Claims;

use crate::ApiError;

/// Who acts for a team: a member of it, or a service by its key. The only source of a request's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The team.
    pub team_id: TeamId,
    /// The member or the service.
    pub actor: Actor,
    /// The member's role; a service has none.
    pub role: Option<Role>,
    /// What they may do in the team. That they may do what the route is for was seen to.
    pub permissions: Permissions,
}

impl Caller {
    /// The id of the member or the service, as text.
    pub fn id(&self) -> String {
        match self.actor {
            Actor::Member(id) => id.to_string(),
            Actor::Service(id) => id.to_string(),
            Actor::System => "system".to_owned(),
        }
    }

    /// The service, if it is one.
    pub fn service(&self) -> Option<ServiceId> {
        match self.actor {
            Actor::Service(id) => Some(id),
            Actor::Member(_) | Actor::System => None,
        }
    }

    /// Refuses them where they lack a permission beyond that of the route.
    pub fn needs(&self, permission: Permission) -> Result<(), ApiError> {
        if self.permissions.contains(permission) { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

/// A person who showed a valid access token, in whatever team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member(pub Claims);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().copied().ok_or_else(ApiError::unauthorized)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or_else(ApiError::unauthorized)
    }
}
