//! Published versions: written once, read by every worker, cached for good.

use std::sync::Arc;

use app::ports::StoreError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::{TeamId, VersionId, WorkflowVersion};

use crate::{
    DynamoRunStore,
    error::{failed, unavailable},
    items::{keyed, text, text_of},
    keys,
    spill::{self, pack},
};

impl DynamoRunStore {
    /// Stores a version unless it is there: a version never changes.
    pub(crate) async fn store_version(&self, version: &WorkflowVersion) -> Result<(), StoreError> {
        let doing = "store a version";
        let json = serde_json::to_string(version).map_err(unavailable(doing))?;
        let mut item = keyed(keys::version_pk(version.id), keys::VERSION);
        item.insert("team_id".to_owned(), text(version.team_id.to_string()));
        item.insert(
            "version".to_owned(),
            pack(&*self.blobs, version.team_id, json, spill::VERSION_MAX).await?,
        );
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(doing)(error)),
        }
    }

    /// A version of this team.
    pub(crate) async fn load_version(
        &self,
        team: TeamId,
        id: VersionId,
    ) -> Result<Arc<WorkflowVersion>, StoreError> {
        let version = match self.versions.get(&id) {
            Some(version) => version,
            None => self.read_version(team, id).await?,
        };
        if version.team_id == team { Ok(version) } else { Err(StoreError::NotFound) }
    }

    async fn read_version(&self, team: TeamId, id: VersionId) -> Result<Arc<WorkflowVersion>, StoreError> {
        let item = self.get(keys::version_pk(id), keys::VERSION, "read a version").await?;
        let item = item.ok_or(StoreError::NotFound)?;
        if text_of(&item, "team_id")? != team.to_string() {
            return Err(StoreError::NotFound);
        }
        let version: Arc<WorkflowVersion> = Arc::new(self.unpacked(team, &item, "version").await?);
        self.versions.insert(id, Arc::clone(&version));
        Ok(version)
    }
}
