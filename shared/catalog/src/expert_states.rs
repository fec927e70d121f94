//! Experts as a version keeps them.

use app::ports::ExpertState;
use domain::{ExpertId, ExpertStatus, FrozenExpert, TeamId};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Catalog, StoreError, word::Word};

impl Catalog {
    /// Behind [`WorkflowCatalog::experts`](app::ports::WorkflowCatalog::experts). An earlier state of an expert is none.
    pub(crate) async fn expert_states(
        &self,
        team: TeamId,
        experts: &[ExpertId],
    ) -> Result<Vec<ExpertState>, StoreError> {
        let ids: Vec<Uuid> = experts.iter().map(|id| id.uuid()).collect();
        let mut tx = self.team(team, "read experts to publish with").await?;
        let rows = sqlx::query!(
            r#"select id, name, prompt, model_name, revision, status as "status: Word<ExpertStatus>",
                input_params as "input_params: Json<Map<String, Value>>",
                settings as "settings: Json<Map<String, Value>>"
            from experts where team_id = $1 and id = any ($2) and history_of is null"#,
            team.uuid(),
            &ids
        )
        .fetch_all(&mut *tx)
        .await;
        let states = tx.end(rows).await?.into_iter().map(|row| ExpertState {
            status: row.status.0,
            expert: FrozenExpert {
                expert_id: row.id.into(),
                revision: row.revision,
                name: row.name,
                prompt: row.prompt,
                model_name: row.model_name,
                input_params: row.input_params.0,
                settings: row.settings.0,
            },
        });
        Ok(states.collect())
    }
}
