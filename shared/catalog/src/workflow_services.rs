//! Which services see a workflow, and may start it where it says so (KEY-11, TRG-01).

use app::ports::Act;
use domain::{Environment, ServiceId, TeamId, WorkflowId};
use sqlx::{PgConnection, postgres::PgQueryResult, query_as};
use uuid::Uuid;

use crate::{Catalog, StoreError, deeds::Deed, error::found, word::Word};

/// A service that sees a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowService {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Where it calls from.
    pub environment: Environment,
}

impl Catalog {
    /// Lets a service of the team see a workflow of the team; once, however often it is said.
    pub async fn workflow_attach_service(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: ServiceId,
        link: Uuid,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "attach a service to a workflow").await?;
        let attached = attach(&mut tx, team, workflow, service, link).await;
        let deed = Deed::new("workflow.attach_service", workflow).with("service_id", service);
        tx.done(found(attached, "attach a service to a workflow"), act, deed).await
    }

    /// Takes a service from a workflow.
    pub async fn workflow_detach_service(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: ServiceId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "detach a service from a workflow").await?;
        let detached = sqlx::query!(
            "delete from workflow_services where team_id = $1 and workflow_id = $2 and service_id = $3",
            team.uuid(),
            workflow.uuid(),
            service.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("workflow.detach_service", workflow).with("service_id", service);
        tx.done(found(detached, "detach a service from a workflow"), act, deed).await
    }

    /// The services that see a workflow of the team, by name and environment.
    pub async fn workflow_services(
        &self,
        team: TeamId,
        workflow: WorkflowId,
    ) -> Result<Vec<WorkflowService>, StoreError> {
        let mut tx = self.team(team, "list the services of a workflow").await?;
        let rows = async {
            // No row at all where the team has no such workflow.
            sqlx::query!(
                "select id from workflows where team_id = $1 and id = $2",
                team.uuid(),
                workflow.uuid()
            )
            .fetch_one(&mut *tx)
            .await?;
            query_as!(
                Row,
                r#"select s.id, s.name, s.environment as "environment: Word<Environment>"
                from workflow_services link join services s on s.team_id = link.team_id and s.id = link.service_id
                where link.team_id = $1 and link.workflow_id = $2
                order by s.name, s.environment, s.id"#,
                team.uuid(),
                workflow.uuid()
            )
            .fetch_all(&mut *tx)
            .await
        };
        let rows = rows.await;
        Ok(tx.end(rows).await?.into_iter().map(WorkflowService::from).collect())
    }
}

pub(crate) async fn attach(
    tx: &mut PgConnection,
    team: TeamId,
    workflow: WorkflowId,
    service: ServiceId,
    link: Uuid,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        "insert into workflow_services (id, team_id, workflow_id, service_id)
        select $1, $2, w.id, s.id from workflows w join services s on s.team_id = w.team_id
        where w.team_id = $2 and w.id = $3 and s.id = $4
        on conflict (team_id, workflow_id, service_id) do update set updated_on = now()",
        link,
        team.uuid(),
        workflow.uuid(),
        service.uuid()
    )
    .execute(tx)
    .await
}

struct Row {
    id: Uuid,
    name: String,
    environment: Word<Environment>,
}

impl From<Row> for WorkflowService {
    fn from(row: Row) -> Self {
        Self { id: row.id.into(), name: row.name, environment: row.environment.0 }
    }
}
