//! Rules of accounts.

use domain::{MemberId, Timestamp, UserId};
use futures::future::join_all;
use uuid::Uuid;

use crate::ports::{Account, Accounts, NewAccount, ProfilePatch, StoreError};

fn new(number: u128, email: &str) -> NewAccount {
    NewAccount {
        member_id: MemberId::new(Uuid::from_u128(number)),
        user_id: UserId::new(Uuid::from_u128(number + 1)),
        email: email.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: String::new(),
    }
}

fn morning() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).unwrap()
}

fn is_not_found(answer: &Result<Account, StoreError>) -> bool {
    matches!(answer, Err(StoreError::NotFound))
}

pub async fn an_account_is_found_by_each_of_its_names(accounts: &impl Accounts) {
    let opened = accounts.open(&new(10, "Ada@Example.com")).await.unwrap();
    assert_eq!((opened.member_id, opened.user_id), (new(10, "").member_id, new(10, "").user_id));
    assert_eq!((opened.email.as_str(), opened.first_name.as_str()), ("ada@example.com", "Ada"));
    assert!(opened.is_active && opened.password_hash.is_none() && opened.email_verified_at.is_none());
    for email in ["ada@example.com", "ADA@EXAMPLE.COM"] {
        assert_eq!(accounts.by_email(email).await.unwrap(), opened);
    }
    assert_eq!(accounts.by_member(opened.member_id).await.unwrap(), opened);
    assert_eq!(accounts.by_user(opened.user_id).await.unwrap(), opened);
}

pub async fn who_is_not_known_is_not_found(accounts: &impl Accounts) {
    let NewAccount { member_id, user_id, .. } = new(10, "");
    assert!(is_not_found(&accounts.by_email("ada@example.com").await));
    assert!(is_not_found(&accounts.by_member(member_id).await));
    assert!(is_not_found(&accounts.by_user(user_id).await));
    assert!(is_not_found(&accounts.update(member_id, &ProfilePatch::default()).await));
    let set = accounts.set_password(user_id, "$argon2id$x").await;
    assert!(matches!(set, Err(StoreError::NotFound)), "{set:?}");
    assert!(is_not_found(&accounts.signed_in(member_id, morning(), true).await));
}

pub async fn an_address_has_one_account_whoever_comes_first(accounts: &impl Accounts) {
    let candidates: Vec<NewAccount> = (1..=8).map(|n| new(n * 10, "ada@example.com")).collect();
    let opened = join_all(candidates.iter().map(|new| accounts.open(new))).await;
    let opened: Vec<Account> = opened.into_iter().map(Result::unwrap).collect();
    assert!(opened.iter().all(|account| *account == opened[0]), "{opened:?}");
    let again = accounts.open(&new(500, "ADA@example.com")).await.unwrap();
    assert_eq!(again, opened[0]);
}

pub async fn what_is_not_named_stays(accounts: &impl Accounts) {
    let opened = accounts.open(&new(10, "ada@example.com")).await.unwrap();
    let patch = |first_name: Option<&str>, avatar_url: Option<&str>| ProfilePatch {
        first_name: first_name.map(str::to_owned),
        avatar_url: avatar_url.map(str::to_owned),
        ..ProfilePatch::default()
    };
    let url = "https://example.com/ada.png";
    let changed = accounts.update(opened.member_id, &patch(None, Some(url))).await.unwrap();
    assert_eq!((changed.first_name.as_str(), changed.avatar_url.as_deref()), ("Ada", Some(url)));
    let changed = accounts.update(opened.member_id, &patch(Some("Augusta"), None)).await.unwrap();
    assert_eq!((changed.first_name.as_str(), changed.avatar_url.as_deref()), ("Augusta", Some(url)));
    let changed = accounts.update(opened.member_id, &patch(None, Some(""))).await.unwrap();
    assert_eq!((changed.first_name.as_str(), changed.avatar_url), ("Augusta", None));
}

pub async fn a_password_and_a_sign_in_are_noted(accounts: &impl Accounts) {
    let opened = accounts.open(&new(10, "ada@example.com")).await.unwrap();
    let phc = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA";
    accounts.set_password(opened.user_id, phc).await.unwrap();
    let account = accounts.signed_in(opened.member_id, morning(), false).await.unwrap();
    assert_eq!(accounts.by_user(opened.user_id).await.unwrap(), account);
    assert_eq!(account.password_hash.as_deref(), Some(phc));
    assert_eq!((account.last_login_at, account.email_verified_at), (Some(morning()), None));
    accounts.signed_in(opened.member_id, morning(), true).await.unwrap();
    let later = morning() + chrono::TimeDelta::hours(1);
    accounts.signed_in(opened.member_id, later, true).await.unwrap();
    let account = accounts.by_user(opened.user_id).await.unwrap();
    assert_eq!((account.last_login_at, account.email_verified_at), (Some(later), Some(morning())));
}
