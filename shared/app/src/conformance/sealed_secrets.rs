//! Rules of sealed credentials, wherever they are read, and of their copies.

use async_trait::async_trait;
use domain::{DataKeyId, TeamId};
use uuid::Uuid;

use crate::ports::{DataKey, SealedSecret, SealedSecrets, SecretCopies, StoreError};

/// Sealed credentials as they are read, and how they get there.
#[async_trait]
pub trait SealedWorld: Send + Sync {
    /// The credentials.
    fn sealed(&self) -> &dyn SealedSecrets;

    /// Two teams that may have some.
    fn teams(&self) -> [TeamId; 2];

    /// Puts a version; the key is put first, if it is not there as it is.
    async fn put(&self, team: TeamId, secret: &SealedSecret, key: &DataKey);

    /// Deletes a credential.
    async fn delete(&self, team: TeamId, name: &str);
}

fn key(number: u8, master: &str) -> DataKey {
    let id = DataKeyId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)));
    DataKey { id, wrapped: vec![number; 60], master_key_id: master.to_owned() }
}

fn secret(name: &str, version: u8, key: &DataKey) -> SealedSecret {
    let ciphertext = [vec![version; 16], (0..=255).collect()].concat();
    SealedSecret {
        name: name.to_owned(),
        version: version.into(),
        ciphertext,
        nonce: [version; 12],
        key_id: key.id,
    }
}

async fn found(world: &dyn SealedWorld, team: TeamId, name: &str) -> Option<(SealedSecret, DataKey)> {
    match world.sealed().sealed(team, name).await {
        Ok(found) => Some(found),
        Err(StoreError::NotFound) => None,
        Err(error) => panic!("{error}"),
    }
}

pub async fn a_secret_comes_with_its_key_in_its_highest_version(world: &impl SealedWorld) {
    let ([team, _], first, second) = (world.teams(), key(1, "m1"), key(2, "m1"));
    world.put(team, &secret("SHOP", 1, &first), &first).await;
    assert_eq!(found(world, team, "SHOP").await, Some((secret("SHOP", 1, &first), first.clone())));
    world.put(team, &secret("SHOP", 2, &second), &second).await;
    world.put(team, &secret("SHOP2", 3, &first), &first).await;
    assert_eq!(found(world, team, "SHOP").await, Some((secret("SHOP", 2, &second), second)));
    assert_eq!(found(world, team, "SHOP2").await.unwrap().1, first);
    assert_eq!(found(world, team, "SHO").await, None);
}

pub async fn a_secret_is_its_teams(world: &impl SealedWorld) {
    let ([ours, theirs], ours_key, theirs_key) = (world.teams(), key(1, "m1"), key(2, "m1"));
    world.put(ours, &secret("SHOP", 1, &ours_key), &ours_key).await;
    assert_eq!(found(world, theirs, "SHOP").await, None);
    world.put(theirs, &secret("SHOP", 4, &theirs_key), &theirs_key).await;
    assert_eq!(found(world, ours, "SHOP").await.unwrap().0.version, 1);
    assert_eq!(found(world, theirs, "SHOP").await.unwrap().0.version, 4);
}

pub async fn a_deleted_secret_may_begin_again(world: &impl SealedWorld) {
    let ([ours, theirs], ours_key, theirs_key) = (world.teams(), key(1, "m1"), key(2, "m1"));
    for version in [1, 2] {
        world.put(ours, &secret("SHOP", version, &ours_key), &ours_key).await;
    }
    world.put(theirs, &secret("SHOP", 5, &theirs_key), &theirs_key).await;
    world.delete(ours, "SHOP").await;
    assert_eq!(found(world, ours, "SHOP").await, None);
    assert!(found(world, theirs, "SHOP").await.is_some());
    let again = SealedSecret { nonce: [9; 12], ..secret("SHOP", 1, &ours_key) };
    world.put(ours, &again, &ours_key).await;
    assert_eq!(found(world, ours, "SHOP").await.unwrap().0, again);
}

/// Of copies: what comes late changes nothing.
pub async fn what_was_seen_earlier_does_not_take_the_place_of_what_was_seen_later<C>(copies: &C)
where
    C: SecretCopies + SealedSecrets,
{
    let (team, key) = (TeamId::new(Uuid::from_u128(1)), key(1, "m1"));
    let version = async || copies.sealed(team, "SHOP").await.ok().map(|(secret, _)| secret.version);
    copies.put(team, 3, &secret("SHOP", 2, &key), &key).await.unwrap();
    copies.put(team, 2, &secret("SHOP", 1, &key), &key).await.unwrap();
    copies.remove(team, 2, "SHOP").await.unwrap();
    assert_eq!(version().await, Some(2));
    copies.remove(team, 4, "SHOP").await.unwrap();
    assert_eq!(version().await, None);
    copies.put(team, 3, &secret("SHOP", 2, &key), &key).await.unwrap();
    assert_eq!(version().await, None, "a deleted one does not come back");
    copies.put(team, 5, &secret("SHOP", 1, &key), &key).await.unwrap();
    assert_eq!(version().await, Some(1));
}
