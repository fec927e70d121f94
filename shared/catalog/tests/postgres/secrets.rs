//! Sealed credentials and their keys.

use app::{
    conformance::sealed_secrets::SealedWorld,
    ports::{
        DataKey, Ids as _, Outbox as _, SECRET_CHANGED, SealedSecret, SealedSecrets, SecretCatalog as _,
        StoreError,
    },
};
use async_trait::async_trait;
use domain::{DataKeyId, TeamId};
use serde_json::json;

use crate::support::{World, is_not_found, rule};

fn data_key(id: DataKeyId, master: &str) -> DataKey {
    DataKey { id, wrapped: vec![7; 60], master_key_id: master.to_owned() }
}

fn sealed(name: &str, version: u32, key: DataKeyId) -> SealedSecret {
    let nonce = [u8::try_from(version).unwrap(); 12];
    SealedSecret { name: name.to_owned(), version, ciphertext: vec![9; 40], nonce, key_id: key }
}

#[tokio::test]
async fn the_highest_version_is_in_use_and_comes_with_its_key() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let key = data_key(ids.next().into(), "m1");
    catalog.data_key_insert(*ours, &key).await.unwrap();
    for version in [1, 2] {
        let secret = sealed("API_KEY", version, key.id);
        catalog.secret_insert(*ours, ids.next(), &secret, "wxyz", &world.act()).await.unwrap();
    }

    assert_eq!(catalog.sealed(*ours, "API_KEY").await.unwrap(), (sealed("API_KEY", 2, key.id), key.clone()));
    assert!(is_not_found(&catalog.sealed(*theirs, "API_KEY").await));
    assert!(is_not_found(&catalog.sealed(*ours, "OTHER").await));
    let listed = catalog.secret_list(*ours).await.unwrap();
    let seen: Vec<_> =
        listed.iter().map(|secret| (secret.name.as_str(), secret.version, secret.last4.as_str())).collect();
    assert_eq!(seen, [("API_KEY", 2, "wxyz"), ("API_KEY", 1, "wxyz")]);

    let taken = catalog
        .secret_insert(
            *ours,
            ids.next(),
            &SealedSecret { nonce: [8; 12], ..sealed("API_KEY", 2, key.id) },
            "",
            &world.act(),
        )
        .await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    let foreign =
        catalog.secret_insert(*theirs, ids.next(), &sealed("MINE", 3, key.id), "", &world.act()).await;
    assert_eq!(rule(foreign), "fk_secrets_key_id");

    assert!(is_not_found(&catalog.secret_delete(*theirs, "API_KEY", &world.act()).await));
    catalog.secret_delete(*ours, "API_KEY", &world.act()).await.unwrap();
    assert_eq!(catalog.secret_list(*ours).await.unwrap(), []);
}

#[tokio::test]
async fn a_new_master_key_wraps_data_keys_anew_and_touches_no_secret() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let (old, newer) = (data_key(ids.next().into(), "m1"), data_key(ids.next().into(), "m1"));
    catalog.data_key_insert(*ours, &old).await.unwrap();
    catalog.data_key_insert(*ours, &newer).await.unwrap();
    catalog.data_key_insert(*theirs, &data_key(ids.next().into(), "m2")).await.unwrap();
    assert_eq!(catalog.data_keys(*ours).await.unwrap(), [newer.clone(), old.clone()]);
    assert_eq!(catalog.teams_to_rewrap("m2").await.unwrap(), [*ours]);

    for key in [&old, &newer] {
        let wrapped = DataKey { wrapped: vec![8; 60], ..data_key(key.id, "m2") };
        assert!(is_not_found(&catalog.data_key_rewrap(*theirs, &wrapped, "m1").await));
        catalog.data_key_rewrap(*ours, &wrapped, "m1").await.unwrap();
        assert!(is_not_found(&catalog.data_key_rewrap(*ours, &wrapped, "m1").await));
    }
    assert_eq!(catalog.teams_to_rewrap("m2").await.unwrap(), []);
    assert_eq!(catalog.data_keys(*ours).await.unwrap()[0].wrapped, [8; 60]);
}

#[test]
fn what_is_sealed_is_not_printed() {
    let id = DataKeyId::new(uuid::Uuid::nil());
    let printed = format!("{:?} {:?}", sealed("API_KEY", 1, id), data_key(id, "m1"));
    assert!(!printed.contains("7, 7") && !printed.contains("9, 9"), "{printed}");
}

#[async_trait]
impl SealedWorld for World {
    fn sealed(&self) -> &dyn SealedSecrets {
        &self.catalog
    }

    fn teams(&self) -> [TeamId; 2] {
        [self.ours, self.theirs]
    }

    async fn put(&self, team: TeamId, secret: &SealedSecret, key: &DataKey) {
        if !self.catalog.data_keys(team).await.unwrap().contains(key) {
            self.catalog.data_key_insert(team, key).await.unwrap();
        }
        self.catalog.secret_insert(team, self.ids.next(), secret, "", &self.act()).await.unwrap();
    }

    async fn delete(&self, team: TeamId, name: &str) {
        self.catalog.secret_delete(team, name, &self.act()).await.unwrap();
    }
}

app::sealed_secrets_suite!(World::new());

#[tokio::test]
async fn each_change_is_to_be_told_until_it_was() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let key = data_key(ids.next().into(), "m1");
    catalog.data_key_insert(*ours, &key).await.unwrap();
    assert_eq!(
        catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap().entries,
        [],
        "a key alone is no news"
    );
    catalog.secret_insert(*ours, ids.next(), &sealed("A", 1, key.id), "", &world.act()).await.unwrap();
    catalog.secret_insert(*ours, ids.next(), &sealed("B", 2, key.id), "", &world.act()).await.unwrap();
    let refused = catalog.secret_insert(*ours, ids.next(), &sealed("B", 2, key.id), "", &world.act()).await;
    assert!(refused.is_err());

    assert_eq!(catalog.outbox_take(*theirs, SECRET_CHANGED).await.unwrap().entries, []);
    assert_eq!(catalog.outbox_take(*ours, "another_kind").await.unwrap().entries, []);
    let first = catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
    let mut names: Vec<_> = first.entries.iter().map(|entry| entry.payload.clone()).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, [json!({"name": "A"}), json!({"name": "B"})]);
    let second = catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
    assert!(second.order > first.order && second.entries.len() == 2, "others may take them too");

    let ids_of = |taken: &app::ports::Taken| taken.entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    catalog.outbox_told(*theirs, &ids_of(&first)).await.unwrap();
    catalog.outbox_told(*ours, &ids_of(&first)[..1]).await.unwrap();
    let left = catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
    assert_eq!(ids_of(&left), ids_of(&first)[1..]);
    catalog.outbox_failed(*ours, &ids_of(&left), &"why ".repeat(1000)).await.unwrap();
    catalog.outbox_told(*ours, &ids_of(&left)).await.unwrap();

    let wrapped = DataKey { wrapped: vec![8; 60], ..data_key(key.id, "m2") };
    catalog.data_key_rewrap(*ours, &wrapped, "m1").await.unwrap();
    let rewrapped = catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
    assert_eq!(rewrapped.entries.len(), 2, "whoever reads a secret reads its key with it");
    catalog.outbox_told(*ours, &ids_of(&rewrapped)).await.unwrap();
    catalog.secret_delete(*ours, "A", &world.act()).await.unwrap();
    let deleted = catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
    assert_eq!(deleted.entries[0].payload, json!({"name": "A"}));
}

#[tokio::test]
async fn what_was_not_told_is_due_after_a_while_and_later_each_time() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    for team in [ours, theirs] {
        let key = data_key(ids.next().into(), "m1");
        catalog.data_key_insert(*team, &key).await.unwrap();
        catalog.secret_insert(*team, ids.next(), &sealed("A", 1, key.id), "", &world.act()).await.unwrap();
    }
    assert_eq!(catalog.outbox_due(10).await.unwrap(), [], "whoever committed tells it at once");
    let pass = async |by: &str| {
        let passed = format!("update outbox set next_attempt_at = next_attempt_at - interval '{by}'");
        world.sql(&passed).await.unwrap();
    };
    pass("15 seconds").await;
    assert_eq!(catalog.outbox_due(10).await.unwrap().len(), 2);
    assert_eq!(catalog.outbox_due(1).await.unwrap().len(), 1);
    for due_after in ["15 seconds", "30 seconds", "60 seconds"] {
        catalog.outbox_take(*ours, SECRET_CHANGED).await.unwrap();
        pass("14 seconds").await;
        let due = catalog.outbox_due(10).await.unwrap();
        assert_eq!(due, [(*theirs, SECRET_CHANGED.to_owned())], "{due_after}");
        pass(due_after).await;
        assert_eq!(catalog.outbox_due(10).await.unwrap().len(), 2, "{due_after}");
    }
}
