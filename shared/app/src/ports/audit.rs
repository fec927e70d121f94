//! The ports to what was done: the log that proves it (TEN-11), and the one that people read (TEN-10).

use std::net::IpAddr;

use async_trait::async_trait;
use domain::{MemberId, ServiceId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::StoreError;

/// Keeps what was done for good: entries are added, never changed, and each holds a hash of all before it.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry. Entries of one team are added one after the other.
    async fn audit(&self, team: TeamId, entry: &AuditEntry) -> Result<(), StoreError>;
}

/// Tells the people of a team what goes on in it.
#[async_trait]
pub trait Activities: Send + Sync {
    /// Notes what was done.
    async fn note(&self, team: TeamId, activity: &Activity) -> Result<(), StoreError>;
}

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
