//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod invitation;
mod log;
mod member;
mod settings;
mod team;

pub(crate) use invitation::{InvitationView, Invitations, Invite, JoinedView};
pub(crate) use log::{ActivityView, AuditedView, VerifiedView};
pub(crate) use member::{MemberView, UpdateMember};
pub(crate) use team::{CreateTeam, SeatView, TeamView, UpdateTeam};

use serde::Serialize;
use utoipa::ToSchema;

/// A member's role, weakest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Role)]
#[expect(dead_code, reason = "describes domain::Role, which knows no OpenAPI")]
pub(crate) enum RoleDoc {
    Viewer,
    Editor,
    Admin,
    Owner,
}
