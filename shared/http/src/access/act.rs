//! What the logs say of whoever calls.

use app::ports::{Act, Actor, Clock, Ids};
use domain::Role;
use runtime::scope;

use super::{Caller, Member};
use crate::Origin;

impl Caller {
    /// What they do now, for stores that tell of it.
    pub fn act(&self, origin: Origin, ids: &dyn Ids, clock: &dyn Clock) -> Act {
        act((self.actor, self.role), origin, ids, clock)
    }
}

impl Member {
    /// What they do now, in whatever team.
    pub fn act(&self, origin: Origin, ids: &dyn Ids, clock: &dyn Clock) -> Act {
        act((Actor::Member(self.0.member_id), None), origin, ids, clock)
    }
}

fn act(
    (actor, role): (Actor, Option<Role>),
    Origin(client): Origin,
    ids: &dyn Ids,
    clock: &dyn Clock,
) -> Act {
    Act {
        id: ids.next(),
        actor,
        role,
        ip: client.ip,
        user_agent: client.user_agent,
        request_id: scope::request_id().map(|id| id.to_string()),
        at: clock.now(),
    }
}
