//! The lane of new runs: each with its idempotency key and its first hint, or not at all.

use std::{collections::HashSet, sync::Arc};

use app::ports::StoreError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Answer, Claims, column,
    messages::{Columns, NewMessage},
    writer,
};
use crate::error::SharedError;

pub(super) const DOING: &str = "create a run";

/// A row of `runs`, perhaps one of `idempotency_keys`, and the first message.
#[derive(Debug)]
pub(crate) struct NewRun {
    pub(crate) id: Uuid,
    pub(crate) team_id: Uuid,
    pub(crate) workflow_id: Uuid,
    pub(crate) created_on: DateTime<Utc>,
    pub(crate) status: &'static str,
    pub(crate) revision: i64,
    pub(crate) commit_id: Uuid,
    pub(crate) check_at: Option<DateTime<Utc>>,
    pub(crate) state: String,
    pub(crate) inputs: String,
    pub(crate) is_listed: bool,
    pub(crate) key: Option<NewKey>,
    pub(crate) hint: NewMessage,
}

/// An idempotency key of a new run.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) key: String,
    pub(crate) request: String,
    pub(crate) expires_on: DateTime<Utc>,
}

/// A run, and who wants to know whether it was stored.
pub(super) struct Entry(pub(super) Box<NewRun>, pub(super) Answer<bool>);

/// Runs with keys of their own.
pub(super) struct Batch {
    claims: Claims,
    entries: Vec<Entry>,
    keys: HashSet<(Uuid, String)>,
    bytes: usize,
}

impl writer::Batch for Batch {
    type Entry = Entry;
    type Written = HashSet<Uuid>;

    fn new(claims: Claims) -> Self {
        Self { claims, entries: Vec::new(), keys: HashSet::new(), bytes: 0 }
    }

    fn add(&mut self, entry: Entry) -> Option<Entry> {
        let Entry(run, _) = &entry;
        let is_free = run.key.as_ref().is_none_or(|key| self.keys.insert((run.team_id, key.key.clone())));
        if !is_free {
            return Some(entry);
        }
        self.bytes += run.state.len() + run.inputs.len();
        self.entries.push(entry);
        None
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_awaited(&self) -> bool {
        true
    }

    async fn write(&self, connection: &mut PgConnection) -> Result<HashSet<Uuid>, sqlx::Error> {
        let runs: Vec<&NewRun> = self.entries.iter().map(|Entry(run, _)| &**run).collect();
        let keyed: Vec<_> = runs.iter().filter_map(|run| Some((run, run.key.as_ref()?))).collect();
        let hints: Vec<_> = runs.iter().map(|run| &run.hint).collect();
        let hints = Columns::of(&hints, &self.claims);
        let created = sqlx::query_file_scalar!(
            "src/journal/intake.sql",
            &column(&keyed, |(run, _)| run.team_id),
            &column(&keyed, |(_, key)| key.key.as_str()) as &[&str],
            &column(&keyed, |(_, key)| key.request.as_str()) as &[&str],
            &column(&keyed, |(run, _)| run.id),
            &column(&keyed, |(run, _)| run.created_on),
            &column(&keyed, |(_, key)| key.expires_on),
            &column(&runs, |run| run.id),
            &column(&runs, |run| run.team_id),
            &column(&runs, |run| run.workflow_id),
            &column(&runs, |run| run.created_on),
            &column(&runs, |run| run.status) as &[&str],
            &column(&runs, |run| run.revision),
            &column(&runs, |run| run.commit_id),
            &column(&runs, |run| run.check_at) as &[Option<DateTime<Utc>>],
            &column(&runs, |run| run.state.as_str()) as &[&str],
            &column(&runs, |run| run.inputs.as_str()) as &[&str],
            &column(&runs, |run| run.key.is_some()),
            &hints.id,
            &hints.hidden_s,
            &hints.receive_count,
            &hints.holder as &[Option<i32>],
            &hints.priority,
            hints.wakes_others,
            &column(&runs, |run| run.is_listed),
        );
        Ok(created.fetch_one(connection).await?.into_iter().collect())
    }

    fn succeed(self, created: &HashSet<Uuid>) {
        for Entry(run, answer) in self.entries {
            let is_created = created.contains(&run.id);
            if is_created {
                run.hint.hand_over(&self.claims.hands);
            }
            // Whoever does not wait any more has been cancelled; what is written stands.
            let _ = answer.send(Ok(is_created));
        }
    }

    fn fail(self, error: sqlx::Error) {
        tracing::warn!(%error, "{} runs could not be created", self.entries.len());
        let error = SharedError(Arc::new(error));
        for Entry(_, answer) in self.entries {
            let _ =
                answer.send(Err(StoreError::Unavailable { doing: DOING, cause: Box::new(error.clone()) }));
        }
    }

    fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}
