//! Invitations.

use app::ports::EmailAddress;
use catalog::{Invitation, Membership};
use domain::{FieldError, InvitationId, Role, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MemberView, RoleDoc};

/// Whom to invite, and as what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    #[serde(default)]
    #[schema(required = true, example = "ada@example.com", max_length = 254)]
    email: String,
    /// At most your own.
    #[schema(required = true, value_type = RoleDoc)]
    role: Option<Role>,
}

impl Invite {
    /// Address and role, or every mistake.
    pub(crate) fn check(self) -> Result<(EmailAddress, Role), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let address = EmailAddress::parse(&self.email).ok();
        if address.is_none() {
            mistakes.push(FieldError::new("/email", "invalid_email", "This is no e-mail address."));
        }
        if self.role.is_none() {
            mistakes.push(FieldError::new("/role", "missing", "One of viewer, editor, admin and owner."));
        }
        address.zip(self.role).ok_or(mistakes)
    }
}

/// An offer to join a team. Its token is in the mail only.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    #[schema(value_type = Uuid)]
    id: InvitationId,
    #[schema(value_type = Uuid)]
    team_id: TeamId,
    #[schema(example = "Bakery")]
    team_name: String,
    #[schema(example = "ada@example.com")]
    email: String,
    #[schema(value_type = RoleDoc)]
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let Invitation { id, team_id, team_name, email, role, expires_at, .. } = invitation;
        Self { id, team_id, team_name, email, role, expires_at }
    }
}

/// All invitations of a person: they are few.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitations {
    pub(crate) items: Vec<InvitationView>,
}

/// The place that an invitation led to.
#[derive(Serialize, ToSchema)]
#[schema(as = Joined)]
pub(crate) struct JoinedView {
    #[schema(value_type = Uuid)]
    team_id: TeamId,
    #[schema(example = "Bakery")]
    team_name: String,
    #[serde(flatten)]
    member: MemberView,
}

impl JoinedView {
    pub(crate) fn new(invitation: Invitation, place: Membership) -> Self {
        Self { team_id: invitation.team_id, team_name: invitation.team_name, member: place.into() }
    }
}
