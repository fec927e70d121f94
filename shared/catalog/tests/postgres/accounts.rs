//! People as they sign in.

use app::ports::{Account, Accounts, Ids as _, NewAccount, ProfilePatch, StoreError};
use async_trait::async_trait;
use domain::{MemberId, Timestamp, UserId};

use crate::support::World;

#[async_trait]
impl Accounts for World {
    async fn by_email(&self, email: &str) -> Result<Account, StoreError> {
        self.catalog.by_email(email).await
    }

    async fn by_member(&self, member: MemberId) -> Result<Account, StoreError> {
        self.catalog.by_member(member).await
    }

    async fn by_user(&self, user: UserId) -> Result<Account, StoreError> {
        self.catalog.by_user(user).await
    }

    async fn open(&self, new: &NewAccount) -> Result<Account, StoreError> {
        self.catalog.open(new).await
    }

    async fn update(&self, member: MemberId, patch: &ProfilePatch) -> Result<Account, StoreError> {
        self.catalog.update(member, patch).await
    }

    async fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError> {
        self.catalog.set_password(user, phc).await
    }

    async fn signed_in(
        &self,
        member: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<Account, StoreError> {
        self.catalog.signed_in(member, at, is_by_mail).await
    }
}

app::accounts_suite!(World::new());

#[tokio::test]
async fn who_was_recorded_without_a_login_gets_one_by_signing_up() {
    let world = World::new().await;
    let member = world.member("ada@example.com").await;
    assert!(matches!(world.catalog.by_member(member).await, Err(StoreError::NotFound)));
    let new = NewAccount {
        member_id: MemberId::new(world.ids.next()),
        user_id: UserId::new(world.ids.next()),
        email: "ADA@example.com".to_owned(),
        first_name: "Eve".to_owned(),
        last_name: String::new(),
    };
    let opened = world.catalog.open(&new).await.unwrap();
    assert_eq!((opened.member_id, opened.user_id), (member, new.user_id));
    assert_ne!(opened.first_name, "Eve", "nothing else of them changes");
}
