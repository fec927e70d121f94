//! Brings the catalog to the schema of the code that is about to serve, and, when asked, puts the demo team into it.
//!
//! Invoked by a deployment, not by clients. Runs at the same time are harmless: they wait for each other.

use catalog::{ApiKeyDigest, Catalog, Seeded, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;

/// What an invocation asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `{"action": "migrate"}`, or an event that names no action, as other deployment tools send.
    Migrate,
    /// `{"action": "seed", "api_key_sha256": "<64 hex digits>", "api_key_last4": "abcd"}` (OPS-12).
    Seed(ApiKeyDigest),
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The numbers of the migrations that this invocation applied; none if the schema was there.
    Migrated {
        /// `YYYYMMDDHHMM`, in order.
        applied: Vec<i64>,
    },
    /// The ids of the demo team and what it owns.
    Seeded(Box<Seeded>),
}

/// Why an invocation failed. Lambda reports it as a function error, which stops the deployment.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The event asks for something else, or wrongly.
    #[error("the event is not understood: {0}")]
    Event(String),
    /// The database refused or can't be reached.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
}

/// Does what the event asks for.
pub async fn handle(catalog: &Catalog, event: &Value) -> Result<Answer, Failed> {
    match Request::parse(event)? {
        Request::Migrate => {
            let applied = catalog.migrate().await?;
            info!(count = applied.len(), "migrations applied");
            Ok(Answer::Migrated { applied })
        }
        Request::Seed(key) => {
            let seeded = catalog.seed(&key).await?;
            info!(team_id = %seeded.team_id, "demo team seeded");
            Ok(Answer::Seeded(Box::new(seeded)))
        }
    }
}

#[derive(Deserialize)]
struct SeedEvent {
    api_key_sha256: String,
    api_key_last4: String,
}

impl Request {
    /// Reads an event.
    pub fn parse(event: &Value) -> Result<Self, Failed> {
        match event.get("action") {
            None => Ok(Self::Migrate),
            Some(action) if action == "migrate" => Ok(Self::Migrate),
            Some(action) if action == "seed" => {
                let event =
                    SeedEvent::deserialize(event).map_err(|error| Failed::Event(error.to_string()))?;
                Ok(Self::Seed(event.key()?))
            }
            Some(other) => Err(Failed::Event(format!("action {other} is neither \"migrate\" nor \"seed\""))),
        }
    }
}

impl SeedEvent {
    fn key(self) -> Result<ApiKeyDigest, Failed> {
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&self.api_key_sha256, &mut sha256)
            .map_err(|_| Failed::Event("api_key_sha256 is not 64 hex digits".to_owned()))?;
        if self.api_key_last4.chars().count() != 4 {
            return Err(Failed::Event("api_key_last4 is not four characters".to_owned()));
        }
        Ok(ApiKeyDigest { sha256, last4: self.api_key_last4 })
    }
}

/// The error with what caused it: whoever deploys sees only this one line.
fn with_causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_without_an_action_migrates() {
        for event in [json!({}), json!({"action": "migrate"}), json!({"RequestType": "Create"}), json!(null)]
        {
            assert_eq!(Request::parse(&event).unwrap(), Request::Migrate);
        }
    }

    #[test]
    fn a_seed_takes_the_digest_of_a_key() {
        let event = json!({"action": "seed", "api_key_sha256": "ab".repeat(32), "api_key_last4": "wxyz"});
        let key = ApiKeyDigest { sha256: [0xab; 32], last4: "wxyz".to_owned() };
        assert_eq!(Request::parse(&event).unwrap(), Request::Seed(key));
    }

    #[test]
    fn a_wrong_event_is_refused_with_the_reason() {
        let sha256 = "ab".repeat(32);
        for (event, reason) in [
            (json!({"action": "drop"}), "neither"),
            (json!({"action": 7}), "neither"),
            (json!({"action": "seed"}), "api_key_sha256"),
            (json!({"action": "seed", "api_key_sha256": "ab", "api_key_last4": "wxyz"}), "64 hex digits"),
            (
                json!({"action": "seed", "api_key_sha256": sha256, "api_key_last4": "too long"}),
                "four characters",
            ),
        ] {
            let refused = Request::parse(&event).unwrap_err().to_string();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
