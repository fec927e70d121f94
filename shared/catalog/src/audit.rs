//! The audit log: read, and proven whole (TEN-11); `deeds.rs` adds to it. Numbers and hashes are the database's own work (the migration of
//! `audit_log` says how), so that no writer can leave the chain.

use app::ports::{Actor, AuditEntry, Outcome};
use domain::{TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{query_as, types::Json};
use uuid::Uuid;

use crate::{Catalog, StoreError, actor::actor, word::Word};

/// An entry with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// Counts the entries of the team from 1.
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// Of this entry and, by the hash before it, of all before.
    pub hash: Vec<u8>,
}

/// What a look at a whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last one. Compared with one that was noted elsewhere, it tells whether the end of the log was cut off.
    pub head: Option<Vec<u8>>,
    /// The first entry that is not what it was, or does not follow the one before it.
    pub broken_at: Option<u64>,
}

impl Catalog {
    /// Up to `limit` entries of the team, newest first, from what comes before the entry with the number `before`.
    pub async fn audit_list(
        &self,
        team: TeamId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Audited>, StoreError> {
        let mut tx = self.team(team, "read the audit log").await?;
        let rows = query_as!(
            Row,
            r#"select id, number, actor_kind, actor_id, action, resource_kind, resource_id,
                outcome as "outcome: Word<Outcome>", details as "details: Json<Map<String, Value>>", host(ip) as ip,
                request_id, hash, created_on
            from audit_log where team_id = $1 and ($2::bigint is null or number < $2)
            order by number desc limit $3"#,
            team.uuid(),
            before.map(|number| i64::try_from(number).unwrap_or(i64::MAX)),
            i64::from(limit)
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Audited::from).collect())
    }

    /// Computes every hash of the team's log again.
    pub async fn audit_verify(&self, team: TeamId) -> Result<Verified, StoreError> {
        let mut tx = self.team(team, "verify the audit log").await?;
        let verified = sqlx::query!(
            r#"select count(*) as "entries!", (array_agg(hash order by number desc))[1] as head,
                min(number) filter (where number <> place or hash <> computed
                    or prev_hash <> coalesce(before, decode(repeat('00', 32), 'hex'))) as broken_at
            from (
                select number, prev_hash, hash, audit_hash(a) as computed, row_number() over log as place,
                    lag(hash) over log as before
                from audit_log a where team_id = $1 window log as (order by number)
            ) as entries"#,
            team.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        let row = tx.end(verified).await?;
        Ok(Verified {
            entries: row.entries.unsigned_abs(),
            head: row.head,
            broken_at: row.broken_at.map(i64::unsigned_abs),
        })
    }
}

struct Row {
    id: Uuid,
    number: i64,
    actor_kind: String,
    actor_id: Option<Uuid>,
    action: String,
    resource_kind: String,
    resource_id: Option<Uuid>,
    outcome: Word<Outcome>,
    details: Json<Map<String, Value>>,
    ip: Option<String>,
    request_id: Option<String>,
    hash: Vec<u8>,
    created_on: Timestamp,
}

impl From<Row> for Audited {
    fn from(row: Row) -> Self {
        let actor: Actor = actor(&row.actor_kind, row.actor_id);
        let entry = AuditEntry {
            id: row.id,
            actor,
            action: row.action,
            resource_kind: row.resource_kind,
            resource_id: row.resource_id,
            outcome: row.outcome.0,
            details: row.details.0,
            ip: row.ip.and_then(|ip| ip.parse().ok()),
            request_id: row.request_id,
            at: row.created_on,
        };
        Self { number: row.number.unsigned_abs(), entry, hash: row.hash }
    }
}
