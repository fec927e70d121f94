//! Sealed credentials in memory: where they are kept, and where they are copied to.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use domain::{DataKeyId, TeamId, Timestamp, WorkflowId};
use serde_json::json;
use uuid::Uuid;

use super::lock;
use crate::ports::{
    Act, DataKey, Outbox, OutboxEntry, SECRET_CHANGED, SealedSecret, SealedSecrets, SecretCatalog,
    SecretCopies, SecretValue, SecretVersion, StoreError, Taken, TeamSecrets,
};

/// Credentials, their keys and the outbox, for as long as it lives. A clone is another user of the same ones.
#[derive(Clone, Default)]
pub struct MemorySecretCatalog(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// By team, name and version.
    secrets: BTreeMap<(TeamId, String, u32), (SealedSecret, String)>,
    keys: Vec<(TeamId, DataKey)>,
    outbox: Vec<(TeamId, OutboxEntry)>,
    takes: i64,
    users: Vec<(TeamId, String, WorkflowId, String)>,
}

impl Kept {
    fn changed(&mut self, team: TeamId, name: &str) {
        let id = Uuid::from_u128(self.outbox.len() as u128 + 1);
        self.outbox.push((team, OutboxEntry { id, payload: json!({ "name": name }) }));
    }

    fn key(&self, team: TeamId, id: DataKeyId) -> Result<DataKey, StoreError> {
        let found = self.keys.iter().find(|(owner, key)| *owner == team && key.id == id);
        found.map(|(_, key)| key.clone()).ok_or(StoreError::NotFound)
    }
}

impl MemorySecretCatalog {
    /// Has a published workflow of the team use a credential.
    pub fn used_by(&self, team: TeamId, name: &str, workflow: WorkflowId, called: &str) {
        lock(&self.0).users.push((team, name.to_owned(), workflow, called.to_owned()));
    }

    /// Everything that is kept, as text.
    pub fn dump(&self) -> String {
        let kept = lock(&self.0);
        let sealed = kept.secrets.values().map(|(secret, last4)| (secret, &secret.ciphertext, last4));
        format!("{:?} {:?} {:?}", sealed.collect::<Vec<_>>(), kept.keys, kept.outbox)
    }
}

#[async_trait]
impl SealedSecrets for MemorySecretCatalog {
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError> {
        let kept = lock(&self.0);
        let versions = (team, name.to_owned(), 0)..=(team, name.to_owned(), u32::MAX);
        let (_, (secret, _)) = kept.secrets.range(versions).next_back().ok_or(StoreError::NotFound)?;
        Ok((secret.clone(), kept.key(team, secret.key_id)?))
    }
}

#[async_trait]
impl SecretCatalog for MemorySecretCatalog {
    async fn secret_insert(
        &self,
        team: TeamId,
        _: Uuid,
        secret: &SealedSecret,
        last4: &str,
        _: &Act,
    ) -> Result<Timestamp, StoreError> {
        let mut kept = lock(&self.0);
        kept.key(team, secret.key_id)?;
        let place = (team, secret.name.clone(), secret.version);
        if kept.secrets.contains_key(&place) {
            return Err(StoreError::Conflict);
        }
        kept.secrets.insert(place, (secret.clone(), last4.to_owned()));
        kept.changed(team, &secret.name);
        Ok(Timestamp::UNIX_EPOCH)
    }

    async fn secret_list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError> {
        let kept = lock(&self.0);
        let mut versions: Vec<_> = kept
            .secrets
            .iter()
            .filter(|((owner, ..), _)| *owner == team)
            .map(|((_, name, version), (_, last4))| SecretVersion {
                name: name.clone(),
                version: *version,
                last4: last4.clone(),
                created_on: Timestamp::UNIX_EPOCH,
            })
            .collect();
        versions.sort_by(|a, b| a.name.cmp(&b.name).then(b.version.cmp(&a.version)));
        Ok(versions)
    }

    async fn secret_delete(&self, team: TeamId, name: &str, _: &Act) -> Result<(), StoreError> {
        let mut kept = lock(&self.0);
        let before = kept.secrets.len();
        kept.secrets.retain(|(owner, called, _), _| *owner != team || called != name);
        if kept.secrets.len() == before {
            return Err(StoreError::NotFound);
        }
        kept.changed(team, name);
        Ok(())
    }

    async fn secret_users(&self, team: TeamId, name: &str) -> Result<Vec<(WorkflowId, String)>, StoreError> {
        let kept = lock(&self.0);
        let users = kept.users.iter().filter(|(owner, used, ..)| *owner == team && used == name);
        Ok(users.map(|(_, _, workflow, called)| (*workflow, called.clone())).collect())
    }

    async fn data_key_insert(&self, team: TeamId, key: &DataKey) -> Result<(), StoreError> {
        lock(&self.0).keys.push((team, key.clone()));
        Ok(())
    }

    async fn data_keys(&self, team: TeamId) -> Result<Vec<DataKey>, StoreError> {
        let kept = lock(&self.0);
        let keys = kept.keys.iter().rev().filter(|(owner, _)| *owner == team);
        Ok(keys.map(|(_, key)| key.clone()).collect())
    }

    async fn data_key_rewrap(&self, team: TeamId, key: &DataKey, from: &str) -> Result<(), StoreError> {
        let mut kept = lock(&self.0);
        let found = kept.keys.iter_mut().find(|(owner, old)| *owner == team && old.id == key.id);
        match found {
            Some((_, old)) if old.master_key_id == from => *old = key.clone(),
            _ => return Err(StoreError::NotFound),
        }
        let opened = |((owner, name, _), (secret, _)): (&(TeamId, String, u32), &(SealedSecret, String))| {
            (*owner == team && secret.key_id == key.id).then(|| name.clone())
        };
        for name in kept.secrets.iter().filter_map(opened).collect::<Vec<_>>() {
            kept.changed(team, &name);
        }
        Ok(())
    }

    async fn teams_to_rewrap(&self, master_key_id: &str) -> Result<Vec<TeamId>, StoreError> {
        let kept = lock(&self.0);
        let others = kept.keys.iter().filter(|(_, key)| key.master_key_id != master_key_id);
        let mut teams: Vec<_> = others.map(|(team, _)| *team).collect();
        teams.sort();
        teams.dedup();
        Ok(teams)
    }
}

#[async_trait]
impl Outbox for MemorySecretCatalog {
    async fn outbox_due(&self, limit: u32) -> Result<Vec<(TeamId, String)>, StoreError> {
        let kept = lock(&self.0);
        let mut teams: Vec<_> = kept.outbox.iter().map(|(team, _)| *team).collect();
        teams.sort();
        teams.dedup();
        Ok(teams.into_iter().take(limit as usize).map(|team| (team, SECRET_CHANGED.to_owned())).collect())
    }

    async fn outbox_take(&self, team: TeamId, _: &str) -> Result<Taken, StoreError> {
        let mut kept = lock(&self.0);
        kept.takes += 1;
        let entries = kept.outbox.iter().filter(|(owner, _)| *owner == team);
        Ok(Taken { order: kept.takes, entries: entries.map(|(_, entry)| entry.clone()).collect() })
    }

    async fn outbox_told(&self, team: TeamId, ids: &[Uuid]) -> Result<(), StoreError> {
        lock(&self.0).outbox.retain(|(owner, entry)| *owner != team || !ids.contains(&entry.id));
        Ok(())
    }

    async fn outbox_failed(&self, _: TeamId, _: &[Uuid], _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Copies of sealed credentials for as long as it lives; can be told to refuse.
#[derive(Default)]
pub struct MemorySecretCopies {
    copies: Mutex<HashMap<(TeamId, String), Copy>>,
    refuses: AtomicBool,
}

type Copy = (i64, Option<(SealedSecret, DataKey)>);

impl MemorySecretCopies {
    /// Whether it takes nothing from now on.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    fn keep(&self, team: TeamId, name: &str, copy: Copy) -> Result<(), StoreError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { doing: "copy a secret", cause: "refused".into() });
        }
        let mut copies = lock(&self.copies);
        let place = (team, name.to_owned());
        if copies.get(&place).is_none_or(|(order, _)| *order < copy.0) {
            copies.insert(place, copy);
        }
        Ok(())
    }
}

#[async_trait]
impl SecretCopies for MemorySecretCopies {
    async fn put(
        &self,
        team: TeamId,
        order: i64,
        secret: &SealedSecret,
        key: &DataKey,
    ) -> Result<(), StoreError> {
        self.keep(team, &secret.name, (order, Some((secret.clone(), key.clone()))))
    }

    async fn remove(&self, team: TeamId, order: i64, name: &str) -> Result<(), StoreError> {
        self.keep(team, name, (order, None))
    }
}

#[async_trait]
impl SealedSecrets for MemorySecretCopies {
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError> {
        let copies = lock(&self.copies);
        let copy = copies.get(&(team, name.to_owned())).and_then(|(_, copy)| copy.clone());
        copy.ok_or(StoreError::NotFound)
    }
}

/// Credentials in the clear.
#[derive(Default)]
pub struct MemoryTeamSecrets(Mutex<HashMap<(TeamId, String), Arc<SecretValue>>>);

impl MemoryTeamSecrets {
    /// Gives a team a credential.
    #[must_use]
    pub fn with(self, team: TeamId, name: &str, value: &str) -> Self {
        let value = Arc::new(SecretValue::new(value.to_owned()));
        lock(&self.0).insert((team, name.to_owned()), value);
        self
    }
}

#[async_trait]
impl TeamSecrets for MemoryTeamSecrets {
    async fn open(&self, team: TeamId, name: &str) -> Result<Arc<SecretValue>, StoreError> {
        lock(&self.0).get(&(team, name.to_owned())).cloned().ok_or(StoreError::NotFound)
    }
}
