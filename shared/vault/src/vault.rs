//! Credentials in the clear, for a few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{Clock, SealedSecrets, SecretValue, StoreError, TeamSecrets, unavailable};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};

use crate::{MasterRing, ring_of_masters::unwrap, seal::open};

/// How long an opened credential is used again without a look at where it is kept. So long may calls go out with the one before, once a new
/// one is told.
pub const KEPT: TimeDelta = TimeDelta::seconds(5);

/// Opened credentials that a process remembers before it looks for those that it may forget.
const MOST: usize = 256;

/// Values with the time when each was opened.
type Opened = HashMap<(TeamId, String), (Timestamp, Arc<SecretValue>)>;

/// Opens credentials. A process has one.
pub struct Vault {
    sealed: Arc<dyn SealedSecrets>,
    masters: MasterRing,
    clock: Arc<dyn Clock>,
    opened: Mutex<Opened>,
}

impl Vault {
    /// Opens what `sealed` gives, by the keys of `masters`.
    pub fn new(sealed: Arc<dyn SealedSecrets>, masters: MasterRing, clock: Arc<dyn Clock>) -> Self {
        Self { sealed, masters, clock, opened: Mutex::default() }
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TeamSecrets for Vault {
    /// Costs one read of the store of sealed credentials, and nothing for [`KEPT`] after that. What is not there is asked for each time.
    async fn open(&self, team: TeamId, name: &str) -> Result<Arc<SecretValue>, StoreError> {
        let (place, now) = ((team, name.to_owned()), self.clock.now());
        if let Some((opened_on, value)) = self.opened().get(&place)
            && now - *opened_on < KEPT
        {
            return Ok(Arc::clone(value));
        }
        let (secret, key) = self.sealed.sealed(team, name).await?;
        let key = unwrap(&self.masters, team, &key).await?;
        let value = Arc::new(open(&key, team, &secret).map_err(unavailable("open a secret"))?);
        let mut opened = self.opened();
        if opened.len() >= MOST {
            opened.retain(|_, (opened_on, _)| now - *opened_on < KEPT);
        }
        opened.insert(place, (now, Arc::clone(&value)));
        Ok(value)
    }
}
