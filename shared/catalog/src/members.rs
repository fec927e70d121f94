//! People, of whatever team (TEN-02).

use domain::{MemberId, Timestamp};
use sqlx::query_as;
use uuid::Uuid;

use crate::{Catalog, StoreError, error::found_any};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their id.
    pub id: MemberId,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// In lower case.
    pub email: String,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When they first proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// When they last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When they were recorded.
    pub created_on: Timestamp,
    /// When their entry last changed.
    pub updated_on: Timestamp,
}

/// A person to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Their id.
    pub id: MemberId,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Unique over all members, whatever its case.
    pub email: String,
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPatch {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Where their picture is; an empty text takes it away.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
}

impl Catalog {
    /// Records a person. An address that is taken is [`Violates`](StoreError::Violates)`("uq_members_email")`.
    pub async fn member_insert(&self, new: &NewMember) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("insert a member").await?;
        let made = sqlx::query!(
            "insert into members (id, first_name, last_name, email) values ($1, $2, $3, lower($4))",
            new.id.uuid(),
            new.first_name,
            new.last_name,
            new.email
        )
        .execute(&mut *tx)
        .await;
        tx.end(made).await.map(drop)
    }

    /// A person.
    pub async fn member_get(&self, id: MemberId) -> Result<Member, StoreError> {
        let mut tx = self.outside_teams("get a member").await?;
        let found = query_as!(
            Row,
            "select id, first_name, last_name, email, avatar_url, bio, is_active, email_verified_at, last_login_at,
                created_on, updated_on
            from members where id = $1",
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Member::from)
    }

    /// The person whose address this is, whatever its case.
    pub async fn member_by_email(&self, email: &str) -> Result<Member, StoreError> {
        let mut tx = self.outside_teams("find a member by address").await?;
        let found = query_as!(
            Row,
            "select id, first_name, last_name, email, avatar_url, bio, is_active, email_verified_at, last_login_at,
                created_on, updated_on
            from members where email = lower($1)",
            email
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Member::from)
    }

    /// Changes what is known of a person.
    pub async fn member_update(&self, id: MemberId, patch: &MemberPatch) -> Result<Member, StoreError> {
        let mut tx = self.outside_teams("update a member").await?;
        let updated = query_as!(
            Row,
            "update members set
                first_name = coalesce($2, first_name),
                last_name = coalesce($3, last_name),
                avatar_url = nullif(coalesce($4, avatar_url), ''),
                bio = coalesce($5, bio),
                is_active = coalesce($6, is_active)
            where id = $1
            returning id, first_name, last_name, email, avatar_url, bio, is_active, email_verified_at, last_login_at,
                created_on, updated_on",
            id.uuid(),
            patch.first_name,
            patch.last_name,
            patch.avatar_url,
            patch.bio,
            patch.is_active
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(updated).await.map(Member::from)
    }

    /// Notes that a person signed in, and, where they did so by mail, that the address is theirs.
    pub async fn member_signed_in(
        &self,
        id: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("note a sign-in").await?;
        let noted = sqlx::query!(
            "update members set
                last_login_at = $2,
                email_verified_at = case when $3 then coalesce(email_verified_at, $2) else email_verified_at end
            where id = $1",
            id.uuid(),
            at,
            is_by_mail
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(noted).await?)
    }

    /// Forgets a person, with their memberships, logins and sessions. The last owner of a team can't be forgotten:
    /// [`Violates`](StoreError::Violates)`("ck_team_members_owner")`.
    pub async fn member_delete(&self, id: MemberId) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("delete a member").await?;
        let deleted = sqlx::query!("delete from members where id = $1", id.uuid()).execute(&mut *tx).await;
        found_any(&tx.end(deleted).await?)
    }
}

struct Row {
    id: Uuid,
    first_name: String,
    last_name: String,
    email: String,
    avatar_url: Option<String>,
    bio: String,
    is_active: bool,
    email_verified_at: Option<Timestamp>,
    last_login_at: Option<Timestamp>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for Member {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            avatar_url: row.avatar_url,
            bio: row.bio,
            is_active: row.is_active,
            email_verified_at: row.email_verified_at,
            last_login_at: row.last_login_at,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
