//! Services: external callers, and the API keys by which they are known (KEY-01 … KEY-04).

use std::{collections::HashMap, fmt};

use app::ports::{Act, ServiceCaller};
use domain::{Environment, ServiceId, TeamId, Timestamp};
use sqlx::query_as;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::Deed,
    error::{found, store_error},
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
    /// Until when the key that it had before is still good, or was.
    pub previous_key_expires_at: Option<Timestamp>,
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

/// How many of each a service has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceCounts {
    /// Experts that it may use.
    pub experts: u64,
    /// Workflows that it sees.
    pub workflows: u64,
    /// Segments.
    pub segments: u64,
    /// End users that it was met with.
    pub users: u64,
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
    pub async fn service_insert(
        &self,
        team: TeamId,
        new: &NewService,
        act: &Act,
    ) -> Result<Service, StoreError> {
        let mut tx = self.team(team, "insert a service").await?;
        let row = query_as!(
            Row,
            r#"insert into services (id, team_id, name, environment) values ($1, $2, $3, $4)
            returning id, name, environment as "environment: Word<Environment>", api_key_last4,
                previous_key_expires_at, created_on, updated_on"#,
            new.id.uuid(),
            team.uuid(),
            new.name,
            word(new.environment)
        )
        .fetch_one(&mut *tx)
        .await;
        let made = row.map(Service::from).map_err(store_error("insert a service"));
        let deed =
            Deed::new("service.create", new.id).with("name", &new.name).with("environment", new.environment);
        tx.done(made, act, deed).await
    }

    /// A service of the team.
    pub async fn service_get(&self, team: TeamId, id: ServiceId) -> Result<Service, StoreError> {
        let mut tx = self.team(team, "get a service").await?;
        let found = query_as!(
            Row,
            r#"select id, name, environment as "environment: Word<Environment>", api_key_last4,
                previous_key_expires_at, created_on, updated_on
            from services where team_id = $1 and id = $2"#,
            team.uuid(),
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Service::from)
    }

    /// The team's services, newest first.
    pub async fn service_list(&self, team: TeamId, window: Window) -> Result<Page<Service>, StoreError> {
        let mut tx = self.team(team, "list services").await?;
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select count(*) as "count!" from services where team_id = $1"#,
                team.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, name, environment as "environment: Word<Environment>", api_key_last4,
                previous_key_expires_at, created_on, updated_on
                from services where team_id = $1
                order by id desc limit $2 offset $3"#,
                team.uuid(),
                i64::from(window.limit),
                i64::from(window.offset)
            )
            .fetch_all(&mut *tx)
            .await?;
            Ok(Page::new(rows, total))
        };
        let page = page.await;
        tx.end(page).await
    }

    /// Renames a service.
    pub async fn service_rename(
        &self,
        team: TeamId,
        id: ServiceId,
        name: &str,
        act: &Act,
    ) -> Result<Service, StoreError> {
        let mut tx = self.team(team, "rename a service").await?;
        let row = query_as!(
            Row,
            r#"update services set name = $3 where team_id = $1 and id = $2
            returning id, name, environment as "environment: Word<Environment>", api_key_last4,
                previous_key_expires_at, created_on, updated_on"#,
            team.uuid(),
            id.uuid(),
            name
        )
        .fetch_one(&mut *tx)
        .await;
        let renamed = row.map(Service::from).map_err(store_error("rename a service"));
        tx.done(renamed, act, Deed::new("service.update", id).with("name", name)).await
    }

    /// Gives a service a key in place of the one it had, which stays good until `grace_ends`, or is void at once (KEY-03).
    pub async fn service_replace_key(
        &self,
        team: TeamId,
        id: ServiceId,
        key: &ApiKeyDigest,
        grace_ends: Option<Timestamp>,
        act: &Act,
    ) -> Result<Service, StoreError> {
        let mut tx = self.team(team, "set an API key").await?;
        let row = query_as!(
            Row,
            r#"update services set
                previous_key_hash = case when $5::timestamptz is not null then api_key_hash end,
                previous_key_expires_at = case when api_key_hash is not null then $5::timestamptz end,
                api_key_hash = $3, api_key_last4 = $4
            where team_id = $1 and id = $2
            returning id, name, environment as "environment: Word<Environment>", api_key_last4,
                previous_key_expires_at, created_on, updated_on"#,
            team.uuid(),
            id.uuid(),
            &key.sha256[..],
            key.last4,
            grace_ends
        )
        .fetch_one(&mut *tx)
        .await;
        let issued = row.map(Service::from).map_err(store_error("set an API key"));
        let deed =
            Deed::new("service.issue_key", id).with("last4", &key.last4).with("grace_ends", grace_ends);
        tx.done(issued, act, deed).await
    }

    /// How much each of these services of the team has to do with (KEY-13).
    pub async fn service_counts(
        &self,
        team: TeamId,
        services: &[ServiceId],
    ) -> Result<HashMap<ServiceId, ServiceCounts>, StoreError> {
        let ids: Vec<Uuid> = services.iter().map(|id| id.uuid()).collect();
        let mut tx = self.team(team, "count what services have").await?;
        let rows = sqlx::query!(
            r#"select s.id,
                (select count(*) from expert_services e where e.team_id = $1 and e.service_id = s.id) as "experts!",
                (select count(*) from workflow_services w where w.team_id = $1 and w.service_id = s.id) as "workflows!",
                (select count(*) from service_segments g where g.team_id = $1 and g.service_id = s.id) as "segments!",
                (select count(*) from service_users u where u.team_id = $1 and u.service_id = s.id) as "users!"
            from services s where s.team_id = $1 and s.id = any ($2)"#,
            team.uuid(),
            &ids
        )
        .fetch_all(&mut *tx)
        .await;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let counted = tx.end(rows).await?.into_iter().map(|row| {
            let counts = ServiceCounts {
                experts: count(row.experts),
                workflows: count(row.workflows),
                segments: count(row.segments),
                users: count(row.users),
            };
            (row.id.into(), counts)
        });
        Ok(counted.collect())
    }

    /// Deletes a service; its key is void at once.
    pub async fn service_delete(&self, team: TeamId, id: ServiceId, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete a service").await?;
        let deleted =
            sqlx::query!("delete from services where team_id = $1 and id = $2", team.uuid(), id.uuid())
                .execute(&mut *tx)
                .await;
        tx.done(found(deleted, "delete a service"), act, Deed::new("service.delete", id)).await
    }

    /// Behind [`ApiKeys`](app::ports::ApiKeys). The index finds by hash; a hash of a random key can't be approached byte by
    /// byte, and the comparison that decides is constant in time all the same.
    pub(crate) async fn caller_by_key(&self, sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError> {
        let rows = sqlx::query!(
            r#"select team_id as "team_id!", id as "id!", environment as "environment!: Word<Environment>",
                found_hash as "found_hash!"
            from service_by_key($1)"#,
            &sha256[..]
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("find a service by key"))?;
        let row = rows.into_iter().find(|row| bool::from(row.found_hash.ct_eq(&sha256)));
        Ok(row.map(|row| ServiceCaller {
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
    previous_key_expires_at: Option<Timestamp>,
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
            previous_key_expires_at: row.previous_key_expires_at,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
