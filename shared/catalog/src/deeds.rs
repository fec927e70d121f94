//! What is done is told in the transaction that does it: in the audit log (TEN-11) and in the activity (TEN-10), or not done at all.

use app::ports::{Act, Outcome, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{actor::columns, scope::Scope, word::word};

/// The rule of what is above somebody's place in a team, or more than they have themselves: [`StoreError::Violates`] names it. The audit
/// log has that they tried.
pub const OUT_OF_REACH: &str = "out_of_reach";

/// What an act does.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    action: &'static str,
    resource: Uuid,
    details: Map<String, Value>,
}

impl Deed {
    /// An action such as `workflow.publish`, whose first word is the kind of what it is done to.
    pub(crate) fn new(action: &'static str, resource: impl Into<Uuid>) -> Self {
        Self { action, resource: resource.into(), details: Map::new() }
    }

    /// With more to say. Never a secret.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        if !value.is_null() {
            self.details.insert(name.to_owned(), value);
        }
        self
    }

    fn kind(&self) -> &'static str {
        self.action.split('.').next().unwrap_or_default()
    }
}

impl Scope {
    /// Tells of the deed and commits, where it succeeded. One that was out of reach is told in the audit log, and is all that is committed
    /// then: nothing may have been written before. What failed otherwise is rolled back, and nothing told.
    pub(crate) async fn done<T>(
        mut self,
        outcome: Result<T, StoreError>,
        act: &Act,
        deed: Deed,
    ) -> Result<T, StoreError> {
        let told = match &outcome {
            Ok(_) => self.tell(act, &deed, Outcome::Allowed).await,
            Err(StoreError::Violates(rule)) if rule == OUT_OF_REACH => {
                self.tell(act, &deed, Outcome::Denied).await
            }
            Err(_) => return self.close(outcome).await,
        };
        self.end(told).await?;
        outcome
    }

    /// The activity is for those who are in the team: it hears nothing of attempts, and ends with the team.
    async fn tell(&mut self, act: &Act, deed: &Deed, outcome: Outcome) -> Result<(), sqlx::Error> {
        let (actor_kind, actor_id) = columns(act.actor);
        let mut audited = deed.details.clone();
        if let Some(role) = act.role {
            audited.insert("acting_as".to_owned(), Value::String(word(role)));
        }
        sqlx::query!(
            "with noted as (
                insert into activity (id, team_id, actor_kind, actor_id, action, resource_kind, resource_id, details, ip,
                    user_agent, created_on)
                select $1, id, $2, $3, $4, $5, $6, $7, $8::text::inet, left($9, 500), $10
                from teams where id = current_team() and $11 = 'allowed'
            )
            insert into audit_log (id, team_id, actor_kind, actor_id, action, resource_kind, resource_id, outcome, details,
                ip, request_id, created_on)
            values ($1, current_team(), $2, $3, $4, $5, $6, $11, $12, $8::text::inet, $13, $10)",
            act.id,
            actor_kind,
            actor_id,
            deed.action,
            deed.kind(),
            deed.resource,
            Json(&deed.details) as _,
            act.ip.map(|ip| ip.to_string()),
            act.user_agent,
            act.at,
            word(outcome),
            Json(&audited) as _,
            act.request_id
        )
        .execute(&mut **self)
        .await
        .map(drop)
    }
}

/// The refusal of what is out of reach.
pub(crate) fn out_of_reach() -> StoreError {
    StoreError::Violates(OUT_OF_REACH.to_owned())
}
