//! One-time codes that wait for an answer, as rows of a table that is not logged.

use std::net::IpAddr;

use app::ports::{Challenge, Challenges, StoreError};
use async_trait::async_trait;
use domain::Timestamp;
use sqlx::{FromRow, PgPool, query, query_as};
use uuid::Uuid;

use crate::error::unavailable;

/// Challenges in the table `embedded.challenges`: a row per key, and one statement for each use.
pub struct EmbeddedChallenges {
    pool: PgPool,
}

impl EmbeddedChallenges {
    /// Challenges in a migrated database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Deletes the challenges that were over before this moment; answers how many. To be called now and then: nobody can answer them any
    /// more.
    pub async fn forget_ended(&self, before: Timestamp) -> Result<u64, StoreError> {
        let delete = query("delete from embedded.challenges where expires_at <= $1").bind(before);
        let deleted = delete.execute(&self.pool).await.map_err(unavailable("forget ended challenges"))?;
        Ok(deleted.rows_affected())
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    mac: Vec<u8>,
    purpose: String,
    expires_at: Timestamp,
    ip: Option<String>,
    user_agent: Option<String>,
}

#[async_trait]
impl Challenges for EmbeddedChallenges {
    async fn put(&self, key: &str, challenge: &Challenge) -> Result<(), StoreError> {
        query(
            "insert into embedded.challenges (key, id, mac, purpose, expires_at, ip, user_agent)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (key) do update set id = excluded.id, mac = excluded.mac, purpose = excluded.purpose,
                tries = 0, expires_at = excluded.expires_at, ip = excluded.ip, user_agent = excluded.user_agent",
        )
        .bind(key)
        .bind(challenge.id)
        .bind(&challenge.mac[..])
        .bind(&challenge.purpose)
        .bind(challenge.expires_at)
        .bind(challenge.ip.as_ref().map(IpAddr::to_string))
        .bind(&challenge.user_agent)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(unavailable("keep a challenge"))
    }

    async fn attempt(&self, key: &str, most: u32, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        const TRYING: &str = "try a challenge";
        let tried: Option<Row> = query_as(
            "update embedded.challenges set tries = tries + 1
            where key = $1 and tries < $2 and expires_at > $3
            returning id, mac, purpose, expires_at, ip, user_agent",
        )
        .bind(key)
        .bind(i64::from(most))
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(TRYING))?;
        let Some(row) = tried else { return Ok(None) };
        let mac = row.mac.try_into().map_err(|_| unavailable(TRYING)("a stored code has no valid `mac`"))?;
        Ok(Some(Challenge {
            id: row.id,
            mac,
            purpose: row.purpose,
            expires_at: row.expires_at,
            ip: row.ip.and_then(|ip| ip.parse().ok()),
            user_agent: row.user_agent,
        }))
    }

    async fn take(&self, key: &str, id: Uuid) -> Result<bool, StoreError> {
        let delete = query("delete from embedded.challenges where key = $1 and id = $2").bind(key).bind(id);
        let deleted = delete.execute(&self.pool).await.map_err(unavailable("take a challenge"))?;
        Ok(deleted.rows_affected() == 1)
    }
}
