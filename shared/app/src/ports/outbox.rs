//! The port to what is still to be told: entries that were committed together with the change they tell of, so that no change is lost to
//! those who hear of it elsewhere.

use async_trait::async_trait;
use domain::TeamId;
use serde_json::Value;
use uuid::Uuid;

use super::StoreError;

/// Entries that wait for somebody to tell them. Each is told at least once.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Who has entries of which kind that are due, at most `limit` of these pairs.
    async fn outbox_due(&self, limit: u32) -> Result<Vec<(TeamId, String)>, StoreError>;

    /// All entries of a kind that a team has, whether or not they are due. They are due again later, and later each time, until they are
    /// told. Others may have taken them too.
    async fn outbox_take(&self, team: TeamId, kind: &str) -> Result<Taken, StoreError>;

    /// These were told, and are not given out again.
    async fn outbox_told(&self, team: TeamId, ids: &[Uuid]) -> Result<(), StoreError>;

    /// These could not be told, and why; for people who look.
    async fn outbox_failed(&self, team: TeamId, ids: &[Uuid], error: &str) -> Result<(), StoreError>;
}

/// What somebody took on to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Greater than that of all who took before. Who looks up what an entry is about does so after taking it, so that of two tellings of the
    /// same thing the one with the greater number is never the older state.
    pub order: i64,
    /// The entries.
    pub entries: Vec<OutboxEntry>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxEntry {
    /// Its id.
    pub id: Uuid,
    /// What it is about; its form is its kind's.
    pub payload: Value,
}

/// Tells entries of one kind.
#[async_trait]
pub trait Teller: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static str;

    /// Tells an entry. May happen again.
    async fn tell(&self, team: TeamId, order: i64, payload: &Value) -> Result<(), StoreError>;
}
