//! Reading runs and versions.

use std::sync::Arc;

use app::{
    ports::{LoadedRun, StoreError},
    spill::{self, LargeValues},
};
use domain::{RunId, TeamId, VersionId, WorkflowVersion};
use engine::{Run, StepRecord};

use super::{
    EmbeddedRunStore, blob_of,
    records::{StoredRecord, stored_records},
};
use crate::error::unavailable;

const DOING: &str = "load a run";

impl EmbeddedRunStore {
    /// Everything of a run in one query.
    pub(super) async fn load_run(&self, team: TeamId, id: RunId) -> Result<LoadedRun, StoreError> {
        let row = sqlx::query!(
            r#"select state, inputs,
                array(select records from embedded.steps where run_id = runs.id order by revision) as "records!"
            from embedded.runs where id = $1 and team_id = $2"#,
            id.uuid(),
            team.uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(DOING))?
        .ok_or(StoreError::NotFound)?;
        let run: Run = serde_json::from_str(&row.state).map_err(unavailable(DOING))?;
        let inputs_blob = blob_of(&row.inputs)?;
        let mut stored = Vec::new();
        for commit in &row.records {
            stored.extend(stored_records(commit)?);
        }
        let references = stored.iter().filter_map(StoredRecord::blob).chain(&inputs_blob);
        let references = references.map(|sha256| (sha256.clone(), spill::UNKNOWN)).collect();
        let large = LargeValues::read(&*self.blobs, team, references).await?;
        let inputs = match &inputs_blob {
            Some(sha256) => large.get(sha256)?,
            None => serde_json::from_str(&row.inputs).map(Arc::new).map_err(unavailable(DOING))?,
        };
        let records = stored.into_iter().map(|record| record.with_output(&large));
        let records: Vec<_> = records.collect::<Result<_, _>>()?;
        // Records of lost commits were never written.
        Ok(LoadedRun::compose(run, inputs, records, |_| true))
    }

    /// The control state and the records without their outputs, of which no blob is read.
    pub(super) async fn load_bare(
        &self,
        team: TeamId,
        id: RunId,
    ) -> Result<(Run, Vec<StepRecord>), StoreError> {
        let row = sqlx::query!(
            r#"select state,
                array(select records from embedded.steps where run_id = runs.id order by revision) as "records!"
            from embedded.runs where id = $1 and team_id = $2"#,
            id.uuid(),
            team.uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(DOING))?
        .ok_or(StoreError::NotFound)?;
        let run: Run = serde_json::from_str(&row.state).map_err(unavailable(DOING))?;
        let mut records = Vec::new();
        for commit in &row.records {
            records.extend(stored_records(commit)?.into_iter().map(StoredRecord::bare));
        }
        let LoadedRun { run, records, .. } = LoadedRun::compose(run, Arc::default(), records, |_| true);
        Ok((run, records))
    }

    /// Only the control state.
    pub(super) async fn load_state(&self, team: TeamId, id: RunId) -> Result<Run, StoreError> {
        let state = sqlx::query_scalar!(
            "select state from embedded.runs where id = $1 and team_id = $2",
            id.uuid(),
            team.uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(DOING))?
        .ok_or(StoreError::NotFound)?;
        serde_json::from_str(&state).map_err(unavailable(DOING))
    }

    /// A version, which is kept from then on.
    pub(super) async fn read_version(
        &self,
        team: TeamId,
        id: VersionId,
    ) -> Result<Arc<WorkflowVersion>, StoreError> {
        let doing = "read a version";
        let json = sqlx::query_scalar!(
            "select version from embedded.versions where id = $1 and team_id = $2",
            id.uuid(),
            team.uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(doing))?
        .ok_or(StoreError::NotFound)?;
        let json = self.unpack(team, json).await?;
        let version: Arc<WorkflowVersion> =
            Arc::new(serde_json::from_str(&json).map_err(unavailable(doing))?);
        self.versions.insert(id, Arc::clone(&version));
        Ok(version)
    }
}
