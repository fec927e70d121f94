//! Experts: personas that `job` nodes speak with (EXP-01 … EXP-03). Their changes are in `expert_edits`, what they are tied to in
//! `expert_ties`.

use app::ports::Act;
use domain::{ExpertId, ExpertStatus, TeamId, Timestamp};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, Page, StoreError, Window,
    deeds::Deed,
    error::store_error,
    expert_ties::{lock_team, refuse_wrong_subs},
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
    /// Counts the edits; what `ETag` shows.
    pub revision: i64,
    /// The expert that this is an earlier state of.
    pub history_of: Option<ExpertId>,
    /// When it was made; of an earlier state, when it came to be.
    pub created_on: Timestamp,
    /// When it last changed; of an earlier state, when another took its place.
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

impl ExpertPatch {
    /// The names of the fields that it changes.
    pub(crate) fn fields(&self) -> Vec<&'static str> {
        let Self { name, prompt, model_name, status, input_params, settings } = self;
        let named = [
            ("name", name.is_some()),
            ("prompt", prompt.is_some()),
            ("model_name", model_name.is_some()),
            ("status", status.is_some()),
            ("input_params", input_params.is_some()),
            ("settings", settings.is_some()),
        ];
        named.into_iter().filter_map(|(field, is_named)| is_named.then_some(field)).collect()
    }
}

/// Which experts to list. Absent fields filter nothing, but earlier states of experts are listed only where their status is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpertFilter {
    /// Only in this status.
    pub status: Option<ExpertStatus>,
    /// Only with this text in their name, whatever its case.
    pub search: Option<String>,
}

impl Catalog {
    /// Records an expert. [`Conflict`](StoreError::Conflict) where its sub-experts are no longer what they have to be.
    pub async fn expert_insert(
        &self,
        team: TeamId,
        new: &NewExpert,
        act: &Act,
    ) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "insert an expert").await?;
        let inserted = insert(&mut tx, team, new).await;
        let deed = Deed::new("expert.create", new.id).with("name", &new.name).with("status", new.status);
        tx.done(inserted, act, deed).await
    }

    /// An expert of the team. An earlier state of one is not found by its own id.
    pub async fn expert_get(&self, team: TeamId, id: ExpertId) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "get an expert").await?;
        let found = query_as!(
            Row,
            r#"select id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on
            from experts where team_id = $1 and id = $2 and history_of is null"#,
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
                    and (history_of is null or $2 = 'historical')
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
                    settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on
                from experts
                where team_id = $1
                    and ($2::text is null or status = $2)
                    and (history_of is null or $2 = 'historical')
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
}

async fn insert(tx: &mut PgConnection, team: TeamId, new: &NewExpert) -> Result<Expert, StoreError> {
    lock_team(tx, team).await?;
    refuse_wrong_subs(tx, team, new.id, &new.settings).await?;
    let row = query_as!(
        Row,
        r#"insert into experts (id, team_id, name, prompt, model_name, status, input_params, settings)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on"#,
        new.id.uuid(),
        team.uuid(),
        new.name,
        new.prompt,
        new.model_name,
        word(new.status),
        Json(&new.input_params) as _,
        Json(&new.settings) as _
    )
    .fetch_one(tx)
    .await;
    row.map(Expert::from).map_err(store_error("insert an expert"))
}

pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) prompt: String,
    pub(crate) model_name: String,
    pub(crate) status: Word<ExpertStatus>,
    pub(crate) input_params: Json<Map<String, Value>>,
    pub(crate) settings: Json<Map<String, Value>>,
    pub(crate) revision: i64,
    pub(crate) history_of: Option<Uuid>,
    pub(crate) created_on: Timestamp,
    pub(crate) updated_on: Timestamp,
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
            revision: row.revision,
            history_of: row.history_of.map(ExpertId::from),
            created_on: row.created_on,
            updated_on: row.updated_on,
        }
    }
}
