//! The signing keys as a process knows them.

use std::sync::Arc;

use app::ports::{Clock, DeploymentSecrets, Entropy, InvalidName, Name, StoreError, unavailable};
use chrono::TimeDelta;
use domain::Timestamp;
use tokio::sync::Mutex;

use crate::KeySet;

/// The secret that holds the keys.
const NAME: &str = "token-keys";

/// How old what is known may be. A rotation is heard of within this time.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// A key that is not known is looked for, but no more often than this, whoever asks.
const LOOKED_FOR: TimeDelta = TimeDelta::seconds(30);

const READ: &str = "read the signing keys";

/// The name of the secret that holds the keys.
pub fn token_keys() -> Result<Name, InvalidName> {
    Name::parse(NAME)
}

/// Keys from a deployment's secrets, read by the first use and again now and then. Where they can't be read again, what is known stays.
pub struct KeyRing {
    secrets: Arc<dyn DeploymentSecrets>,
    clock: Arc<dyn Clock>,
    /// What new keys are made of, where this process may make some.
    entropy: Option<Arc<dyn Entropy>>,
    known: Mutex<Option<(Timestamp, Arc<KeySet>)>>,
}

impl KeyRing {
    /// For a process that verifies only. Where there are no keys yet, nothing was ever signed.
    pub fn reading(secrets: Arc<dyn DeploymentSecrets>, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, clock, entropy: None, known: Mutex::default() }
    }

    /// For a process that signs: makes the keys if there are none.
    pub fn creating(
        secrets: Arc<dyn DeploymentSecrets>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { entropy: Some(entropy), ..Self::reading(secrets, clock) }
    }

    /// The keys.
    pub async fn keys(&self) -> Result<Arc<KeySet>, StoreError> {
        self.no_older_than(KEPT, |_| true).await
    }

    /// The keys, read again if there is none of this name and they were not just read.
    pub(crate) async fn keys_with(&self, id: &str) -> Result<Arc<KeySet>, StoreError> {
        self.no_older_than(KEPT, |keys| keys.knows(id)).await
    }

    async fn no_older_than(
        &self,
        age: TimeDelta,
        is_enough: impl Fn(&KeySet) -> bool,
    ) -> Result<Arc<KeySet>, StoreError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((read_on, keys)) = &*known {
            let allowed = if is_enough(keys) { age } else { LOOKED_FOR };
            if now - *read_on < allowed {
                return Ok(Arc::clone(keys));
            }
        }
        let keys = match (self.read(known.is_some()).await, &*known) {
            (Ok(keys), _) => Arc::new(keys),
            (Err(error), None) => return Err(error),
            (Err(error), Some((_, keys))) => {
                tracing::warn!(%error, "the signing keys could not be read again");
                Arc::clone(keys)
            }
        };
        *known = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    async fn read(&self, is_again: bool) -> Result<KeySet, StoreError> {
        let name = Name::parse(NAME).map_err(unavailable(READ))?;
        let read = if is_again { self.secrets.read_again(&name) } else { self.secrets.read(&name) };
        let text = match (read.await, &self.entropy) {
            (Err(StoreError::NotFound), None) => return Ok(KeySet::none()),
            (Err(StoreError::NotFound), Some(entropy)) => {
                let text = KeySet::generate(&entropy.draw()?, &entropy.draw()?);
                self.secrets.create_if_absent(&name, &text.map_err(unavailable(READ))?).await?
            }
            (read, _) => read?,
        };
        KeySet::parse(&text).map_err(unavailable(READ))
    }
}
