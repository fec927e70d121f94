//! Where a run stands in a list: by time, then by id. The one format of cursors and of the sort keys behind them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat};
use domain::{RunId, Timestamp};

use crate::ports::{RunSummary, StoreError};

/// A place in a list of runs. As text, `<time>#<id>`, it sorts as the list does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPosition {
    text: String,
    created_on: Timestamp,
    id: RunId,
}

impl RunPosition {
    /// The place of a run.
    pub fn of(created_on: Timestamp, id: RunId) -> Self {
        let text = format!("{}#{id}", created_on.to_rfc3339_opts(SecondsFormat::Micros, true));
        Self { text, created_on, id }
    }

    /// The place of a listed run.
    pub fn of_summary(run: &RunSummary) -> Self {
        Self::of(run.created_on, run.id)
    }

    /// Reads what [`RunPosition::as_str`] gave; None if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('#')?;
        let time = DateTime::parse_from_rfc3339(time).ok()?.to_utc();
        Some(Self::of(time, id.parse().ok()?))
    }

    /// The sortable text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When the run here was accepted.
    pub const fn created_on(&self) -> Timestamp {
        self.created_on
    }

    /// The run here.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// The opaque text that clients send back. It names a place and no team, so a forged one shows nothing foreign.
    pub fn to_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.text)
    }

    /// Reads a cursor; one that we never gave out is `Violates("cursor")`.
    pub fn from_cursor(cursor: &str) -> Result<Self, StoreError> {
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| Self::parse(&text))
            .ok_or_else(|| StoreError::Violates("cursor".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_a_forged_one_is_refused() {
        let id = RunId::new(uuid::Uuid::from_u128(7));
        let position = RunPosition::of(Timestamp::from_timestamp_micros(1_700_000_000_000_001).unwrap(), id);
        assert_eq!(RunPosition::from_cursor(&position.to_cursor()).unwrap(), position);
        for forged in ["", "!", "bm9uc2Vuc2U", &URL_SAFE_NO_PAD.encode("2026-01-01T00:00:00Z#x")] {
            assert!(
                matches!(RunPosition::from_cursor(forged), Err(StoreError::Violates(rule)) if rule == "cursor")
            );
        }
    }
}
