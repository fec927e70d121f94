//! Who did something, in answers.

use app::ports::Actor;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who did something, as answers show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorView {
    /// `member`, `service`, or `system`, which is Heddle itself.
    #[schema(example = "member")]
    pub kind: &'static str,
    /// Of the member or the service.
    pub id: Option<Uuid>,
}

impl From<Actor> for ActorView {
    fn from(actor: Actor) -> Self {
        let (kind, id) = match actor {
            Actor::Member(id) => ("member", Some(id.uuid())),
            Actor::Service(id) => ("service", Some(id.uuid())),
            Actor::System => ("system", None),
        };
        Self { kind, id }
    }
}
