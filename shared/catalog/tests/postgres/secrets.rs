//! Sealed credentials and their keys.

use app::ports::{DataKey, Ids as _, SealedSecret, SealedSecrets as _, StoreError};
use domain::DataKeyId;

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
        catalog.secret_insert(*ours, ids.next(), &secret, "wxyz").await.unwrap();
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
        )
        .await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    let foreign = catalog.secret_insert(*theirs, ids.next(), &sealed("MINE", 3, key.id), "").await;
    assert_eq!(rule(foreign), "fk_secrets_key_id");

    assert!(is_not_found(&catalog.secret_delete(*theirs, "API_KEY").await));
    catalog.secret_delete(*ours, "API_KEY").await.unwrap();
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
