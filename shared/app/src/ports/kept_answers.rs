//! The port to answers that are given again when the same request comes again (api.md, Idempotency).

use chrono::TimeDelta;
use domain::Timestamp;

use async_trait::async_trait;

use super::StoreError;

/// How long an answer is given again.
pub const ANSWER_KEPT: TimeDelta = TimeDelta::hours(24);

/// How long a request is taken to be under way that does not end: longer than any may last.
pub const ANSWER_AWAITED: TimeDelta = TimeDelta::seconds(60);

/// The most bytes of an answer that is kept.
pub const ANSWER_MAX: usize = 256 * 1024;

/// Answers by the key that a client gave to its request. Keys are 1 to 1,000 bytes; a request is known by a digest of it.
///
/// On AWS a first request costs two writes, and one that comes again one.
#[async_trait]
pub trait KeptAnswers: Send + Sync {
    /// Begins a request, or says what became of it: of several at once, one is the first. One that was begun and neither
    /// [`kept`](Self::keep) nor [let go](Self::let_go) within [`ANSWER_AWAITED`] is lost, and may be begun again by the same request.
    async fn begin(&self, key: &str, request: [u8; 32], now: Timestamp) -> Result<Begun, StoreError>;

    /// Keeps the answer of a request that was begun, for [`ANSWER_KEPT`] from `now`.
    async fn keep(
        &self,
        key: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets a request that was begun and came to nothing, so that it may be tried again. An answer that was kept stays.
    async fn let_go(&self, key: &str, request: [u8; 32]) -> Result<(), StoreError>;
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first: do it.
    First,
    /// It is being done.
    UnderWay,
    /// It was done, and this was the answer.
    Answered(KeptAnswer),
    /// The key stands for another request.
    Other,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// The fields that belong to it, such as `location`, by their name in small letters.
    pub headers: Vec<(String, String)>,
    /// Up to [`ANSWER_MAX`] bytes.
    pub body: Vec<u8>,
}
