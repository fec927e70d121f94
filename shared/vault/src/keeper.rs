//! Takes credentials in, and looks after their keys.

use std::sync::Arc;

use app::{
    ports::{
        Act, DataKey, Entropy, Ids, Outbox, SecretCatalog, SecretValue, SecretVersion, StoreError,
        unavailable,
    },
    tell_outbox,
};
use domain::{DataKeyId, TeamId, Timestamp, WorkflowId};
use zeroize::Zeroizing;

use crate::{
    MasterRing, SecretTeller,
    ring_of_masters::unwrap,
    seal::{KeyBytes, seal, wrap},
};

/// How often a version is sealed anew because somebody else was first.
const TRIES: usize = 5;

/// Characters that a value has at least before its last four are shown.
const SHOWN_FROM: usize = 12;

const SEAL: &str = "seal a secret";

/// Looks after credentials. Seals, and opens none.
pub struct Keeper {
    catalog: Arc<dyn SecretCatalog>,
    outbox: Arc<dyn Outbox>,
    teller: Arc<SecretTeller>,
    masters: MasterRing,
    ids: Arc<dyn Ids>,
    entropy: Arc<dyn Entropy>,
}

/// What became of a value that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// Its version.
    pub version: u32,
    /// Its last characters, where it is long enough to show some.
    pub last4: String,
    /// When.
    pub created_on: Timestamp,
}

impl Keeper {
    /// Keeps credentials in `catalog`, and has `teller` tell of them what `outbox` says.
    pub fn new(
        catalog: Arc<dyn SecretCatalog>,
        outbox: Arc<dyn Outbox>,
        teller: Arc<SecretTeller>,
        masters: MasterRing,
        ids: Arc<dyn Ids>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { catalog, outbox, teller, masters, ids, entropy }
    }

    /// Every version of the team's credentials, by name, the one in use first.
    pub async fn list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError> {
        self.catalog.secret_list(team).await
    }

    /// Keeps a value as the next version of the team's credential of this name, which is its first one if there is none.
    pub async fn put(
        &self,
        team: TeamId,
        name: &str,
        value: &SecretValue,
        act: &Act,
    ) -> Result<KeptSecret, StoreError> {
        self.keep(team, name, value, false, act).await
    }

    /// As [`put`](Self::put), of a credential that exists (SCR-04); else [`NotFound`](StoreError::NotFound).
    pub async fn rotate(
        &self,
        team: TeamId,
        name: &str,
        value: &SecretValue,
        act: &Act,
    ) -> Result<KeptSecret, StoreError> {
        self.keep(team, name, value, true, act).await
    }

    /// Forgets a credential with all its versions.
    pub async fn delete(&self, team: TeamId, name: &str, act: &Act) -> Result<(), StoreError> {
        self.catalog.secret_delete(team, name, act).await?;
        self.tell(team).await;
        Ok(())
    }

    /// The team's workflows whose published version names this credential, with their names.
    pub async fn users(&self, team: TeamId, name: &str) -> Result<Vec<(WorkflowId, String)>, StoreError> {
        self.catalog.secret_users(team, name).await
    }

    /// Wraps all data keys of all teams by the master key in use that are wrapped by another one; how many. One that can't be unwrapped
    /// keeps no other from being wrapped. Nobody who reads meanwhile misses anything: each key is one write, and both masters are known.
    pub async fn rewrap(&self) -> Result<usize, StoreError> {
        let mut wrapped = 0;
        let current = match self.masters.get().await {
            Ok(masters) => masters.current().id.clone(),
            // Nothing was ever sealed.
            Err(StoreError::NotFound) => return Ok(0),
            Err(error) => return Err(error),
        };
        for team in self.catalog.teams_to_rewrap(&current).await? {
            match self.rewrap_team(team, &current).await {
                Ok(more) => wrapped += more,
                Err(error) => tracing::error!(%team, %error, "data keys could not be wrapped anew"),
            }
        }
        Ok(wrapped)
    }

    async fn rewrap_team(&self, team: TeamId, current: &str) -> Result<usize, StoreError> {
        let mut wrapped = 0;
        for old in self.catalog.data_keys(team).await? {
            if old.master_key_id == current {
                continue;
            }
            let key = unwrap(&self.masters, team, &old).await?;
            let new = self.wrapped(team, old.id, &key).await?;
            match self.catalog.data_key_rewrap(team, &new, &old.master_key_id).await {
                Ok(()) => wrapped += 1,
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        self.tell(team).await;
        Ok(wrapped)
    }

    async fn keep(
        &self,
        team: TeamId,
        name: &str,
        value: &SecretValue,
        must_exist: bool,
        act: &Act,
    ) -> Result<KeptSecret, StoreError> {
        let (key_id, key) = self.data_key(team).await?;
        let last4 = last4(value);
        for _ in 0..TRIES {
            let before = match self.catalog.sealed(team, name).await {
                Ok((secret, _)) => secret.version,
                Err(StoreError::NotFound) if !must_exist => 0,
                Err(error) => return Err(error),
            };
            let version = before + 1;
            let sealed = seal((key_id, &key), self.nonce()?, team, (name, version), value);
            let sealed = sealed.map_err(unavailable(SEAL))?;
            match self.catalog.secret_insert(team, self.ids.next(), &sealed, &last4, act).await {
                Ok(created_on) => {
                    self.tell(team).await;
                    return Ok(KeptSecret { version, last4, created_on });
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// The team's key, made now if it has none. Two who make one at once make two, each of which opens what it has sealed.
    async fn data_key(&self, team: TeamId) -> Result<(DataKeyId, KeyBytes), StoreError> {
        if let Some(key) = self.catalog.data_keys(team).await?.first() {
            return Ok((key.id, unwrap(&self.masters, team, key).await?));
        }
        let (id, key) = (DataKeyId::new(self.ids.next()), Zeroizing::new(self.entropy.draw()?));
        self.catalog.data_key_insert(team, &self.wrapped(team, id, &key).await?).await?;
        Ok((id, key))
    }

    async fn wrapped(&self, team: TeamId, id: DataKeyId, key: &KeyBytes) -> Result<DataKey, StoreError> {
        let masters = self.masters.get().await?;
        wrap(&masters, self.nonce()?, team, (id, key)).map_err(unavailable("wrap a data key"))
    }

    fn nonce(&self) -> Result<[u8; 12], StoreError> {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.entropy.draw()?[8..20]);
        Ok(nonce)
    }

    /// Tells at once what was just committed. Should that fail, `maintenance` tells it.
    async fn tell(&self, team: TeamId) {
        if let Err(error) = tell_outbox(&*self.outbox, &*self.teller, team).await {
            tracing::warn!(%error, "a change of secrets is told later");
        }
    }
}

/// The last four characters of a value that is long enough to keep the rest to itself.
fn last4(value: &SecretValue) -> String {
    let characters = value.expose().chars().count();
    if characters < SHOWN_FROM {
        return String::new();
    }
    value.expose().chars().skip(characters - 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_value_shows_nothing() {
        let shown = |text: &str| last4(&SecretValue::new(text.to_owned()));
        assert_eq!((shown("elevenchars"), shown("twelve chars")), (String::new(), "hars".to_owned()));
        assert_eq!(shown("grüngrüngrün"), "grün");
    }
}
