//! What was done, and by whom: for the log that proves it (TEN-11), and for the one that people read (TEN-10). Stores that change what a
//! team answers for take an [`Act`] and write both logs in the transaction of the change itself.

use std::net::IpAddr;

use domain::{MemberId, Role, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Member(MemberId),
    /// A service, by its API key.
    Service(ServiceId),
    /// Heddle itself, such as a schedule.
    System,
}

/// Who does something now, and from where; what they do is said by what they call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The id of its entries in the logs: an act has one in each.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// As what, where they are a member of the team.
    pub role: Option<Role>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// By what program; the first 500 characters are kept.
    pub user_agent: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// When. Microseconds are kept.
    pub at: Timestamp,
}

impl Act {
    /// What Heddle does itself.
    pub const fn of_system(id: Uuid, at: Timestamp) -> Self {
        Self { id, actor: Actor::System, role: None, ip: None, user_agent: None, request_id: None, at }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// They may not.
    Denied,
    /// They may, and it failed.
    Failed,
}

/// Something that was done, or tried, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// What, such as `workflow.publish`.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: String,
    /// To which one.
    pub resource_id: Option<Uuid>,
    /// With what outcome.
    pub outcome: Outcome,
    /// Their scopes, what changed and the like. Never a secret.
    pub details: Map<String, Value>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// By which request.
    pub request_id: Option<String>,
    /// When. Microseconds are kept.
    pub at: Timestamp,
}

/// Something that was done, as people want to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its id; a later one is greater.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// What, such as `workflow.publish`.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: Option<String>,
    /// To which one.
    pub resource_id: Option<Uuid>,
    /// What else there is to say.
    pub details: Map<String, Value>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// By what program; the first 500 characters.
    pub user_agent: Option<String>,
    /// When.
    pub at: Timestamp,
}
