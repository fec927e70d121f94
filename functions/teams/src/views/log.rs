//! What was done.

use std::net::IpAddr;

use app::ports::{Activity, Outcome};
use catalog::{Audited, Verified};
use domain::Timestamp;
use heddle_http::ActorView;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// Something that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
pub(crate) struct ActivityView {
    id: Uuid,
    actor: ActorView,
    #[schema(example = "workflow.publish")]
    action: String,
    #[schema(example = "workflow")]
    resource_kind: Option<String>,
    resource_id: Option<Uuid>,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// Null for who may not read the audit log.
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    ip: Option<IpAddr>,
    /// Likewise.
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl ActivityView {
    /// With where it came from, or without.
    pub(crate) fn new(activity: Activity, tells_where: bool) -> Self {
        Self {
            id: activity.id,
            actor: activity.actor.into(),
            action: activity.action,
            resource_kind: activity.resource_kind,
            resource_id: activity.resource_id,
            details: activity.details,
            ip: activity.ip.filter(|_| tells_where),
            user_agent: activity.user_agent.filter(|_| tells_where),
            created_on: activity.at,
        }
    }
}

/// An entry of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditedView {
    id: Uuid,
    /// Counts the team's entries from 1.
    #[schema(example = 7)]
    number: u64,
    actor: ActorView,
    #[schema(example = "member.update")]
    action: String,
    #[schema(example = "member")]
    resource_kind: String,
    resource_id: Option<Uuid>,
    /// `allowed`, `denied` or `failed`.
    #[schema(value_type = String, example = "allowed")]
    outcome: Outcome,
    /// What changed, and `acting_as`, the actor's role.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    ip: Option<IpAddr>,
    #[schema(example = "01a20155-2112-714f-9307-c241d182a1ef")]
    request_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    /// SHA-256 of the entry and of the hash before it, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    hash: String,
}

impl From<Audited> for AuditedView {
    fn from(Audited { number, entry, hash }: Audited) -> Self {
        Self {
            id: entry.id,
            number,
            actor: entry.actor.into(),
            action: entry.action,
            resource_kind: entry.resource_kind,
            resource_id: entry.resource_id,
            outcome: entry.outcome,
            details: entry.details,
            ip: entry.ip,
            request_id: entry.request_id,
            created_on: entry.at,
            hash: hex::encode(hash),
        }
    }
}

/// What a look at a whole audit log found.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditVerified)]
pub(crate) struct VerifiedView {
    /// Whether each entry is what it was, and follows the one before.
    is_whole: bool,
    /// How many there are.
    #[schema(example = 7)]
    entries: u64,
    /// The hash of the last one, in hex. Noted elsewhere, it tells later whether the end was cut off.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    head: Option<String>,
    /// The number of the first entry that is wrong.
    #[schema(example = json!(null))]
    broken_at: Option<u64>,
}

impl From<Verified> for VerifiedView {
    fn from(Verified { entries, head, broken_at }: Verified) -> Self {
        Self { is_whole: broken_at.is_none(), entries, head: head.map(hex::encode), broken_at }
    }
}
