//! Changes of experts, and what they leave behind (EXP-02): an expert that is in use keeps what it was before each edit.

use app::ports::Act;
use domain::{ExpertId, ExpertStatus, TeamId};
use serde_json::{Map, Value};
use sqlx::{PgConnection, query_as, types::Json};

use crate::{
    Catalog, Expert, ExpertPatch, Page, StoreError, Window,
    deeds::Deed,
    error::store_error,
    expert_ties::{lock_team, refuse_wrong_subs},
    experts::Row,
    word::{Word, word},
};

impl Catalog {
    /// Changes an expert and counts one more revision, if its revision is still `revision` (where one is given); else
    /// [`Conflict`](StoreError::Conflict). One that was active and says something else now leaves its earlier state behind as the row
    /// `earlier`.
    pub async fn expert_update(
        &self,
        team: TeamId,
        id: ExpertId,
        patch: &ExpertPatch,
        revision: Option<i64>,
        earlier: ExpertId,
        act: &Act,
    ) -> Result<Expert, StoreError> {
        let mut tx = self.team(team, "update an expert").await?;
        let updated = async {
            if let Some(settings) = &patch.settings {
                lock_team(&mut tx, team).await?;
                refuse_wrong_subs(&mut tx, team, id, settings).await?;
            }
            let before = locked(&mut tx, team, id).await?;
            if revision.is_some_and(|revision| revision != before.revision) {
                return Err(StoreError::Conflict);
            }
            let after = change(&mut tx, team, id, patch).await?;
            if before.status == ExpertStatus::Active && says_other(&before, &after) {
                keep(&mut tx, team, &before, earlier).await?;
            }
            Ok(after)
        };
        let updated = updated.await;
        tx.done(updated, act, deed(id, patch)).await
    }

    /// The earlier states of an expert, the latest first.
    pub async fn expert_history(
        &self,
        team: TeamId,
        id: ExpertId,
        window: Window,
    ) -> Result<Page<Expert>, StoreError> {
        let mut tx = self.team(team, "list an expert's history").await?;
        let page = async {
            let total = sqlx::query_scalar!(
                r#"select (select count(*) from experts h where h.team_id = $1 and h.history_of = e.id) as "count!"
                from experts e where e.team_id = $1 and e.id = $2 and e.history_of is null"#,
                team.uuid(),
                id.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            let rows = query_as!(
                Row,
                r#"select id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
                    input_params as "input_params: Json<Map<String, Value>>",
                    settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on
                from experts where team_id = $1 and history_of = $2
                order by revision desc limit $3 offset $4"#,
                team.uuid(),
                id.uuid(),
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

/// A patch of nothing but the status is told as a move of it.
fn deed(id: ExpertId, patch: &ExpertPatch) -> Deed {
    let fields = patch.fields();
    let action = if fields == ["status"] { "expert.status" } else { "expert.update" };
    Deed::new(action, id).with("fields", fields).with("status", patch.status)
}

/// The expert, which nobody else changes until this transaction ends.
async fn locked(tx: &mut PgConnection, team: TeamId, id: ExpertId) -> Result<Expert, StoreError> {
    let row = query_as!(
        Row,
        r#"select id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on
        from experts where team_id = $1 and id = $2 and history_of is null for no key update"#,
        team.uuid(),
        id.uuid()
    )
    .fetch_one(tx)
    .await;
    row.map(Expert::from).map_err(store_error("lock an expert"))
}

async fn change(
    tx: &mut PgConnection,
    team: TeamId,
    id: ExpertId,
    patch: &ExpertPatch,
) -> Result<Expert, StoreError> {
    let row = query_as!(
        Row,
        r#"update experts set
            name = coalesce($3, name),
            prompt = coalesce($4, prompt),
            model_name = coalesce($5, model_name),
            status = coalesce($6, status),
            input_params = coalesce($7, input_params),
            settings = coalesce($8, settings),
            revision = revision + 1
        where team_id = $1 and id = $2
        returning id, name, prompt, model_name, status as "status: Word<ExpertStatus>",
            input_params as "input_params: Json<Map<String, Value>>",
            settings as "settings: Json<Map<String, Value>>", revision, history_of, created_on, updated_on"#,
        team.uuid(),
        id.uuid(),
        patch.name,
        patch.prompt,
        patch.model_name,
        patch.status.map(word),
        patch.input_params.as_ref().map(Json) as _,
        patch.settings.as_ref().map(Json) as _
    )
    .fetch_one(tx)
    .await;
    row.map(Expert::from).map_err(store_error("update an expert"))
}

/// Whether they differ in more than their status.
fn says_other(before: &Expert, after: &Expert) -> bool {
    fn said(expert: &Expert) -> (&str, &str, &str, &Map<String, Value>, &Map<String, Value>) {
        (&expert.name, &expert.prompt, &expert.model_name, &expert.input_params, &expert.settings)
    }
    said(before) != said(after)
}

async fn keep(
    tx: &mut PgConnection,
    team: TeamId,
    before: &Expert,
    earlier: ExpertId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into experts (id, team_id, name, prompt, model_name, status, input_params, settings, revision,
            history_of, created_on, updated_on)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now())",
        earlier.uuid(),
        team.uuid(),
        before.name,
        before.prompt,
        before.model_name,
        word(ExpertStatus::Historical),
        Json(&before.input_params) as _,
        Json(&before.settings) as _,
        before.revision,
        before.id.uuid(),
        before.updated_on
    )
    .execute(tx)
    .await
    .map_err(store_error("keep an expert's earlier state"))?;
    Ok(())
}
