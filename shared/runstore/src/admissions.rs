//! Who is under way of a team that may have only so many runs at a time, and who waits.

use app::ports::{Admission, Admissions, MOST_RUNNING, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{RunId, TeamId};

use crate::{
    error::{failed, malformed, unavailable},
    items::{Item, keyed, number, text, text_of},
    keys::{self, SK},
};

const ADMITTING: &str = "admit a run";
const LEAVING: &str = "let a run leave";
const COUNTING: &str = "find a run in line";

/// The set of the runs that are in.
const RUNS: &str = "runs";

/// Admissions in the table of runs: an item with a set for those that are in, and an item for each run in line. Slots for calls stand there
/// too, in an item for each team.
pub struct DynamoAdmissions {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl DynamoAdmissions {
    /// Admissions in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The first of the line that come no later than the run, itself included if it waits.
    async fn line_to(&self, team: TeamId, run: RunId) -> Result<Vec<RunId>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :line AND sk <= :run")
            .expression_attribute_values(":line", text(keys::line_pk(team)))
            .expression_attribute_values(":run", text(run.to_string()))
            .projection_expression(SK)
            .limit(i32::try_from(MOST_RUNNING + 1).unwrap_or(i32::MAX));
        let found = query.send().await.map_err(failed(COUNTING))?.items.unwrap_or_default();
        found.iter().map(|item| text_of(item, SK)?.parse().map_err(unavailable(COUNTING))).collect()
    }

    /// Adds a run to those that are in if there are fewer than `room`, or if it is one of them; else answers them.
    async fn enter(&self, team: TeamId, run: RunId, room: u32) -> Result<Result<(), Vec<RunId>>, StoreError> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(inside(team)));
        let update = update
            .update_expression("ADD #runs :this")
            .condition_expression("contains(#runs, :run) OR size(#runs) < :room OR (attribute_not_exists(#runs) AND :room > :none)")
            .expression_attribute_names("#runs", RUNS)
            .expression_attribute_values(":this", AttributeValue::Ss(vec![run.to_string()]))
            .expression_attribute_values(":run", text(run.to_string()))
            .expression_attribute_values(":room", number(&room))
            .expression_attribute_values(":none", number(&0))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(Ok(())) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Err(refused.item().map(runs_of).transpose()?.unwrap_or_default()))
            }
            _ => Err(failed(ADMITTING)(error)),
        }
    }

    async fn join_line(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let item = keyed(keys::line_pk(team), run.to_string());
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(failed(ADMITTING))
    }

    async fn leave_line(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let key = keyed(keys::line_pk(team), run.to_string());
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map(drop).map_err(failed(LEAVING))
    }

    async fn first_in_line(&self, team: TeamId) -> Result<Option<RunId>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true).limit(1);
        let query = query
            .key_condition_expression("pk = :line")
            .expression_attribute_values(":line", text(keys::line_pk(team)));
        let found = query.send().await.map_err(failed(LEAVING))?.items.unwrap_or_default();
        found.first().map(|item| text_of(item, SK)?.parse().map_err(unavailable(LEAVING))).transpose()
    }
}

#[async_trait]
impl Admissions for DynamoAdmissions {
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError> {
        let mut ahead = self.line_to(team, run).await?;
        let waited = ahead.pop_if(|last| *last == run).is_some();
        ahead.truncate(MOST_RUNNING as usize);
        let before = u32::try_from(ahead.len()).unwrap_or(u32::MAX);
        match self.enter(team, run, limit.saturating_sub(before)).await? {
            Ok(()) => {
                if waited {
                    self.leave_line(team, run).await?;
                }
                Ok(Admission::Admitted)
            }
            Err(inside) => {
                if !waited {
                    self.join_line(team, run).await?;
                }
                let behind = inside.into_iter().chain(ahead).collect();
                Ok(Admission::Waits { position: before + 1, behind })
            }
        }
    }

    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(inside(team)));
        let update = update
            .update_expression("DELETE #runs :this")
            .expression_attribute_names("#runs", RUNS)
            .expression_attribute_values(":this", AttributeValue::Ss(vec![run.to_string()]));
        update.send().await.map_err(failed(LEAVING))?;
        self.leave_line(team, run).await?;
        self.first_in_line(team).await
    }

    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError> {
        let line = self.line_to(team, run).await?;
        let is_counted = line.last() == Some(&run);
        if !is_counted && line.len() <= MOST_RUNNING as usize {
            return Ok(None);
        }
        Ok(Some(u32::try_from(line.len()).unwrap_or(u32::MAX)))
    }
}

/// The key of the item of the runs that are in.
fn inside(team: TeamId) -> Item {
    keyed(keys::admit_pk(team), keys::ADMITTED)
}

fn runs_of(item: &Item) -> Result<Vec<RunId>, StoreError> {
    let Some(runs) = item.get(RUNS) else { return Ok(Vec::new()) };
    let runs = runs.as_ss().map_err(|_| malformed(ADMITTING, RUNS))?;
    runs.iter().map(|run| run.parse().map_err(unavailable(ADMITTING))).collect()
}
