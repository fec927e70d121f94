//! Messages that were received too often (RUN-14).

use app::ports::{DeadLetter, Redrive};
use domain::{FieldError, NodeKey, RunId, RunStatus, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RunStatusDoc;

/// The most letters that one request names.
const MOST_IDS: usize = 100;

/// A message of a run that was received too often.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterView {
    /// What redriving takes.
    #[schema(example = "4f0c1f0e-8a51-4a7e-9f53-1f2f3f4f5f6f")]
    id: String,
    #[schema(value_type = Uuid)]
    run_id: RunId,
    /// Where the run stands; absent where it is kept no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RunStatusDoc>)]
    run_status: Option<RunStatus>,
    /// The node that it was about, if it was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
    /// How often it was received. On AWS each look at it counts, too.
    #[schema(example = 3)]
    receive_count: u32,
    #[schema(value_type = String, format = DateTime)]
    sent_on: Timestamp,
    /// When it was given up; AWS does not note it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    died_on: Option<Timestamp>,
}

impl DeadLetterView {
    pub(crate) fn of(letter: DeadLetter, run_status: Option<RunStatus>) -> Self {
        let DeadLetter { id, run_id, node, receive_count, sent_on, died_on } = letter;
        Self { id, run_id, run_status, node, receive_count, sent_on, died_on }
    }
}

/// Dead letters, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterList {
    pub(crate) items: Vec<DeadLetterView>,
    /// Whether these are all that the team has, as far as can be seen.
    pub(crate) is_complete: bool,
}

/// Which dead letters to send again. Either `ids` or `all`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ids": ["4f0c1f0e-8a51-4a7e-9f53-1f2f3f4f5f6f"]}))]
pub(crate) struct RedriveWish {
    /// These; 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<String>>,
    /// All that the team has; only `true` says something.
    #[serde(default)]
    all: bool,
}

impl RedriveWish {
    /// What is meant, or what is wrong.
    pub(crate) fn check(self) -> Result<Redrive, Vec<FieldError>> {
        match (self.ids, self.all) {
            (None, true) => Ok(Redrive::All),
            (Some(ids), false) if (1..=MOST_IDS).contains(&ids.len()) => Ok(Redrive::Only(ids)),
            (Some(_), false) => Err(mistake("length", "Name 1 to 100 letters, or all.")),
            (None, false) => Err(mistake("missing_field", "Name the letters, or all.")),
            (Some(_), true) => Err(mistake("one_of", "Name the letters or all, not both.")),
        }
    }
}

fn mistake(code: &str, detail: &str) -> Vec<FieldError> {
    let pointer = "/ids".to_owned();
    vec![FieldError { pointer, code: code.to_owned(), detail: detail.to_owned(), node: None, offset: None }]
}

/// What was sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redriven {
    /// The letters that are messages again.
    #[schema(example = json!(["4f0c1f0e-8a51-4a7e-9f53-1f2f3f4f5f6f"]))]
    pub(crate) redriven: Vec<String>,
    /// Those that were named and are not among the team's dead letters: they were redriven before, or could not be seen at the moment.
    #[schema(example = json!([]))]
    pub(crate) not_found: Vec<String>,
}

impl Redriven {
    pub(crate) fn of(which: Redrive, redriven: Vec<String>) -> Self {
        let mut not_found = match which {
            Redrive::Only(ids) => ids,
            Redrive::All => Vec::new(),
        };
        not_found.retain(|id| !redriven.contains(id));
        Self { redriven, not_found }
    }
}
