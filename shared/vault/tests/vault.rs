//! Credentials from the moment they are put to the moment they are opened, over fakes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::sync::Arc;

use app::{
    fakes::{
        ManualClock, MemorySecretCatalog, MemorySecretCopies, MemorySecrets, SequentialEntropy, SequentialIds,
    },
    ports::{
        Act, DeploymentSecrets as _, Name, Outbox as _, SealedSecrets as _, SecretCatalog as _, SecretValue,
        StoreError, TeamSecrets as _,
    },
    tell_due,
};
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};
use futures::future::join_all;
use uuid::Uuid;
use vault::{KEPT, Keeper, MasterRing, SecretTeller, Vault};

const OURS: TeamId = TeamId::new(Uuid::from_u128(1));
const THEIRS: TeamId = TeamId::new(Uuid::from_u128(2));

#[derive(Default)]
struct World {
    catalog: Arc<MemorySecretCatalog>,
    copies: Arc<MemorySecretCopies>,
    deployment: Arc<MemorySecrets>,
    clock: Arc<ManualClock>,
    ids: Arc<SequentialIds>,
    entropy: Arc<SequentialEntropy>,
}

impl World {
    /// A process that takes credentials in.
    fn keeper(&self) -> Keeper {
        let masters = MasterRing::creating(self.deployment.clone(), self.clock.clone(), self.entropy.clone());
        Keeper::new(
            self.catalog.clone(),
            self.catalog.clone(),
            self.teller(),
            masters,
            self.ids.clone(),
            self.entropy.clone(),
        )
    }

    fn teller(&self) -> Arc<SecretTeller> {
        Arc::new(SecretTeller::new(self.catalog.clone(), self.copies.clone()))
    }

    /// A process that makes calls.
    fn vault(&self) -> Vault {
        let masters = MasterRing::reading(self.deployment.clone(), self.clock.clone());
        Vault::new(self.copies.clone(), masters, self.clock.clone())
    }

    async fn masters(&self) -> serde_json::Value {
        serde_json::from_str(&self.deployment.read(&name()).await.unwrap()).unwrap()
    }

    /// What the one who deploys does to rotate the master key; answers the id that data keys are wrapped by before it.
    async fn rotate_master(&self, next: u8) -> String {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let id = self.catalog.data_keys(OURS).await.unwrap()[0].master_key_id.clone();
        let previous = self.masters().await["current"].clone();
        let current = BASE64_URL_SAFE_NO_PAD.encode([next; 32]);
        let keys = serde_json::json!({"current": current, "previous": previous});
        self.deployment.replace(&name(), &keys.to_string());
        id
    }
}

fn act() -> Act {
    Act::of_system(Uuid::nil(), Timestamp::UNIX_EPOCH)
}

fn name() -> Name {
    Name::parse("master-keys").unwrap()
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned())
}

async fn opened(vault: &Vault, team: TeamId, name: &str) -> Option<String> {
    match vault.open(team, name).await {
        Ok(value) => Some(value.expose().to_owned()),
        Err(StoreError::NotFound) => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn what_is_put_is_opened_by_its_team_alone() {
    let world = World::default();
    let (keeper, vault) = (world.keeper(), world.vault());
    let kept = keeper.put(OURS, "SHOP", &value("sk-live-of-the-shop"), &act()).await.unwrap();
    assert_eq!((kept.version, kept.last4.as_str()), (1, "shop"));
    keeper.put(THEIRS, "SHOP", &value("theirs"), &act()).await.unwrap();
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("sk-live-of-the-shop"));
    assert_eq!(opened(&vault, THEIRS, "SHOP").await.as_deref(), Some("theirs"));
    assert_eq!(opened(&vault, OURS, "OTHER").await, None);
    assert!(!world.catalog.dump().contains("sk-live"));
}

#[tokio::test]
async fn a_new_version_is_seen_when_the_old_one_is_no_longer_kept() {
    let world = World::default();
    let (keeper, vault) = (world.keeper(), world.vault());
    keeper.put(OURS, "SHOP", &value("first"), &act()).await.unwrap();
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("first"));
    assert_eq!(keeper.rotate(OURS, "SHOP", &value("second"), &act()).await.unwrap().version, 2);
    world.clock.advance(KEPT - TimeDelta::milliseconds(1));
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("first"));
    world.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("second"));
    assert!(matches!(keeper.rotate(OURS, "NONE", &value("x"), &act()).await, Err(StoreError::NotFound)));

    keeper.delete(OURS, "SHOP", &act()).await.unwrap();
    assert!(matches!(keeper.delete(OURS, "SHOP", &act()).await, Err(StoreError::NotFound)));
    world.clock.advance(KEPT);
    assert_eq!(opened(&vault, OURS, "SHOP").await, None);
    assert_eq!(keeper.put(OURS, "SHOP", &value("third"), &act()).await.unwrap().version, 1);
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("third"));
}

#[tokio::test]
async fn puts_at_once_are_versions_one_after_the_other() {
    let world = World::default();
    let keepers = [world.keeper(), world.keeper()];
    let values: Vec<_> = (0..8).map(|number| value(&format!("value {number}"))).collect();
    let act = act();
    let puts = values
        .iter()
        .zip(keepers.iter().cycle())
        .map(|(value, keeper)| keeper.put(OURS, "SHOP", value, &act));
    let mut versions: Vec<_> = join_all(puts).await.into_iter().map(|kept| kept.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    assert!(opened(&world.vault(), OURS, "SHOP").await.is_some());
}

#[tokio::test]
async fn what_could_not_be_told_at_once_is_told_later() {
    let world = World::default();
    let (keeper, vault) = (world.keeper(), world.vault());
    world.copies.refuse(true);
    keeper.put(OURS, "SHOP", &value("first"), &act()).await.unwrap();
    keeper.put(THEIRS, "SHOP", &value("theirs"), &act()).await.unwrap();
    assert_eq!(opened(&vault, OURS, "SHOP").await, None);
    assert_eq!(tell_due(&*world.catalog, &[world.teller()]).await.unwrap(), 0);

    world.copies.refuse(false);
    assert_eq!(tell_due(&*world.catalog, &[world.teller()]).await.unwrap(), 2);
    assert_eq!(opened(&vault, OURS, "SHOP").await.as_deref(), Some("first"));
    assert_eq!(world.catalog.outbox_due(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_rotation_of_the_master_key_is_heard_of_and_no_reader_misses_anything() {
    let world = World::default();
    // A process that knows the old keys, and goes on while the others hear of the new ones.
    let (keeper, before) = (world.keeper(), world.vault());
    for name in ["A", "B"] {
        keeper.put(OURS, name, &value(&format!("value of {name}")), &act()).await.unwrap();
        assert!(opened(&before, OURS, name).await.is_some());
    }
    keeper.put(THEIRS, "A", &value("theirs"), &act()).await.unwrap();
    let old = world.rotate_master(9).await;

    // Five minutes later maintenance has read the keys again.
    assert_eq!(keeper.rewrap().await.unwrap(), 0, "not heard of yet");
    world.clock.advance(TimeDelta::minutes(5));
    assert_eq!(keeper.rewrap().await.unwrap(), 2);
    assert_eq!(keeper.rewrap().await.unwrap(), 0, "each once");
    for team in [OURS, THEIRS] {
        assert!(world.catalog.data_keys(team).await.unwrap().iter().all(|key| key.master_key_id != old));
    }
    let (_, copied) = world.copies.sealed(OURS, "B").await.unwrap();
    assert_ne!(copied.master_key_id, old, "those who read have it in its new wrapping");
    for vault in [&before, &world.vault()] {
        for name in ["A", "B"] {
            assert_eq!(opened(vault, OURS, name).await, Some(format!("value of {name}")));
        }
        assert_eq!(opened(vault, THEIRS, "A").await.as_deref(), Some("theirs"));
    }
    // With every key wrapped by the new one, the old one may go, and what is put goes on.
    let only = serde_json::json!({"current": world.masters().await["current"]});
    world.deployment.replace(&name(), &only.to_string());
    let late = world.vault();
    assert_eq!(opened(&late, OURS, "A").await.as_deref(), Some("value of A"));
    assert_eq!(keeper.put(OURS, "A", &value("next"), &act()).await.unwrap().version, 2);
}

#[tokio::test]
async fn readers_go_on_while_keys_are_wrapped_anew() {
    let world = World::default();
    let keeper = world.keeper();
    for number in 0..20 {
        let team = TeamId::new(Uuid::from_u128(100 + number));
        keeper.put(team, "SHOP", &value(&format!("value {number}")), &act()).await.unwrap();
    }
    keeper.put(OURS, "SHOP", &value("ours"), &act()).await.unwrap();
    world.rotate_master(9).await;
    world.clock.advance(TimeDelta::minutes(5));

    let reading = async {
        for round in 0..50_u128 {
            // Each with a cache of its own, so that each reads what is stored at this moment.
            let vault = world.vault();
            let number = round % 20;
            let team = TeamId::new(Uuid::from_u128(100 + number));
            assert_eq!(opened(&vault, team, "SHOP").await, Some(format!("value {number}")));
            tokio::task::yield_now().await;
        }
    };
    let (wrapped, ()) = futures::future::join(keeper.rewrap(), reading).await;
    assert_eq!(wrapped.unwrap(), 21);
}

#[tokio::test]
async fn a_deployment_without_secrets_has_no_keys_to_look_after() {
    let world = World::default();
    let masters = MasterRing::reading(world.deployment.clone(), world.clock.clone());
    let keeper = Keeper::new(
        world.catalog.clone(),
        world.catalog.clone(),
        world.teller(),
        masters,
        world.ids.clone(),
        world.entropy.clone(),
    );
    assert_eq!(keeper.rewrap().await.unwrap(), 0);
    assert!(matches!(world.deployment.read(&name()).await, Err(StoreError::NotFound)), "and makes none");
}

#[tokio::test]
async fn a_process_without_the_key_says_that_it_is_our_trouble() {
    let world = World::default();
    world.keeper().put(OURS, "SHOP", &value("first"), &act()).await.unwrap();
    let foreign = serde_json::json!({"current": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"});
    world.deployment.replace(&name(), &foreign.to_string());
    let refused = world.vault().open(OURS, "SHOP").await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
}
