//! Everybody who may call.

use chrono::TimeDelta;
use domain::{Holder, Role};

use super::world::{Credential, ROLES, Team, World, word};

/// Who calls, and what they are; None of a credential that is worth nothing.
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) credential: Credential,
    pub(super) holder: Option<Holder>,
    pub(super) is_of_team: bool,
}

pub(super) async fn callers(world: &World, ours: &Team, theirs: &Team) -> Vec<Caller> {
    let mut callers = Vec::new();
    // Owners last: they may delete the team.
    for role in ROLES.into_iter().rev() {
        let token = world.token(ours.members[word(role)], TimeDelta::zero()).await;
        callers.push(Caller {
            name: word(role).to_owned(),
            credential: Credential::Token(token),
            holder: Some(Holder::Member(role)),
            is_of_team: true,
        });
    }
    let other = |name: &str, credential, holder, is_of_team| Caller {
        name: name.to_owned(),
        credential,
        holder,
        is_of_team,
    };
    let owner = ours.members["owner"];
    let stranger = world.token(theirs.members["owner"], TimeDelta::zero()).await;
    let expired = world.token(owner, TimeDelta::minutes(16)).await;
    let early = world.token(owner, TimeDelta::minutes(-16)).await;
    let good = world.token(owner, TimeDelta::zero()).await;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let swapped: String = signature.chars().rev().collect();
    let owner_of_others = Some(Holder::Member(Role::Owner));
    callers.splice(
        0..0,
        [
            other("a service", Credential::Key(ours.key.clone()), Some(Holder::Service), true),
            other("another team's owner", Credential::Token(stranger), owner_of_others, false),
            other("nobody", Credential::Nothing, None, false),
            other("an unknown key", Credential::Key("hdl_unknown".to_owned()), None, false),
            other("an expired token", Credential::Token(expired), None, false),
            other("a token of tomorrow", Credential::Token(early), None, false),
            other("a tampered token", Credential::Token(format!("{head}.{swapped}")), None, false),
        ],
    );
    callers
}
