//! What people are sent.

use app::ports::{EmailAddress, InvalidMail, Mail};
use catalog::Invitation;
use domain::Role;

use crate::{routes::INVITATION_LIFE, token::Token};

/// The mail that brings an invitation. The name of a team is what its people chose: it stands in the text only, and is one line there.
pub(crate) fn invitation(
    to: EmailAddress,
    invitation: &Invitation,
    inviter: &str,
    token: &Token,
) -> Result<Mail, InvalidMail> {
    let (team, role, days) = (&invitation.team_name, noun(invitation.role), INVITATION_LIFE.num_days());
    let text = format!(
        "{inviter} invites you to join the team \"{team}\" in Heddle as {role}.\n\n\
        To accept, sign in with this address (sign up with it if you have no account yet), and use this token:\n\n    {token}\n\n\
        Over the API: POST /api/v1/invitations/{token}/accept\n\n\
        It holds for {days} days and for nobody else. If you don't want to join, you need not do anything.\n",
        token = token.text()
    );
    Mail::new(to, "You are invited to a team in Heddle", &text)
}

const fn noun(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Editor => "an editor",
        Role::Admin => "an admin",
        Role::Owner => "an owner",
    }
}
