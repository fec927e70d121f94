//! Hashes of passwords at the cost that is required.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::fakes::SequentialEntropy;
use identity::{Argon2Params, PasswordCheck, Passwords};

use crate::world::{CHEAP, PASSWORD};

fn passwords(cost: Argon2Params) -> Passwords {
    Passwords::new(cost, Arc::new(SequentialEntropy::default()))
}

const RIGHT: PasswordCheck = PasswordCheck::Right { is_outdated: false };

#[tokio::test]
async fn a_hash_says_what_it_cost_and_is_never_the_same() {
    let passwords = passwords(Argon2Params::REQUIRED);
    let first = passwords.hash(PASSWORD.to_owned()).await.unwrap();
    let second = passwords.hash(PASSWORD.to_owned()).await.unwrap();
    assert!(first.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"), "{first}");
    assert_ne!(first, second, "each has its salt");
    assert_eq!(passwords.check(PASSWORD.to_owned(), Some(first.clone())).await.unwrap(), RIGHT);
    assert_eq!(passwords.check("wrong".to_owned(), Some(first)).await.unwrap(), PasswordCheck::Wrong);
}

#[tokio::test]
async fn without_a_hash_it_takes_as_long_and_is_wrong() {
    let passwords = passwords(Argon2Params::REQUIRED);
    let phc = passwords.hash(PASSWORD.to_owned()).await.unwrap();
    let time = async |phc: Option<String>| {
        let started = Instant::now();
        assert_eq!(passwords.check("wrong".to_owned(), phc).await.unwrap(), PasswordCheck::Wrong);
        started.elapsed()
    };
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        known = known.min(time(Some(phc.clone())).await);
        unknown = unknown.min(time(None).await);
    }
    // What machines that do other things meanwhile allow to be said: the one is not skipped.
    assert!(unknown * 2 > known, "{unknown:?} and {known:?}");
    assert!(known * 2 > unknown, "{unknown:?} and {known:?}");
}

#[tokio::test]
async fn a_hash_of_another_cost_is_outdated() {
    let cheap = passwords(CHEAP).hash(PASSWORD.to_owned()).await.unwrap();
    let dearer = passwords(Argon2Params { passes: 2, ..CHEAP });
    let check = dearer.check(PASSWORD.to_owned(), Some(cheap)).await.unwrap();
    assert_eq!(check, PasswordCheck::Right { is_outdated: true });
}

#[tokio::test]
async fn what_is_no_hash_is_our_trouble() {
    for broken in ["", "hunter2", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA"] {
        let answer = passwords(CHEAP).check(PASSWORD.to_owned(), Some(broken.to_owned())).await;
        assert!(answer.is_err(), "{broken}: {answer:?}");
    }
}

#[tokio::test]
async fn hashing_does_not_hold_up_the_runtime() {
    let passwords = passwords(Argon2Params::REQUIRED);
    let hashing = passwords.hash(PASSWORD.to_owned());
    tokio::pin!(hashing);
    // On one thread: each turn is one that a hash on it would have kept from happening.
    let mut turns = 0;
    let hash = loop {
        tokio::select! {
            biased;
            hash = &mut hashing => break hash,
            () = tokio::time::sleep(Duration::from_millis(1)) => turns += 1,
        }
    };
    hash.unwrap();
    assert!(turns > 3, "{turns}");
}
