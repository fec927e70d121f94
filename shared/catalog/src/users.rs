//! Logins: what a person signs in with (AUT-18, AUT-19, KEY-14). The users that are bound to end users of services are in
//! [`crate::service_users`].

use std::fmt;

use domain::{MemberId, UserId};
use sqlx::query_as;
use uuid::Uuid;

use crate::{Catalog, StoreError, error::found_any};

/// How a person signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Its id; what sessions belong to.
    pub id: UserId,
    /// The person.
    pub member_id: MemberId,
    /// Argon2id in PHC form; a person may sign in by mail alone.
    pub password_hash: Option<String>,
    /// Whether they may sign in.
    pub is_active: bool,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} of {})", self.id, self.member_id)
    }
}

impl Catalog {
    /// The login of a person, made with this id if they have none yet. Two at the same moment get the same.
    pub async fn login_of(&self, member: MemberId, id: UserId) -> Result<Login, StoreError> {
        let mut tx = self.outside_teams("get a login").await?;
        let login = async {
            sqlx::query!(
                "insert into users (id, member_id) values ($1, $2) on conflict (member_id) do nothing",
                id.uuid(),
                member.uuid()
            )
            .execute(&mut *tx)
            .await?;
            query_as!(
                Row,
                r#"select u.id, m.id as member_id, u.password_hash, m.is_active
                from users u join members m on m.id = u.member_id where m.id = $1"#,
                member.uuid()
            )
            .fetch_one(&mut *tx)
            .await
        };
        let login = login.await;
        tx.end(login).await.map(Login::from)
    }

    /// The login of the person whose address this is, whatever its case.
    pub async fn login_by_email(&self, email: &str) -> Result<Login, StoreError> {
        let mut tx = self.outside_teams("find a login by address").await?;
        let found = query_as!(
            Row,
            r#"select u.id, m.id as member_id, u.password_hash, m.is_active
            from users u join members m on m.id = u.member_id where m.email = lower($1)"#,
            email
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Login::from)
    }

    /// A login.
    pub async fn login_get(&self, id: UserId) -> Result<Login, StoreError> {
        let mut tx = self.outside_teams("get a login by id").await?;
        let found = query_as!(
            Row,
            r#"select u.id, m.id as member_id, u.password_hash, m.is_active
            from users u join members m on m.id = u.member_id where u.id = $1"#,
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Login::from)
    }

    /// Gives a login another password, as Argon2id in PHC form, or none.
    pub async fn login_set_password(&self, id: UserId, phc: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.outside_teams("set a password").await?;
        let set = sqlx::query!(
            "update users set password_hash = $2 where id = $1 and member_id is not null",
            id.uuid(),
            phc
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(set).await?)
    }
}

struct Row {
    id: Uuid,
    member_id: Uuid,
    password_hash: Option<String>,
    is_active: bool,
}

impl From<Row> for Login {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            member_id: row.member_id.into(),
            password_hash: row.password_hash,
            is_active: row.is_active,
        }
    }
}
