//! The master keys as a process knows them.

use std::sync::Arc;

use app::ports::{Clock, DataKey, DeploymentSecrets, Entropy, Name, StoreError, unavailable};
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};
use tokio::sync::Mutex;

use crate::{
    MasterKeys,
    seal::{KeyBytes, unwrap},
};

/// The secret that holds the keys.
const NAME: &str = "master-keys";

/// How old what is known may be. A rotation is heard of within this time by those who wrap; who meets a key that it does not know asks at once.
const READ_FOR: TimeDelta = TimeDelta::minutes(5);

/// A key that is not known is looked for, but no more often than this, whoever asks.
const LOOKED_FOR: TimeDelta = TimeDelta::seconds(10);

const READ: &str = "read the master keys";

/// Keys from a deployment's secrets, read by the first use and again now and then. Where they can't be read again, what is known stays.
pub struct MasterRing {
    secrets: Arc<dyn DeploymentSecrets>,
    clock: Arc<dyn Clock>,
    /// What a first key is made of, where this process may make one.
    entropy: Option<Arc<dyn Entropy>>,
    known: Mutex<Option<(Timestamp, Arc<MasterKeys>)>>,
}

impl MasterRing {
    /// For a process that opens only. Where there are no keys yet, nothing was ever sealed.
    pub fn reading(secrets: Arc<dyn DeploymentSecrets>, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, clock, entropy: None, known: Mutex::default() }
    }

    /// For a process that seals: makes the first key if there is none.
    pub fn creating(
        secrets: Arc<dyn DeploymentSecrets>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { entropy: Some(entropy), ..Self::reading(secrets, clock) }
    }

    /// The keys, as they were a while ago at most; [`StoreError::NotFound`] where there are none and this process makes none.
    pub(crate) async fn keys(&self) -> Result<Arc<MasterKeys>, StoreError> {
        self.known(|_| true).await
    }

    /// Unwraps a key of a team, by a master key that may be newer than what is known.
    pub(crate) async fn unwrap(&self, team: TeamId, key: &DataKey) -> Result<KeyBytes, StoreError> {
        let known = self.known(|masters| masters.find(&key.master_key_id).is_some()).await;
        let masters = known.map_err(|error| match error {
            // A deployment that has lost its keys is our trouble, and must not pass for a credential that is not there.
            StoreError::NotFound => unavailable(READ)("there are none"),
            other => other,
        })?;
        unwrap(&masters, team, key).map_err(unavailable("unwrap a data key"))
    }

    async fn known(&self, is_enough: impl Fn(&MasterKeys) -> bool) -> Result<Arc<MasterKeys>, StoreError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((read_on, keys)) = &*known {
            let allowed = if is_enough(keys) { READ_FOR } else { LOOKED_FOR };
            if now - *read_on < allowed {
                return Ok(Arc::clone(keys));
            }
        }
        let keys = match (self.read(known.is_some()).await, &*known) {
            (Ok(keys), _) => Arc::new(keys),
            (Err(error), None) => return Err(error),
            (Err(error), Some((_, keys))) => {
                tracing::warn!(%error, "the master keys could not be read again");
                Arc::clone(keys)
            }
        };
        *known = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    async fn read(&self, is_again: bool) -> Result<MasterKeys, StoreError> {
        let name = Name::parse(NAME).map_err(unavailable(READ))?;
        let read = if is_again { self.secrets.read_again(&name) } else { self.secrets.read(&name) };
        let text = match (read.await, &self.entropy) {
            (Err(StoreError::NotFound), Some(entropy)) => {
                let text = MasterKeys::generate(&entropy.draw()?).map_err(unavailable(READ))?;
                self.secrets.create_if_absent(&name, &text).await?
            }
            (read, _) => read?,
        };
        MasterKeys::parse(&text).map_err(unavailable(READ))
    }
}
