//! People with their logins, as signing in needs them: each question is one statement. A person without a login is none who signs in.

use app::ports::{Account, Accounts, NewAccount, ProfilePatch, StoreError};
use async_trait::async_trait;
use domain::{MemberId, Timestamp, UserId};
use sqlx::query_as;
use uuid::Uuid;

use crate::Catalog;

#[async_trait]
impl Accounts for Catalog {
    async fn by_email(&self, email: &str) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("find an account by address").await?;
        let found = query_as!(
            Row,
            "select m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                u.password_hash, m.email_verified_at, m.last_login_at, m.created_on
            from members m join users u on u.member_id = m.id where m.email = lower($1)",
            email
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Account::from)
    }

    async fn by_member(&self, member: MemberId) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("get the account of a member").await?;
        let found = query_as!(
            Row,
            "select m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                u.password_hash, m.email_verified_at, m.last_login_at, m.created_on
            from members m join users u on u.member_id = m.id where m.id = $1",
            member.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Account::from)
    }

    async fn by_user(&self, user: UserId) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("get the account of a login").await?;
        let found = query_as!(
            Row,
            "select m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                u.password_hash, m.email_verified_at, m.last_login_at, m.created_on
            from members m join users u on u.member_id = m.id where u.id = $1",
            user.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Account::from)
    }

    async fn open(&self, new: &NewAccount) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("open an account").await?;
        let opened = async {
            // Whoever comes second waits here for the first, and then finds what that made.
            sqlx::query!(
                "insert into members (id, first_name, last_name, email) values ($1, $2, $3, lower($4))
                on conflict (email) do nothing",
                new.member_id.uuid(),
                new.first_name,
                new.last_name,
                new.email
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                "insert into users (id, member_id) select $1, id from members where email = lower($2)
                on conflict (member_id) do nothing",
                new.user_id.uuid(),
                new.email
            )
            .execute(&mut *tx)
            .await?;
            query_as!(
                Row,
                "select m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                    u.password_hash, m.email_verified_at, m.last_login_at, m.created_on
                from members m join users u on u.member_id = m.id where m.email = lower($1)",
                new.email
            )
            .fetch_one(&mut *tx)
            .await
        };
        let opened = opened.await;
        tx.end(opened).await.map(Account::from)
    }

    async fn update(&self, member: MemberId, patch: &ProfilePatch) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("update an account").await?;
        let updated = query_as!(
            Row,
            "update members m set
                first_name = coalesce($2, first_name),
                last_name = coalesce($3, last_name),
                avatar_url = nullif(coalesce($4, avatar_url), ''),
                bio = coalesce($5, bio)
            from users u where u.member_id = m.id and m.id = $1
            returning m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                u.password_hash, m.email_verified_at, m.last_login_at, m.created_on",
            member.uuid(),
            patch.first_name,
            patch.last_name,
            patch.avatar_url,
            patch.bio
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(updated).await.map(Account::from)
    }

    async fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError> {
        self.login_set_password(user, Some(phc)).await
    }

    async fn signed_in(
        &self,
        member: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<Account, StoreError> {
        let mut tx = self.outside_teams("note a sign-in").await?;
        let noted = query_as!(
            Row,
            "update members m set
                last_login_at = $2,
                email_verified_at = case when $3 then coalesce(email_verified_at, $2) else email_verified_at end
            from users u where u.member_id = m.id and m.id = $1
            returning m.id as member_id, u.id as user_id, m.email, m.first_name, m.last_name, m.avatar_url, m.bio, m.is_active,
                u.password_hash, m.email_verified_at, m.last_login_at, m.created_on",
            member.uuid(),
            at,
            is_by_mail
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(noted).await.map(Account::from)
    }
}

struct Row {
    member_id: Uuid,
    user_id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
    avatar_url: Option<String>,
    bio: String,
    is_active: bool,
    password_hash: Option<String>,
    email_verified_at: Option<Timestamp>,
    last_login_at: Option<Timestamp>,
    created_on: Timestamp,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            member_id: row.member_id.into(),
            user_id: row.user_id.into(),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            avatar_url: row.avatar_url,
            bio: row.bio,
            is_active: row.is_active,
            password_hash: row.password_hash,
            email_verified_at: row.email_verified_at,
            last_login_at: row.last_login_at,
            created_on: row.created_on,
        }
    }
}
