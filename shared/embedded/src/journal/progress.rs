//! The lane of runs that are under way: commits, the messages that follow from them, and messages that were handled.

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

pub(super) const COMMITTING: &str = "commit a run";
pub(super) const SENDING: &str = "send hints";

/// The next state of a run, with the step records that it settles.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) run_id: Uuid,
    pub(crate) team_id: Uuid,
    pub(crate) revision: i64,
    /// Which attempt to commit this is.
    pub(crate) attempt_id: Uuid,
    pub(crate) status: &'static str,
    pub(crate) check_at: Option<DateTime<Utc>>,
    pub(crate) state: String,
    /// JSON array; None where nothing was settled.
    pub(crate) records: Option<String>,
}

/// Something to become durable.
pub(super) enum Entry {
    /// A commit. Answers whether its revision was the next one.
    Commit(Box<Commit>, Answer<bool>),
    /// Messages.
    Send(Vec<NewMessage>, Answer<()>),
    /// A message that was handled. Nobody waits for it.
    Done(Uuid),
}

/// Entries of which no two commit the same run.
pub(super) struct Batch {
    claims: Claims,
    entries: Vec<Entry>,
    committing: HashSet<Uuid>,
    bytes: usize,
    is_awaited: bool,
}

impl writer::Batch for Batch {
    type Entry = Entry;
    type Written = HashSet<Uuid>;

    fn new(claims: Claims) -> Self {
        Self { claims, entries: Vec::new(), committing: HashSet::new(), bytes: 0, is_awaited: false }
    }

    fn add(&mut self, entry: Entry) -> Option<Entry> {
        if let Entry::Commit(commit, _) = &entry {
            if !self.committing.insert(commit.run_id) {
                return Some(entry);
            }
            self.bytes += commit.state.len() + commit.records.as_ref().map_or(0, String::len);
        }
        self.is_awaited |= !matches!(entry, Entry::Done(_));
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
        self.is_awaited
    }

    async fn write(&self, connection: &mut PgConnection) -> Result<HashSet<Uuid>, sqlx::Error> {
        let (mut commits, mut messages, mut done) = (Vec::<&Commit>::new(), Vec::new(), Vec::new());
        for entry in &self.entries {
            match entry {
                Entry::Commit(commit, _) => commits.push(commit),
                Entry::Send(sent, _) => messages.extend(sent),
                Entry::Done(message) => done.push(*message),
            }
        }
        let messages = Columns::of(&messages, &self.claims);
        let committed = sqlx::query_file_scalar!(
            "src/journal/progress.sql",
            &column(&commits, |commit| commit.run_id),
            &column(&commits, |commit| commit.team_id),
            &column(&commits, |commit| commit.revision),
            &column(&commits, |commit| commit.attempt_id),
            &column(&commits, |commit| commit.status) as &[&str],
            &column(&commits, |commit| commit.check_at) as &[Option<DateTime<Utc>>],
            &column(&commits, |commit| commit.state.as_str()) as &[&str],
            &column(&commits, |commit| commit.records.as_deref()) as &[Option<&str>],
            &messages.id,
            &messages.team_id,
            &messages.run_id,
            &messages.node as &[Option<&str>],
            &messages.hidden_s,
            &messages.receive_count,
            &messages.holder as &[Option<i32>],
            &messages.priority,
            messages.wakes_others,
            &done,
        );
        Ok(committed.fetch_one(connection).await?.into_iter().collect())
    }

    fn succeed(self, committed: &HashSet<Uuid>) {
        for entry in self.entries {
            // Whoever does not wait any more has been cancelled; what is written stands.
            match entry {
                Entry::Commit(commit, answer) => drop(answer.send(Ok(committed.contains(&commit.run_id)))),
                Entry::Send(messages, answer) => {
                    for message in messages {
                        message.hand_over(&self.claims.hands);
                    }
                    let _ = answer.send(Ok(()));
                }
                Entry::Done(_) => {}
            }
        }
    }

    fn fail(self, error: sqlx::Error) {
        tracing::warn!(%error, "a batch of {} could not be written", self.entries.len());
        let error = SharedError(Arc::new(error));
        let failed = |doing| StoreError::Unavailable { doing, cause: Box::new(error.clone()) };
        for entry in self.entries {
            match entry {
                Entry::Commit(_, answer) => drop(answer.send(Err(failed(COMMITTING)))),
                Entry::Send(_, answer) => drop(answer.send(Err(failed(SENDING)))),
                Entry::Done(_) => {}
            }
        }
    }

    fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}
