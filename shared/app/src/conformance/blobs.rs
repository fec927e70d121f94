//! Rules of blobs.

use engine::Digest;

use crate::{
    fakes::team,
    ports::{Blobs, StoreError},
};

pub async fn bytes_are_read_back(blobs: &dyn Blobs) {
    let (team, large) = (team(), vec![7; 5_000_000]);
    for bytes in [Vec::new(), b"\0\xff".to_vec(), large] {
        let digest = Digest::of(&bytes.len());
        blobs.put(team, &digest, bytes.clone()).await.unwrap();
        assert!(blobs.get(team, &digest).await.unwrap() == bytes, "{} bytes", bytes.len());
    }
}

pub async fn storing_again_changes_nothing(blobs: &dyn Blobs) {
    let (team, digest) = (team(), Digest::of("x"));
    for _ in 0..2 {
        blobs.put(team, &digest, b"x".to_vec()).await.unwrap();
    }
    assert_eq!(blobs.get(team, &digest).await.unwrap(), b"x");
}

pub async fn an_unknown_blob_is_not_found(blobs: &dyn Blobs) {
    let answer = blobs.get(team(), &Digest::of("nothing")).await;
    assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
}

pub async fn a_blob_of_another_team_is_not_found(blobs: &dyn Blobs) {
    let digest = Digest::of("x");
    blobs.put(team(), &digest, b"x".to_vec()).await.unwrap();
    let answer = blobs.get(team(), &digest).await;
    assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
}
