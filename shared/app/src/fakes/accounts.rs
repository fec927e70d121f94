//! People as a list.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::{MemberId, Timestamp, UserId};

use super::lock;
use crate::ports::{Account, Accounts, NewAccount, ProfilePatch, StoreError};

/// Accounts for as long as it lives.
#[derive(Default)]
pub struct MemoryAccounts(Mutex<Vec<Account>>);

impl MemoryAccounts {
    /// Lets a person sign in, or not.
    pub fn set_active(&self, member: MemberId, is_active: bool) -> Result<(), StoreError> {
        self.change(|account| account.member_id == member, |account| account.is_active = is_active).map(drop)
    }

    fn find(&self, is_it: impl Fn(&Account) -> bool) -> Result<Account, StoreError> {
        lock(&self.0).iter().find(|account| is_it(account)).cloned().ok_or(StoreError::NotFound)
    }

    fn change(
        &self,
        is_it: impl Fn(&Account) -> bool,
        change: impl FnOnce(&mut Account),
    ) -> Result<Account, StoreError> {
        let mut accounts = lock(&self.0);
        let account = accounts.iter_mut().find(|account| is_it(account)).ok_or(StoreError::NotFound)?;
        change(account);
        Ok(account.clone())
    }
}

#[async_trait]
impl Accounts for MemoryAccounts {
    async fn by_email(&self, email: &str) -> Result<Account, StoreError> {
        self.find(|account| account.email == email.to_lowercase())
    }

    async fn by_member(&self, member: MemberId) -> Result<Account, StoreError> {
        self.find(|account| account.member_id == member)
    }

    async fn by_user(&self, user: UserId) -> Result<Account, StoreError> {
        self.find(|account| account.user_id == user)
    }

    async fn open(&self, new: &NewAccount) -> Result<Account, StoreError> {
        let mut accounts = lock(&self.0);
        let email = new.email.to_lowercase();
        if let Some(known) = accounts.iter().find(|account| account.email == email) {
            return Ok(known.clone());
        }
        let account = Account {
            member_id: new.member_id,
            user_id: new.user_id,
            email,
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            avatar_url: None,
            bio: String::new(),
            is_active: true,
            password_hash: None,
            email_verified_at: None,
            last_login_at: None,
            created_on: Timestamp::UNIX_EPOCH,
        };
        accounts.push(account.clone());
        Ok(account)
    }

    async fn update(&self, member: MemberId, patch: &ProfilePatch) -> Result<Account, StoreError> {
        let ProfilePatch { first_name, last_name, avatar_url, bio } = patch.clone();
        self.change(
            |account| account.member_id == member,
            |account| {
                account.first_name = first_name.unwrap_or_else(|| account.first_name.clone());
                account.last_name = last_name.unwrap_or_else(|| account.last_name.clone());
                account.avatar_url =
                    avatar_url.or_else(|| account.avatar_url.clone()).filter(|url| !url.is_empty());
                account.bio = bio.unwrap_or_else(|| account.bio.clone());
            },
        )
    }

    async fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError> {
        let set = |account: &mut Account| account.password_hash = Some(phc.to_owned());
        self.change(|account| account.user_id == user, set).map(drop)
    }

    async fn signed_in(
        &self,
        member: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<Account, StoreError> {
        let note = |account: &mut Account| {
            account.last_login_at = Some(at);
            account.email_verified_at = account.email_verified_at.or(is_by_mail.then_some(at));
        };
        self.change(|account| account.member_id == member, note)
    }
}
