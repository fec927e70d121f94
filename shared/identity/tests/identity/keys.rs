//! The keys that sign, and their rotation.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemorySecrets, SequentialEntropy, SequentialIds},
    ports::{DeploymentSecrets as _, Name},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{MemberId, SessionId};
use identity::{Issuer, KeyRing, Realm, Refusal, Unverified, Verifier};
use serde_json::{Value, json};
use uuid::Uuid;

/// A process that signs and one that verifies, over the same secrets.
struct Processes {
    secrets: MemorySecrets,
    clock: Arc<ManualClock>,
    issuer: Issuer,
    verifier: Verifier,
}

impl Processes {
    fn new() -> Self {
        Self::over(MemorySecrets::default(), Arc::new(ManualClock::default()))
    }

    fn over(secrets: MemorySecrets, clock: Arc<ManualClock>) -> Self {
        let shared = Arc::new(secrets.clone());
        let entropy = Arc::new(SequentialEntropy::default());
        let signing = Arc::new(KeyRing::creating(shared.clone(), clock.clone(), entropy));
        let realm = Realm::of_stage("test");
        let ids = Arc::new(SequentialIds::default());
        Self {
            secrets,
            issuer: Issuer::new(signing, realm.clone(), clock.clone(), ids),
            verifier: Verifier::reading(shared, realm, clock.clone()),
            clock,
        }
    }

    /// Another process, that has heard of nothing yet.
    fn fresh(&self) -> Self {
        Self::over(self.secrets.clone(), self.clock.clone())
    }

    async fn token(&self) -> String {
        let (member, session) = (MemberId::new(Uuid::nil()), SessionId::new(Uuid::nil()));
        self.issuer.issue(member, "ada@example.com", session).await.unwrap()
    }

    async fn takes(&self, token: &str) -> bool {
        match self.verifier.verify(token).await {
            Ok(_) => true,
            Err(Unverified::Refused(Refusal::UnknownKey)) => false,
            other => panic!("{other:?}"),
        }
    }

    /// As docs/sign-in.md says.
    async fn rotate(&self, new: u8) {
        let name = Name::parse("token-keys").unwrap();
        let keys: Value = serde_json::from_str(&self.secrets.read(&name).await.unwrap()).unwrap();
        let new = BASE64_URL_SAFE_NO_PAD.encode([new; 32]);
        let keys = json!({"current": keys["next"], "next": new, "previous": keys["current"]});
        self.secrets.replace(&name, &keys.to_string());
    }
}

#[tokio::test]
async fn the_first_who_signs_makes_the_keys_and_all_others_read_them() {
    let first = Processes::new();
    assert!(!first.takes(&Processes::new().token().await).await, "nothing was signed yet");
    let token = first.token().await;
    first.clock.advance(TimeDelta::seconds(30));
    assert!(first.takes(&token).await);
    let second = first.fresh();
    assert!(first.takes(&second.token().await).await && second.takes(&token).await);
}

#[tokio::test]
async fn through_a_rotation_all_processes_understand_each_other() {
    let old = Processes::new();
    let before = old.token().await;
    assert!(old.takes(&before).await);
    old.rotate(1).await;
    let new = old.fresh();
    let after = new.token().await;
    assert!(old.takes(&after).await, "it knew the next key");
    assert!(new.takes(&before).await && new.takes(&old.token().await).await, "it knows the one before");
    // What was signed by the key before last is over by then.
    new.rotate(2).await;
    let newest = new.fresh();
    assert!(!newest.takes(&before).await);
    assert!(newest.takes(&after).await);
}

#[tokio::test]
async fn a_rotation_is_heard_of_within_minutes() {
    let process = Processes::new();
    let kid = async || {
        let token = process.token().await;
        let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
    };
    let first = kid().await;
    process.rotate(1).await;
    assert_eq!(kid().await, first);
    process.clock.advance(TimeDelta::minutes(5));
    assert_ne!(kid().await, first);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_but_not_by_every_token() {
    let process = Processes::new();
    assert!(process.takes(&process.token().await).await);
    process.rotate(1).await;
    process.rotate(2).await;
    process.rotate(3).await;
    let token = process.fresh().token().await;
    assert!(!process.takes(&token).await, "read just now");
    process.clock.advance(TimeDelta::seconds(30));
    assert!(process.takes(&token).await);
}

#[tokio::test]
async fn keys_that_cannot_be_read_again_stay_as_they_are() {
    let process = Processes::new();
    let token = process.token().await;
    assert!(process.takes(&token).await);
    process.secrets.replace(&Name::parse("token-keys").unwrap(), "hunter2");
    process.clock.advance(TimeDelta::minutes(6));
    assert!(process.takes(&token).await);
    let fresh = process.fresh();
    let answer = fresh.verifier.verify(&token).await;
    assert!(matches!(&answer, Err(Unverified::Store(_))), "{answer:?}");
    assert!(!format!("{answer:?}").contains("hunter2"));
}
