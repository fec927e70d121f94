//! The port to people as they sign in (AUT-18, AUT-19).

use std::fmt;

use async_trait::async_trait;
use domain::{MemberId, Timestamp, UserId};

use super::StoreError;

/// People with their logins. Belongs to no team: a person is the same in all of theirs.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account whose address this is, whatever its case.
    async fn by_email(&self, email: &str) -> Result<Account, StoreError>;

    /// The account of a person.
    async fn by_member(&self, member: MemberId) -> Result<Account, StoreError>;

    /// The account that sessions of this login are of.
    async fn by_user(&self, user: UserId) -> Result<Account, StoreError>;

    /// Opens an account, or answers the one that has the address already: of two at the same moment both get the same.
    async fn open(&self, new: &NewAccount) -> Result<Account, StoreError>;

    /// Changes what a person says of themselves.
    async fn update(&self, member: MemberId, patch: &ProfilePatch) -> Result<Account, StoreError>;

    /// Gives a login another password, as Argon2id in PHC form.
    async fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError>;

    /// Notes that a person signed in, and, where they did so by mail, that the address is theirs. Answers the account as it is then.
    async fn signed_in(
        &self,
        member: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<Account, StoreError>;
}

/// A person and how they sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub member_id: MemberId,
    /// Their login; what sessions belong to.
    pub user_id: UserId,
    /// In lower case.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Argon2id in PHC form; a person may sign in by mail alone.
    pub password_hash: Option<String>,
    /// When they first proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// When they last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When they were recorded.
    pub created_on: Timestamp,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} of {})", self.user_id, self.member_id)
    }
}

/// A person to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Their id, if there is none with the address.
    pub member_id: MemberId,
    /// Their login's, if they have none.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfilePatch {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Where their picture is; an empty text takes it away.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
}
