//! Segments: named schemas of what tells a service's end users apart (KEY-05, KEY-09).

use app::ports::Act;
use domain::{SegmentId, ServiceId, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::Deed,
    error::{found, store_error},
};

/// A named schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Unique in the service.
    pub name: String,
    /// JSON Schema of the properties of a segment key.
    pub keys: Map<String, Value>,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// A segment to record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSegment {
    /// Its id.
    pub id: SegmentId,
    /// 1 to 200 characters.
    pub name: String,
    /// JSON Schema of the properties of a segment key.
    pub keys: Map<String, Value>,
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentPatch {
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// JSON Schema of the properties of a segment key.
    pub keys: Option<Map<String, Value>>,
}

impl Catalog {
    /// Records a segment of a service of the team. A name that is taken in the service is
    /// [`Violates`](StoreError::Violates)`("uq_service_segments_service_id_name")`, a service that the team does not have
    /// `("fk_service_segments_service_id")`.
    pub async fn segment_insert(
        &self,
        team: TeamId,
        service: ServiceId,
        new: &NewSegment,
        act: &Act,
    ) -> Result<Segment, StoreError> {
        let mut tx = self.team(team, "insert a segment").await?;
        let row = query_as!(
            Row,
            r#"insert into service_segments (id, team_id, service_id, name, keys) values ($1, $2, $3, $4, $5)
            returning id, name, keys as "keys: Json<Map<String, Value>>", created_on, updated_on"#,
            new.id.uuid(),
            team.uuid(),
            service.uuid(),
            new.name,
            Json(&new.keys) as _
        )
        .fetch_one(&mut *tx)
        .await;
        let made = row.map(Segment::from).map_err(store_error("insert a segment"));
        let deed = Deed::new("segment.create", new.id).with("service_id", service).with("name", &new.name);
        tx.done(made, act, deed).await
    }

    /// A segment of a service of the team.
    pub async fn segment_get(
        &self,
        team: TeamId,
        service: ServiceId,
        id: SegmentId,
    ) -> Result<Segment, StoreError> {
        let mut tx = self.team(team, "get a segment").await?;
        let row = query_as!(
            Row,
            r#"select id, name, keys as "keys: Json<Map<String, Value>>", created_on, updated_on
            from service_segments where team_id = $1 and service_id = $2 and id = $3"#,
            team.uuid(),
            service.uuid(),
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(row).await.map(Segment::from)
    }

    /// The segments of a service of the team, by name.
    pub async fn segment_list(
        &self,
        team: TeamId,
        service: ServiceId,
        window: Window,
    ) -> Result<Page<Segment>, StoreError> {
        let mut tx = self.team(team, "list segments").await?;
        let page = async {
            // No row at all where the team has no such service.
            let total = sqlx::query_scalar!(
                r#"select (select count(*) from service_segments g where g.team_id = s.team_id and g.service_id = s.id) as "count!"
                from services s where s.team_id = $1 and s.id = $2"#,
                team.uuid(),
                service.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, name, keys as "keys: Json<Map<String, Value>>", created_on, updated_on
                from service_segments where team_id = $1 and service_id = $2
                order by name limit $3 offset $4"#,
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

    /// Changes a segment. End users that were told apart by what it said before stay who they are.
    pub async fn segment_update(
        &self,
        team: TeamId,
        service: ServiceId,
        id: SegmentId,
        patch: &SegmentPatch,
        act: &Act,
    ) -> Result<Segment, StoreError> {
        let mut tx = self.team(team, "update a segment").await?;
        let row = query_as!(
            Row,
            r#"update service_segments set name = coalesce($4, name), keys = coalesce($5, keys)
            where team_id = $1 and service_id = $2 and id = $3
            returning id, name, keys as "keys: Json<Map<String, Value>>", created_on, updated_on"#,
            team.uuid(),
            service.uuid(),
            id.uuid(),
            patch.name,
            patch.keys.as_ref().map(Json) as _
        )
        .fetch_one(&mut *tx)
        .await;
        let updated = row.map(Segment::from).map_err(store_error("update a segment"));
        let deed = Deed::new("segment.update", id).with("service_id", service).with("name", &patch.name);
        tx.done(updated, act, deed).await
    }

    /// Deletes a segment.
    pub async fn segment_delete(
        &self,
        team: TeamId,
        service: ServiceId,
        id: SegmentId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete a segment").await?;
        let deleted = sqlx::query!(
            "delete from service_segments where team_id = $1 and service_id = $2 and id = $3",
            team.uuid(),
            service.uuid(),
            id.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("segment.delete", id).with("service_id", service);
        tx.done(found(deleted, "delete a segment"), act, deed).await
    }
}

struct Row {
    id: Uuid,
    name: String,
    keys: Json<Map<String, Value>>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for Segment {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            keys: row.keys.0,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
