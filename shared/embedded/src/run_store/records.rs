//! The step records of a commit as one JSON array.

use std::sync::Arc;

use app::{
    ports::StoreError,
    spill::{self, Stored},
};
use domain::TeamId;
use engine::{Digest, StepRecord};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::EmbeddedRunStore;
use crate::error::unavailable;

const DOING: &str = "commit a run";
const READING: &str = "load a run";

/// A step record with its output beside it, where it may also be a blob. A missing output is no output; null is one.
#[derive(Serialize, Deserialize)]
struct StoredRecord {
    record: StepRecord,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    output: Option<Arc<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_sha256: Option<Digest>,
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Arc<Value>>, D::Error> {
    Value::deserialize(value).map(|value| Some(Arc::new(value)))
}

impl StoredRecord {
    fn of(record: &StepRecord) -> Self {
        let output = record.output.clone();
        Self { record: StepRecord { output: None, ..record.clone() }, output, output_sha256: None }
    }
}

impl EmbeddedRunStore {
    /// The array; None of no records. Outputs that are too large are durable blobs when this answers.
    pub(super) async fn records_json(
        &self,
        team: TeamId,
        records: &[StepRecord],
    ) -> Result<Option<String>, StoreError> {
        if records.is_empty() {
            return Ok(None);
        }
        let mut stored: Vec<_> = records.iter().map(StoredRecord::of).collect();
        let mut json = serde_json::to_string(&stored).map_err(unavailable(DOING))?;
        // Seldom: only then is each output looked at by itself.
        if json.len() > spill::VALUE_MAX {
            for record in &mut stored {
                self.spill_output(team, record).await?;
            }
            json = serde_json::to_string(&stored).map_err(unavailable(DOING))?;
        }
        Ok(Some(json))
    }

    async fn spill_output(&self, team: TeamId, record: &mut StoredRecord) -> Result<(), StoreError> {
        let Some(output) = &record.output else { return Ok(()) };
        let stored = spill::put(&*self.blobs, team, output.to_string(), spill::VALUE_MAX).await?;
        if let Stored::Blob { sha256, .. } = stored {
            (record.output, record.output_sha256) = (None, Some(sha256));
        }
        Ok(())
    }

    /// The records of a commit again.
    pub(super) async fn records_of(&self, team: TeamId, json: &str) -> Result<Vec<StepRecord>, StoreError> {
        let stored: Vec<StoredRecord> = serde_json::from_str(json).map_err(unavailable(READING))?;
        let mut records = Vec::with_capacity(stored.len());
        for StoredRecord { record, mut output, output_sha256 } in stored {
            if let Some(sha256) = output_sha256 {
                let json = spill::get(&*self.blobs, team, Stored::Blob { sha256, bytes: 0 }).await?;
                output = Some(serde_json::from_str(&json).map_err(unavailable(READING))?);
            }
            records.push(StepRecord { output, ..record });
        }
        Ok(records)
    }
}

/// The records of a commit without their outputs.
pub(super) fn bare_records_of(json: &str) -> Result<Vec<StepRecord>, StoreError> {
    let stored: Vec<StoredRecord> = serde_json::from_str(json).map_err(unavailable(READING))?;
    Ok(stored.into_iter().map(|stored| stored.record).collect())
}
