//! Answers that are given again, as rows.

use app::ports::{ANSWER_AWAITED, ANSWER_KEPT, Begun, KeptAnswer, KeptAnswers, StoreError};
use async_trait::async_trait;
use domain::Timestamp;
use sqlx::{FromRow, PgPool, query, query_as, types::Json};

use crate::error::unavailable;

/// Answers in the table `embedded.answers`: a row per key.
pub struct EmbeddedAnswers {
    pool: PgPool,
}

impl EmbeddedAnswers {
    /// Answers in a migrated database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Deletes what was over before this moment; answers how many. To be called now and then.
    pub async fn forget_ended(&self, before: Timestamp) -> Result<u64, StoreError> {
        let delete = query("delete from embedded.answers where expires_at <= $1").bind(before);
        let deleted = delete.execute(&self.pool).await.map_err(unavailable("forget kept answers"))?;
        Ok(deleted.rows_affected())
    }
}

#[derive(FromRow)]
struct Row {
    is_same: bool,
    status: Option<i32>,
    headers: Option<Json<Vec<(String, String)>>>,
    body: Option<Vec<u8>>,
}

#[async_trait]
impl KeptAnswers for EmbeddedAnswers {
    async fn begin(&self, key: &str, request: [u8; 32], now: Timestamp) -> Result<Begun, StoreError> {
        const BEGINNING: &str = "begin a request";
        let begun = query(
            "insert into embedded.answers as known (key, request, expires_at) values ($1, $2, $3)
            on conflict (key) do update
                set request = excluded.request, expires_at = excluded.expires_at, status = null, headers = null, body = null
            where known.expires_at <= $4",
        )
        .bind(key)
        .bind(&request[..])
        .bind(now + ANSWER_AWAITED)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(unavailable(BEGINNING))?;
        if begun.rows_affected() == 1 {
            return Ok(Begun::First);
        }
        let known: Option<Row> = query_as(
            "select request = $2 as is_same, status, headers, body from embedded.answers where key = $1",
        )
        .bind(key)
        .bind(&request[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(BEGINNING))?;
        // One that was let go between the two statements is still under way, as far as this request is concerned.
        Ok(known.map_or(Begun::UnderWay, Begun::from))
    }

    async fn keep(
        &self,
        key: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into embedded.answers (key, request, status, headers, body, expires_at)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (key) do update set request = excluded.request, status = excluded.status,
                headers = excluded.headers, body = excluded.body, expires_at = excluded.expires_at",
        )
        .bind(key)
        .bind(&request[..])
        .bind(i32::from(answer.status))
        .bind(Json(&answer.headers))
        .bind(&answer.body)
        .bind(now + ANSWER_KEPT)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(unavailable("keep an answer"))
    }

    async fn let_go(&self, key: &str, request: [u8; 32]) -> Result<(), StoreError> {
        let delete = query("delete from embedded.answers where key = $1 and request = $2 and status is null");
        let deleted = delete.bind(key).bind(&request[..]).execute(&self.pool).await;
        deleted.map(drop).map_err(unavailable("let a request go"))
    }
}

impl From<Row> for Begun {
    fn from(row: Row) -> Self {
        match row {
            Row { is_same: false, .. } => Self::Other,
            Row { status: Some(status), headers, body, .. } => Self::Answered(KeptAnswer {
                status: u16::try_from(status).unwrap_or_default(),
                headers: headers.map(|headers| headers.0).unwrap_or_default(),
                body: body.unwrap_or_default(),
            }),
            Row { .. } => Self::UnderWay,
        }
    }
}
