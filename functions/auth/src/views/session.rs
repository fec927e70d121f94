//! Sessions (AUT-09).

use std::net::IpAddr;

use domain::{SessionId, Timestamp};
use identity::OwnSession;
use serde::Serialize;
use utoipa::ToSchema;

/// A sign-in that still holds.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    #[schema(value_type = Uuid)]
    id: SessionId,
    /// Whether it is the one that asks.
    is_current: bool,
    /// When the member signed in.
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    /// When its tokens were last renewed.
    #[schema(value_type = String, format = DateTime)]
    last_activity_at: Timestamp,
    /// When it ends if it is not used again.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Where it was last used from.
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    ip: Option<IpAddr>,
    /// By what program.
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
}

impl From<OwnSession> for SessionView {
    fn from(own: OwnSession) -> Self {
        let OwnSession { session, is_current } = own;
        Self {
            id: session.id,
            is_current,
            created_on: session.created_on,
            last_activity_at: session.last_activity_at,
            expires_at: session.expires_at,
            ip: session.ip,
            user_agent: session.user_agent,
        }
    }
}

/// The caller's sessions, the last used first: all of them, since they are few.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    pub(crate) items: Vec<SessionView>,
}
