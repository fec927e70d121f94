//! The step records of a commit as one JSON array.

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::Arc,
};

use app::{
    ports::StoreError,
    spill::{self, LargeValues, Stored},
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
pub(super) struct StoredRecord {
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
    /// The array, None of no records, and at least how many bytes of JSON the records are together with their outputs. Outputs that are
    /// too large are durable blobs when this answers.
    pub(super) async fn records_json(
        &self,
        team: TeamId,
        records: &[StepRecord],
    ) -> Result<(Option<String>, usize), StoreError> {
        if records.is_empty() {
            return Ok((None, 0));
        }
        let mut stored: Vec<_> = records.iter().map(StoredRecord::of).collect();
        if let Some(json) = json_within(&stored, spill::VALUE_MAX)? {
            let bytes = json.len();
            return Ok((Some(json), bytes));
        }
        // Seldom: only then is each output looked at by itself.
        self.spill_outputs(team, &mut stored).await?;
        let json = serde_json::to_string(&stored).map_err(unavailable(DOING))?;
        let bytes = json.len().max(spill::VALUE_MAX);
        Ok((Some(json), bytes))
    }

    /// Lets records refer to blobs where their outputs are too large: each is written once, however many nodes have handed it on.
    async fn spill_outputs(&self, team: TeamId, records: &mut [StoredRecord]) -> Result<(), StoreError> {
        let mut known = HashMap::new();
        for StoredRecord { record, output, output_sha256 } in records {
            let Some(value) = output else { continue };
            if !known.contains_key(&record.digest) {
                let stored = spill::put(&*self.blobs, team, value.to_string(), spill::VALUE_MAX).await?;
                known.insert(record.digest.clone(), stored);
            }
            if let Some(Stored::Blob { sha256, .. }) = known.get(&record.digest) {
                (*output, *output_sha256) = (None, Some(sha256.clone()));
            }
        }
        Ok(())
    }
}

/// The records of a commit, each with its output or the digest of its blob.
pub(super) fn stored_records(json: &str) -> Result<Vec<StoredRecord>, StoreError> {
    serde_json::from_str(json).map_err(unavailable(READING))
}

impl StoredRecord {
    /// The blob that its output is.
    pub(super) fn blob(&self) -> Option<&Digest> {
        self.output_sha256.as_ref()
    }

    /// The record again, with its output.
    pub(super) fn with_output(self, large: &LargeValues) -> Result<StepRecord, StoreError> {
        let output = match &self.output_sha256 {
            Some(sha256) => Some(large.get(sha256)?),
            None => self.output,
        };
        Ok(StepRecord { output, ..self.record })
    }

    /// The record without its output.
    pub(super) fn bare(self) -> StepRecord {
        self.record
    }
}

/// The JSON of a value; None if it has more than `most` bytes, after which no more of it is written.
fn json_within(value: &impl Serialize, most: usize) -> Result<Option<String>, StoreError> {
    let mut written = Bounded { json: Vec::new(), most };
    match serde_json::to_writer(&mut written, value) {
        Ok(()) => String::from_utf8(written.json).map(Some).map_err(unavailable(DOING)),
        Err(error) if error.is_io() => Ok(None),
        Err(error) => Err(unavailable(DOING)(error)),
    }
}

/// A writer that takes so many bytes.
struct Bounded {
    json: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.json.len() + part.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.json.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_not_written_to_its_end() {
        assert_eq!(json_within(&"four", 6).unwrap().as_deref(), Some("\"four\""));
        assert_eq!(json_within(&"fives", 6).unwrap(), None);
    }
}
