//! What experts are tied to: workflows and services (EXP-04, EXP-05), other experts (EXP-11), and who would miss them.

use std::collections::HashMap;

use app::ports::Act;
use domain::{ExpertId, Graph, ServiceId, TeamId, WorkflowId};
use engine::ReferenceKind;
use serde_json::{Map, Value};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    deeds::Deed,
    error::{found, found_any, store_error},
};

/// How many of each an expert is attached to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpertCounts {
    /// Workflows that it offers.
    pub workflows: u64,
    /// Services that may use it.
    pub services: u64,
}

/// Who needs an expert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpertUser {
    /// A workflow whose published version names it; its name.
    Workflow(WorkflowId, String),
    /// An expert that has it as a sub-expert; its name.
    Expert(ExpertId, String),
}

/// What is wrong with an expert's sub-experts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrongSubs {
    /// The team has no such expert.
    pub missing: Vec<ExpertId>,
    /// They lead back to the expert itself.
    pub circular: Vec<ExpertId>,
}

impl Catalog {
    /// How much each of these experts of the team is attached to (EXP-05).
    pub async fn expert_counts(
        &self,
        team: TeamId,
        experts: &[ExpertId],
    ) -> Result<HashMap<ExpertId, ExpertCounts>, StoreError> {
        let ids: Vec<Uuid> = experts.iter().map(|id| id.uuid()).collect();
        let mut tx = self.team(team, "count what experts have").await?;
        let rows = sqlx::query!(
            r#"select e.id,
                (select count(*) from expert_workflow w where w.team_id = $1 and w.expert_id = e.id) as "workflows!",
                (select count(*) from expert_services s where s.team_id = $1 and s.expert_id = e.id) as "services!"
            from experts e where e.team_id = $1 and e.id = any ($2)"#,
            team.uuid(),
            &ids
        )
        .fetch_all(&mut *tx)
        .await;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let counted = tx.end(rows).await?.into_iter().map(|row| {
            let counts = ExpertCounts { workflows: count(row.workflows), services: count(row.services) };
            (row.id.into(), counts)
        });
        Ok(counted.collect())
    }

    /// Attaches a workflow of the team to an expert of the team; once, however often it is said (EXP-04).
    pub async fn expert_attach_workflow(
        &self,
        team: TeamId,
        expert: ExpertId,
        workflow: WorkflowId,
        link: Uuid,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "attach a workflow to an expert").await?;
        let attached = sqlx::query!(
            "insert into expert_workflow (id, team_id, expert_id, workflow_id)
            select $1, $2, e.id, w.id from experts e join workflows w on w.team_id = e.team_id
            where e.team_id = $2 and e.id = $3 and e.history_of is null and w.id = $4
            on conflict (team_id, expert_id, workflow_id) do update set updated_on = now()",
            link,
            team.uuid(),
            expert.uuid(),
            workflow.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("expert.attach_workflow", expert).with("workflow_id", workflow);
        tx.done(found(attached, "attach a workflow to an expert"), act, deed).await
    }

    /// Takes a workflow from an expert.
    pub async fn expert_detach_workflow(
        &self,
        team: TeamId,
        expert: ExpertId,
        workflow: WorkflowId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "detach a workflow from an expert").await?;
        let detached = sqlx::query!(
            "delete from expert_workflow where team_id = $1 and expert_id = $2 and workflow_id = $3",
            team.uuid(),
            expert.uuid(),
            workflow.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("expert.detach_workflow", expert).with("workflow_id", workflow);
        tx.done(found(detached, "detach a workflow from an expert"), act, deed).await
    }

    /// Lets a service of the team use an expert of the team; once, however often it is said.
    pub async fn expert_attach_service(
        &self,
        team: TeamId,
        expert: ExpertId,
        service: ServiceId,
        link: Uuid,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "attach a service to an expert").await?;
        let attached = sqlx::query!(
            "insert into expert_services (id, team_id, expert_id, service_id)
            select $1, $2, e.id, s.id from experts e join services s on s.team_id = e.team_id
            where e.team_id = $2 and e.id = $3 and e.history_of is null and s.id = $4
            on conflict (team_id, expert_id, service_id) do update set updated_on = now()",
            link,
            team.uuid(),
            expert.uuid(),
            service.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("expert.attach_service", expert).with("service_id", service);
        tx.done(found(attached, "attach a service to an expert"), act, deed).await
    }

    /// Takes a service from an expert.
    pub async fn expert_detach_service(
        &self,
        team: TeamId,
        expert: ExpertId,
        service: ServiceId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "detach a service from an expert").await?;
        let detached = sqlx::query!(
            "delete from expert_services where team_id = $1 and expert_id = $2 and service_id = $3",
            team.uuid(),
            expert.uuid(),
            service.uuid()
        )
        .execute(&mut *tx)
        .await;
        let deed = Deed::new("expert.detach_service", expert).with("service_id", service);
        tx.done(found(detached, "detach a service from an expert"), act, deed).await
    }

    /// What would be wrong with these sub-experts of an expert, which need not be there yet.
    pub async fn expert_wrong_subs(
        &self,
        team: TeamId,
        expert: ExpertId,
        subs: &[ExpertId],
    ) -> Result<WrongSubs, StoreError> {
        let mut tx = self.team(team, "look up sub-experts").await?;
        let wrong = wrong_subs(&mut tx, team, expert, subs).await;
        tx.close(wrong).await
    }

    /// Deletes an expert with its history, unless somebody needs it: then answers who, and nothing is deleted.
    pub async fn expert_delete(
        &self,
        team: TeamId,
        id: ExpertId,
        act: &Act,
    ) -> Result<Vec<ExpertUser>, StoreError> {
        let mut tx = self.team(team, "delete an expert").await?;
        let deleted = async {
            lock_team(&mut tx, team).await?;
            let users = users(&mut tx, team, id).await?;
            if users.is_empty() {
                delete(&mut tx, team, id).await?;
            }
            Ok(users)
        };
        let deleted: Result<Vec<ExpertUser>, StoreError> = deleted.await;
        if deleted.as_ref().is_ok_and(|users| !users.is_empty()) {
            return tx.close(deleted).await;
        }
        tx.done(deleted, act, Deed::new("expert.delete", id)).await
    }
}

/// Lets one transaction at a time decide about how the team's experts hang together.
pub(crate) async fn lock_team(tx: &mut PgConnection, team: TeamId) -> Result<(), StoreError> {
    sqlx::query!("select id from teams where id = $1 for no key update", team.uuid())
        .fetch_one(tx)
        .await
        .map_err(store_error("lock a team's experts"))?;
    Ok(())
}

/// [`Conflict`](StoreError::Conflict) where the sub-experts in `settings` are not what they have to be.
pub(crate) async fn refuse_wrong_subs(
    tx: &mut PgConnection,
    team: TeamId,
    expert: ExpertId,
    settings: &Map<String, Value>,
) -> Result<(), StoreError> {
    let named = settings.get("sub_experts").and_then(Value::as_array).into_iter().flatten();
    let subs: Vec<ExpertId> = named.filter_map(|sub| sub.as_str()?.parse().ok()).collect();
    let wrong = wrong_subs(tx, team, expert, &subs).await?;
    if wrong == WrongSubs::default() { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn wrong_subs(
    tx: &mut PgConnection,
    team: TeamId,
    expert: ExpertId,
    subs: &[ExpertId],
) -> Result<WrongSubs, StoreError> {
    if subs.is_empty() {
        return Ok(WrongSubs::default());
    }
    let ids: Vec<Uuid> = subs.iter().map(|id| id.uuid()).collect();
    // Ids in settings are compared as text: a row of whoever wrote another text there breaks nothing.
    let rows = sqlx::query!(
        r#"with recursive below (via, id) as (
            select named, named::text from unnest($3::uuid[]) named
            union
            select below.via, sub.id
            from below
            join experts e on e.team_id = $1 and e.id::text = below.id
            cross join jsonb_array_elements_text(
                case jsonb_typeof(e.settings -> 'sub_experts')
                    when 'array' then e.settings -> 'sub_experts' else '[]' end) sub (id)
        )
        select named as "id!",
            not exists (select from experts e
                where e.team_id = $1 and e.id = named and e.history_of is null) as "is_missing!",
            exists (select from below where below.via = named and below.id = $2::uuid::text) as "is_circular!"
        from unnest($3::uuid[]) named"#,
        team.uuid(),
        expert.uuid(),
        &ids
    )
    .fetch_all(tx)
    .await
    .map_err(store_error("look up sub-experts"))?;
    let mut wrong = WrongSubs::default();
    for row in rows {
        if row.is_circular {
            wrong.circular.push(row.id.into());
        } else if row.is_missing {
            wrong.missing.push(row.id.into());
        }
    }
    Ok(wrong)
}

async fn users(tx: &mut PgConnection, team: TeamId, id: ExpertId) -> Result<Vec<ExpertUser>, StoreError> {
    // Few graphs have the id in their text, however it was written, and those are read.
    let rows = sqlx::query!(
        r#"select w.id, w.name, v.graph as "graph: Json<Graph>"
        from workflows w join workflow_versions v on v.team_id = w.team_id and v.id = w.published_version_id
        where w.team_id = $1 and w.status <> 'archived'
            and strpos(replace(lower(v.graph::text), '-', ''), replace($2::uuid::text, '-', '')) > 0
        order by w.name, w.id"#,
        team.uuid(),
        id.uuid()
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(store_error("find workflows that use an expert"))?;
    let names_it = |graph: &Graph| {
        let references = engine::references(graph);
        references.iter().any(|found| found.kind == ReferenceKind::Expert && found.id.parse() == Ok(id))
    };
    let workflows = rows.into_iter().filter(|row| names_it(&row.graph));
    let mut users: Vec<_> = workflows.map(|row| ExpertUser::Workflow(row.id.into(), row.name)).collect();
    let experts = sqlx::query!(
        "select id, name from experts
        where team_id = $1 and history_of is null and settings -> 'sub_experts' ? $2::uuid::text
        order by name, id",
        team.uuid(),
        id.uuid()
    )
    .fetch_all(tx)
    .await
    .map_err(store_error("find experts that use an expert"))?;
    users.extend(experts.into_iter().map(|row| ExpertUser::Expert(row.id.into(), row.name)));
    Ok(users)
}

async fn delete(tx: &mut PgConnection, team: TeamId, id: ExpertId) -> Result<(), StoreError> {
    let deleted = sqlx::query!(
        "delete from experts where team_id = $1 and id = $2 and history_of is null",
        team.uuid(),
        id.uuid()
    )
    .execute(tx)
    .await
    .map_err(store_error("delete an expert"))?;
    found_any(&deleted)
}
