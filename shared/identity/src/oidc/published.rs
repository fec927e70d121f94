//! What an issuer publishes: its document (OIDC Discovery 1.0) and the keys that it names there, kept and asked for with manners.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::ports::{Clock, StoreError, Web, unavailable};
use chrono::TimeDelta;
use domain::Timestamp;
use serde::Deserialize;

use super::jwk::ForeignKeys;

/// How old what is known may be. Keys that are withdrawn are believed no longer than this.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// A key that is not known is looked for, but no more often than this, whoever asks.
const LOOKED_FOR: TimeDelta = TimeDelta::seconds(30);

/// The longest pause after failures in a row. The first is a second, and each is twice the one before.
const LONGEST_PAUSE_S: i64 = 300;

const READ: &str = "read what an issuer publishes";

/// The document and the keys of one issuer. Where they can't be read again, what is known stays.
pub(crate) struct Published {
    issuer: String,
    web: Arc<dyn Web>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// Who reads has it: one at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    read: Option<(Timestamp, Arc<Documents>)>,
    failures: u32,
    /// Nobody asks before.
    paused_until: Option<Timestamp>,
}

/// What was published.
pub(crate) struct Documents {
    /// Where the issuer is asked for what.
    pub(crate) endpoints: Endpoints,
    /// What it signs with.
    pub(crate) keys: ForeignKeys,
}

/// The part of the document that is used.
#[derive(Deserialize)]
pub(crate) struct Endpoints {
    issuer: String,
    jwks_uri: String,
    /// Where browsers are sent.
    pub(crate) authorization_endpoint: Option<String>,
    /// Where codes are exchanged.
    pub(crate) token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Endpoints {
    /// Whether a client shows its secret in the form. HTTP Basic is what all have to know who say nothing.
    pub(crate) fn takes_secret_in_form(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_some_and(|methods| methods.iter().all(|method| method != "client_secret_basic"))
    }
}

impl Published {
    /// Of this issuer. Reads nothing yet.
    pub(crate) fn new(issuer: String, web: Arc<dyn Web>, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, web, clock, known: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// What is published.
    pub(crate) async fn documents(&self) -> Result<Arc<Documents>, StoreError> {
        self.with(|_| true).await
    }

    /// The same, read again if there is no key of this name and it was not just read.
    pub(crate) async fn documents_with(&self, key: &str) -> Result<Arc<Documents>, StoreError> {
        self.with(|documents| documents.keys.find(key).is_some()).await
    }

    async fn with(&self, is_enough: impl Fn(&Documents) -> bool) -> Result<Arc<Documents>, StoreError> {
        let known = self.known().clone();
        if !known.is_to_be_read(self.clock.now(), &is_enough) {
            return known.answer();
        }
        // Nobody waits who has what they need, however old it is by now.
        let has_enough = known.read.as_ref().is_some_and(|(_, documents)| is_enough(documents));
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) if has_enough => return known.answer(),
            Err(_) => self.turn.lock().await,
        };
        // Whoever had the turn before may have read it.
        let known = self.known().clone();
        if !known.is_to_be_read(self.clock.now(), &is_enough) {
            return known.answer();
        }
        let read = self.read().await;
        let mut known = self.known();
        known.note(read, self.clock.now(), &self.issuer);
        known.answer()
    }

    async fn read(&self) -> Result<Documents, StoreError> {
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document = self.web.get(&place).await?.document();
        let document = document.ok_or_else(|| unavailable(READ)("there is no document"))?;
        let endpoints = Endpoints::deserialize(document)
            .map_err(|_| unavailable(READ)("the document lacks something"))?;
        if endpoints.issuer != self.issuer {
            return Err(unavailable(READ)("the document is of another issuer"));
        }
        let keys = self.web.get(&endpoints.jwks_uri).await?.document();
        let keys = keys.as_ref().and_then(ForeignKeys::parse);
        let keys = keys.ok_or_else(|| unavailable(READ)("there is no set of keys"))?;
        Ok(Documents { endpoints, keys })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_to_be_read(&self, now: Timestamp, is_enough: impl Fn(&Documents) -> bool) -> bool {
        if self.paused_until.is_some_and(|until| now < until) {
            return false;
        }
        self.read.as_ref().is_none_or(|(read_on, documents)| {
            now - *read_on >= if is_enough(documents) { KEPT } else { LOOKED_FOR }
        })
    }

    fn answer(&self) -> Result<Arc<Documents>, StoreError> {
        let documents = self.read.as_ref().map(|(_, documents)| Arc::clone(documents));
        documents.ok_or_else(|| unavailable(READ)("the issuer gave no answer yet"))
    }

    fn note(&mut self, read: Result<Documents, StoreError>, now: Timestamp, issuer: &str) {
        match read {
            Ok(documents) => {
                *self = Self { read: Some((now, Arc::new(documents))), ..Self::default() };
            }
            Err(error) => {
                let pause = TimeDelta::seconds((1_i64 << self.failures.min(20)).min(LONGEST_PAUSE_S));
                let error = error_chain(&error);
                tracing::warn!(issuer, error, pause_s = pause.num_seconds(), "an issuer gives no keys");
                self.failures = self.failures.saturating_add(1);
                self.paused_until = Some(now + pause);
            }
        }
    }
}

fn error_chain(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable { doing, cause } => format!("{doing}: {cause}"),
        error => error.to_string(),
    }
}
