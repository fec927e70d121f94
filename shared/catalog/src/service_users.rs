//! End users of services: found by their segment key, made when they are first met (KEY-06 … KEY-09).

use app::ports::Act;
use domain::{ServiceId, ServiceUserId, TeamId, Timestamp, UserId};
use sqlx::{PgConnection, query_as, types::Json};
use uuid::Uuid;

use crate::{Catalog, Page, SegmentKey, StoreError, Window, deeds::Deed, error::found};

/// An end user of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    /// Its id.
    pub id: ServiceUserId,
    /// The user that it is bound to.
    pub user_id: UserId,
    /// What it is known by.
    pub segment_key: SegmentKey,
    /// When it was first met.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

impl Catalog {
    /// The end user of a service of the team who is known by this key, made with these ids if this is the first that is heard of them.
    /// Two who ask at the same moment get the same. A service that the team does not have is
    /// [`Violates`](StoreError::Violates)`("fk_service_users_service_id")`.
    pub async fn service_user_resolve(
        &self,
        team: TeamId,
        service: ServiceId,
        key: &SegmentKey,
        ids: (ServiceUserId, UserId),
    ) -> Result<ServiceUser, StoreError> {
        let mut tx = self.team(team, "resolve a segment key").await?;
        let resolved = async {
            if let Some(found) = find(&mut tx, team, service, key).await? {
                return Ok(found);
            }
            insert(&mut tx, team, service, key, ids).await?;
            find(&mut tx, team, service, key).await?.ok_or(sqlx::Error::RowNotFound)
        };
        let resolved = resolved.await;
        tx.end(resolved).await.map(ServiceUser::from)
    }

    /// The end users of a service of the team, newest first.
    pub async fn service_user_list(
        &self,
        team: TeamId,
        service: ServiceId,
        window: Window,
    ) -> Result<Page<ServiceUser>, StoreError> {
        let mut tx = self.team(team, "list service users").await?;
        let page = async {
            // No row at all where the team has no such service.
            let total = sqlx::query_scalar!(
                r#"select (select count(*) from service_users u where u.team_id = s.team_id and u.service_id = s.id) as "count!"
                from services s where s.team_id = $1 and s.id = $2"#,
                team.uuid(),
                service.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, user_id, segment_key as "segment_key: Json<SegmentKey>", created_on, updated_on
                from service_users where team_id = $1 and service_id = $2
                order by id desc limit $3 offset $4"#,
                team.uuid(),
                service.uuid(),
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

    /// Forgets an end user. The same key means a new one from then on.
    pub async fn service_user_delete(
        &self,
        team: TeamId,
        service: ServiceId,
        id: ServiceUserId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete a service user").await?;
        let deleted = sqlx::query!(
            "delete from service_users where team_id = $1 and service_id = $2 and id = $3",
            team.uuid(),
            service.uuid(),
            id.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("service_user.delete", id).with("service_id", service);
        tx.done(found(deleted, "delete a service user"), act, deed).await
    }
}

async fn find(
    tx: &mut PgConnection,
    team: TeamId,
    service: ServiceId,
    key: &SegmentKey,
) -> Result<Option<Row>, sqlx::Error> {
    query_as!(
        Row,
        r#"select id, user_id, segment_key as "segment_key: Json<SegmentKey>", created_on, updated_on
        from service_users where team_id = $1 and service_id = $2 and segment_hash = $3"#,
        team.uuid(),
        service.uuid(),
        &key.sha256(service)[..]
    )
    .fetch_optional(tx)
    .await
}

/// Nothing where somebody else was first.
async fn insert(
    tx: &mut PgConnection,
    team: TeamId,
    service: ServiceId,
    key: &SegmentKey,
    (id, user): (ServiceUserId, UserId),
) -> Result<(), sqlx::Error> {
    let made = sqlx::query!(
        "insert into service_users (id, team_id, service_id, user_id, segment_key, segment_hash, version)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (segment_hash) do nothing",
        id.uuid(),
        team.uuid(),
        service.uuid(),
        user.uuid(),
        Json(key) as _,
        &key.sha256(service)[..],
        i32::from(key.version)
    )
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 1 {
        sqlx::query!(
            "insert into users (id, team_id, service_user_id) values ($1, $2, $3)",
            user.uuid(),
            team.uuid(),
            id.uuid()
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}

struct Row {
    id: Uuid,
    user_id: Uuid,
    segment_key: Json<SegmentKey>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for ServiceUser {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            segment_key: row.segment_key.0,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
