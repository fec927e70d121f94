//! Teams: the tenants (TEN-01, TEN-08).

use app::ports::{Act, AtOnce, MOST_RUNNING, MOST_STEPS, Retention, RunningLimit};
use domain::{MemberId, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    deeds::Deed,
    error::{found, store_error},
};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// For people; not unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its wishes, such as for how long runs are kept.
    pub settings: Map<String, Value>,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamPatch {
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// All of its wishes.
    pub settings: Option<Map<String, Value>>,
}

impl Catalog {
    /// Records a team that nobody is in yet.
    pub async fn team_insert(&self, id: TeamId, name: &str, description: &str) -> Result<Team, StoreError> {
        let mut tx = self.team(id, "insert a team").await?;
        let made = insert_team(&mut tx, id, name, description).await;
        tx.end(made).await.map(Team::from)
    }

    /// Records a team together with its first owner. `membership` is the id of their place in it.
    pub async fn team_found(
        &self,
        id: TeamId,
        name: &str,
        description: &str,
        (owner, membership): (MemberId, Uuid),
        act: &Act,
    ) -> Result<Team, StoreError> {
        let mut tx = self.team(id, "found a team").await?;
        let founded = async {
            let team = insert_team(&mut tx, id, name, description).await?;
            sqlx::query!(
                "insert into team_members (id, team_id, member_id, role) values ($1, $2, $3, 'owner')",
                membership,
                id.uuid(),
                owner.uuid()
            )
            .execute(&mut *tx)
            .await?;
            Ok(team)
        };
        let founded = founded.await.map(Team::from).map_err(store_error("found a team"));
        tx.done(founded, act, Deed::new("team.create", id).with("name", name)).await
    }

    /// A team.
    pub async fn team_get(&self, id: TeamId) -> Result<Team, StoreError> {
        let mut tx = self.team(id, "get a team").await?;
        let found = query_as!(
            Row,
            r#"select id, name, description, settings as "settings: Json<Map<String, Value>>", created_on, updated_on
            from teams where id = $1"#,
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Team::from)
    }

    /// Changes a team.
    pub async fn team_update(&self, id: TeamId, patch: &TeamPatch, act: &Act) -> Result<Team, StoreError> {
        let mut tx = self.team(id, "update a team").await?;
        let updated = query_as!(
            Row,
            r#"update teams set
                name = coalesce($2, name),
                description = coalesce($3, description),
                settings = coalesce($4, settings)
            where id = $1
            returning id, name, description, settings as "settings: Json<Map<String, Value>>", created_on, updated_on"#,
            id.uuid(),
            patch.name,
            patch.description,
            patch.settings.as_ref().map(Json) as _
        )
        .fetch_one(&mut *tx)
        .await;
        let updated = updated.map(Team::from).map_err(store_error("update a team"));
        let deed = Deed::new("team.update", id)
            .with("name", &patch.name)
            .with("description", &patch.description)
            .with("settings", &patch.settings);
        tx.done(updated, act, deed).await
    }

    /// Teams that part with their runs: those whose settings have whole `retention_days`, at least one. Anything else there
    /// is no wish to delete anything.
    pub(crate) async fn team_retentions(&self) -> Result<Vec<Retention>, StoreError> {
        let rows =
            sqlx::query!(r#"select team_id as "id!", number as "days!" from team_numbers('retention_days')"#)
                .fetch_all(self.across_teams())
                .await
                .map_err(store_error("list retentions"))?;
        let wishes = rows.into_iter().map(|row| (row.id, row.days.as_u64()));
        let retention = |(id, days): (Uuid, Option<u64>)| {
            let days = u16::try_from(days?).ok().filter(|days| *days > 0)?;
            Some(Retention { team_id: id.into(), days })
        };
        Ok(wishes.filter_map(retention).collect())
    }

    /// Teams that may have only so much under way: those whose settings have whole `max_running_runs`, from 1 to [`MOST_RUNNING`], or
    /// `max_running_steps`, from 1 to [`MOST_STEPS`].
    pub(crate) async fn team_limits(&self) -> Result<Vec<RunningLimit>, StoreError> {
        let rows = sqlx::query!(
            r#"select team_id as "id!", r.number as runs, s.number as steps
            from team_numbers('max_running_runs') r full join team_numbers('max_running_steps') s using (team_id)
            order by team_id"#
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("list limits"))?;
        let limits = rows.into_iter().map(|row| {
            let at_once = AtOnce { runs: limit(row.runs, MOST_RUNNING), steps: limit(row.steps, MOST_STEPS) };
            RunningLimit { team_id: row.id.into(), at_once }
        });
        Ok(limits.filter(|limit| limit.at_once != AtOnce::default()).collect())
    }

    /// Deletes a team with everything it owns, published versions included. Its audit log stays.
    pub async fn team_delete(&self, id: TeamId, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.team(id, "delete a team").await?;
        let deleted = sqlx::query!("delete from teams where id = $1", id.uuid()).execute(&mut *tx).await;
        tx.done(found(deleted, "delete a team"), act, Deed::new("team.delete", id)).await
    }
}

async fn insert_team(
    tx: &mut PgConnection,
    id: TeamId,
    name: &str,
    description: &str,
) -> Result<Row, sqlx::Error> {
    query_as!(
        Row,
        r#"insert into teams (id, name, description) values ($1, $2, $3)
        returning id, name, description, settings as "settings: Json<Map<String, Value>>", created_on, updated_on"#,
        id.uuid(),
        name,
        description
    )
    .fetch_one(tx)
    .await
}

struct Row {
    id: Uuid,
    name: String,
    description: String,
    settings: Json<Map<String, Value>>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for Team {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            settings: row.settings.0,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}

/// A setting that is a whole number from 1 to `most`.
fn limit(setting: Option<Value>, most: u32) -> Option<u32> {
    let limit = u32::try_from(setting?.as_u64()?).ok()?;
    (1..=most).contains(&limit).then_some(limit)
}
