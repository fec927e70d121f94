//! Who did something, in two columns.

use app::ports::Actor;
use domain::{MemberId, ServiceId};
use uuid::Uuid;

const MEMBER: &str = "member";
const SERVICE: &str = "service";
const SYSTEM: &str = "system";

/// The columns `actor_kind` and `actor_id`.
pub(crate) fn columns(actor: Actor) -> (&'static str, Option<Uuid>) {
    match actor {
        Actor::Member(id) => (MEMBER, Some(id.uuid())),
        Actor::Service(id) => (SERVICE, Some(id.uuid())),
        Actor::System => (SYSTEM, None),
    }
}

/// Who the columns name. Their rule allows an id with a member and a service, and with nobody else.
pub(crate) fn actor(kind: &str, id: Option<Uuid>) -> Actor {
    match (kind, id) {
        (MEMBER, Some(id)) => Actor::Member(MemberId::new(id)),
        (SERVICE, Some(id)) => Actor::Service(ServiceId::new(id)),
        _ => Actor::System,
    }
}
