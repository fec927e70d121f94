//! Experts: personas that `job` nodes speak with (EXP-01 … EXP-03).

use domain::{ExpertId, ExpertStatus, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    error::found_any,
    word::{Word, word},
};

/// A prompt with model and parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Expert {
    /// Its id.
    pub id: ExpertId,
    /// 1 to 200 characters.
    pub name: String,
    /// May hold `{{ }}` templates.
    pub prompt: String,
    /// The model that answers.
    pub model_name: String,
    /// Where it stands.
    pub status: ExpertStatus,
    /// JSON Schema of what the prompt needs.
    pub input_params: Map<String, Value>,
    /// Temperature, tools, memory and the like.
    pub settings: Map<String, Value>,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it last changed.
    pub updated_on: Timestamp,
}

/// An expert to record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExpert {
    /// Its id.
    pub id: ExpertId,
    /// 1 to 200 characters.
    pub name: String,
    /// May hold `{{ }}` templates.
    pub prompt: String,
    /// The model that answers.
    pub model_name: String,
    /// Where it stands.
    pub status: ExpertStatus,
    /// JSON Schema of what the prompt needs.
    pub input_params: Map<String, Value>,
    /// Temperature, tools, memory and the like.
    pub settings: Map<String, Value>,
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExpertPatch {
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// May hold `{{ }}` templates.
    pub prompt: Option<String>,
    /// The model that answers.
    pub model_name: Option<String>,
    /// Where it stands.
    pub status: Option<ExpertStatus>,
    /// JSON Schema of what the prompt needs.
    pub input_params: Option<Map<String, Value>>,
    /// Temperature, tools, memory and the like.
    pub settings: Option<Map<String, Value>>,
}

/// Which experts to list. Absent fields filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpertFilter {
    /// Only in this status.
    pub status: Option<ExpertStatus>,
    /// Only with this text in their name, whatever its case.
    pub search: Option<String>,
}

impl Catalog {
    /// Records an expert.
    pub async fn expert_insert(&self, team: TeamId, new: &NewExpert) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "insert an expert").await?;
        let row = query_as!(
            Row,
            r#"insert into experts (id, team_id, name, prompt, model_name, status, input_params, settings)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            returning id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>", created_on, updated_on"#,
            new.id.uuid(),
            team.uuid(),
            new.name,
            new.prompt,
            new.model_name,
            word(new.status),
            Json(&new.input_params) as _,
            Json(&new.settings) as _
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(row).await.map(Expert::from)
    }

    /// An expert of the team.
    pub async fn expert_get(&self, team: TeamId, id: ExpertId) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "get an expert").await?;
        let found = query_as!(
            Row,
            r#"select id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>", created_on, updated_on
            from experts where team_id = $1 and id = $2"#,
            team.uuid(),
            id.uuid()
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(found).await.map(Expert::from)
    }

    /// The team's experts that pass the filter, newest first.
    pub async fn expert_list(
        &self,
        team: TeamId,
        filter: &ExpertFilter,
        window: Window,
    ) -> Result<Page<Expert>, StoreError> {
        let mut tx = self.team(team, "list experts").await?;
        let status = filter.status.map(word);
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select count(*) as "count!" from experts
                where team_id = $1
                    and ($2::text is null or status = $2)
                    and ($3::text is null or strpos(lower(name), lower($3)) > 0)"#,
                team.uuid(),
                status,
                filter.search
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                    input_params as "input_params: Json<Map<String, Value>>",
                    settings as "settings: Json<Map<String, Value>>", created_on, updated_on
                from experts
                where team_id = $1
                    and ($2::text is null or status = $2)
                    and ($3::text is null or strpos(lower(name), lower($3)) > 0)
                order by id desc limit $4 offset $5"#,
                team.uuid(),
                status,
                filter.search,
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

    /// Changes an expert.
    pub async fn expert_update(
        &self,
        team: TeamId,
        id: ExpertId,
        patch: &ExpertPatch,
    ) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "update an expert").await?;
        let row = query_as!(
            Row,
            r#"update experts set
                name = coalesce($3, name),
                prompt = coalesce($4, prompt),
                model_name = coalesce($5, model_name),
                status = coalesce($6, status),
                input_params = coalesce($7, input_params),
                settings = coalesce($8, settings)
            where team_id = $1 and id = $2
            returning id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>", created_on, updated_on"#,
            team.uuid(),
            id.uuid(),
            patch.name,
            patch.prompt,
            patch.model_name,
            patch.status.map(word),
            patch.input_params.as_ref().map(Json) as _,
            patch.settings.as_ref().map(Json) as _
        )
        .fetch_one(&mut *tx)
        .await;
        tx.end(row).await.map(Expert::from)
    }

    /// Deletes an expert. Published versions keep what they took from it.
    pub async fn expert_delete(&self, team: TeamId, id: ExpertId) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete an expert").await?;
        let deleted =
            sqlx::query!("delete from experts where team_id = $1 and id = $2", team.uuid(), id.uuid())
                .execute(&mut *tx)
                .await;
        found_any(&tx.end(deleted).await?)
    }
}

struct Row {
    id: Uuid,
    name: String,
    prompt: String,
    model_name: String,
    status: Word<ExpertStatus>,
    input_params: Json<Map<String, Value>>,
    settings: Json<Map<String, Value>>,
    created_on: Timestamp,
    updated_on: Timestamp,
}

impl From<Row> for Expert {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            prompt: row.prompt,
            model_name: row.model_name,
            status: row.status.0,
            input_params: row.input_params.0,
            settings: row.settings.0,
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
