//! Services: external callers, and the API keys by which they are known (KEY-01 … KEY-04).

use std::fmt;

use app::ports::ServiceCaller;
use domain::{Environment, ServiceId, TeamId, Timestamp};
use sqlx::query_as;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    error::store_error,
    word::{Word, word},
};

/// An external caller of a team in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Unique in the team and environment.
    pub name: String,
    /// Where it calls from.
    pub environment: Environment,
    /// The last four characters of its key, where it has one.
    pub api_key_last4: Option<String>,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// A service to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewService {
    /// Its id.
    pub id: ServiceId,
    /// 1 to 200 characters.
    pub name: String,
    /// Where it calls from.
    pub environment: Environment,
}

/// What is kept of an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyDigest {
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// Its last four characters, to recognise it by.
    pub last4: String,
}

impl fmt::Debug for ApiKeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyDigest(…{})", self.last4)
    }
}

impl Catalog {
    /// Records a service that has no key yet. A name that is taken in the environment is
    /// [`Violates`](StoreError::Violates)`("uq_services_team_id_name_environment")`.
    pub async fn service_insert(&self, team: TeamId, new: &NewService) -> Result<Service, StoreError> {
        sqlx::query!(
            "insert into services (id, team_id, name, environment) values ($1, $2, $3, $4)",
            new.id.uuid(),
            team.uuid(),
            new.name,
            word(new.environment)
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("insert a service"))?;
        self.service_get(team, new.id).await
    }

    /// A service of the team.
    pub async fn service_get(&self, team: TeamId, id: ServiceId) -> Result<Service, StoreError> {
        query_as!(
            Row,
            r#"select id, name, environment as "environment: Word<Environment>", api_key_last4, created_on, updated_on
            from services where team_id = $1 and id = $2"#,
            team.uuid(),
            id.uuid()
        )
        .fetch_one(&self.pool)
        .await
        .map(Service::from)
        .map_err(store_error("get a service"))
    }

    /// The team's services, newest first.
    pub async fn service_list(&self, team: TeamId, window: Window) -> Result<Page<Service>, StoreError> {
        const DOING: &str = "list services";
        let total = sqlx::query_scalar!(
            r#"select count(*) as "count!" from services where team_id = $1"#,
            team.uuid()
        )
        .fetch_one(&self.pool)
        .await
        .map_err(store_error(DOING))?;
        let rows = query_as!(
            Row,
            r#"select id, name, environment as "environment: Word<Environment>", api_key_last4, created_on, updated_on
            from services where team_id = $1
            order by id desc limit $2 offset $3"#,
            team.uuid(),
            i64::from(window.limit),
            i64::from(window.offset)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error(DOING))?;
        Ok(Page::new(rows, total))
    }

    /// Renames a service.
    pub async fn service_rename(
        &self,
        team: TeamId,
        id: ServiceId,
        name: &str,
    ) -> Result<Service, StoreError> {
        sqlx::query!(
            "update services set name = $3 where team_id = $1 and id = $2",
            team.uuid(),
            id.uuid(),
            name
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("rename a service"))?;
        self.service_get(team, id).await
    }

    /// Gives a service a key in place of the one it had.
    pub async fn service_set_key(
        &self,
        team: TeamId,
        id: ServiceId,
        key: &ApiKeyDigest,
    ) -> Result<Service, StoreError> {
        sqlx::query!(
            "update services set api_key_hash = $3, api_key_last4 = $4 where team_id = $1 and id = $2",
            team.uuid(),
            id.uuid(),
            &key.sha256[..],
            key.last4
        )
        .execute(&self.pool)
        .await
        .map_err(store_error("set an API key"))?;
        self.service_get(team, id).await
    }

    /// Deletes a service; its key is void at once.
    pub async fn service_delete(&self, team: TeamId, id: ServiceId) -> Result<(), StoreError> {
        let deleted =
            sqlx::query!("delete from services where team_id = $1 and id = $2", team.uuid(), id.uuid())
                .execute(&self.pool)
                .await
                .map_err(store_error("delete a service"))?;
        if deleted.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// Behind [`ApiKeys`](app::ports::ApiKeys). The index finds by hash; a hash of a random key can't be approached byte by
    /// byte, and the comparison that decides is constant in time all the same.
    pub(crate) async fn caller_by_key(&self, sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError> {
        let row = sqlx::query!(
            r#"select id, team_id, environment as "environment: Word<Environment>", api_key_hash as "api_key_hash!"
            from services where api_key_hash = $1"#,
            &sha256[..]
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(store_error("find a service by key"))?;
        Ok(row.filter(|row| bool::from(row.api_key_hash.ct_eq(&sha256))).map(|row| ServiceCaller {
            team_id: row.team_id.into(),
            service_id: row.id.into(),
            environment: row.environment.0,
        }))
    }
}

struct Row {
    id: Uuid,
    name: String,
    environment: Word<Environment>,
    api_key_last4: Option<String>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for Service {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            environment: row.environment.0,
            api_key_last4: row.api_key_last4,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
