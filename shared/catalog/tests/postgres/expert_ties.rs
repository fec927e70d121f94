//! What experts are tied to (EXP-04, EXP-05, EXP-11), and that nobody who is needed goes.

use app::ports::{Ids as _, WorkflowCatalog as _};
use catalog::{ExpertCounts, ExpertPatch, ExpertUser, NewExpert, NewService, StoreError, WrongSubs};
use domain::{
    Environment, ExpertId, ExpertStatus, ServiceId, TeamId, VersionId, WorkflowId, WorkflowStatus,
    WorkflowVersion,
};
use engine::{Reference, ReferenceKind};
use serde_json::{Map, Value, json};

use crate::support::{World, is_not_found};

impl World {
    async fn expert_in(&self, team: TeamId, name: &str, subs: &[ExpertId]) -> Result<ExpertId, StoreError> {
        let new = NewExpert { settings: with_subs(subs), ..self.new_expert(name, ExpertStatus::Active) };
        self.catalog.expert_insert(team, &new, &self.act()).await.map(|expert| expert.id)
    }

    async fn service_in(&self, team: TeamId) -> ServiceId {
        let id = ServiceId::new(self.ids.next());
        let new = NewService { id, name: "s".to_owned(), environment: Environment::Dev };
        self.catalog.service_insert(team, &new, &self.act()).await.unwrap().id
    }

    /// A workflow whose published version has this one node.
    async fn published_with(&self, name: &str, node: Value) -> WorkflowId {
        let workflow = self.workflow(name).await;
        let graph = serde_json::from_value(json!({"nodes": [node], "edges": []})).unwrap();
        let version = WorkflowVersion {
            id: VersionId::new(self.ids.next()),
            workflow_id: workflow.id,
            ..app::fakes::a_version(self.ours, graph)
        };
        self.catalog.insert_version(version, workflow.revision, None, &self.act()).await.unwrap();
        workflow.id
    }
}

fn with_subs(subs: &[ExpertId]) -> Map<String, Value> {
    json!({ "sub_experts": subs }).as_object().unwrap().clone()
}

#[tokio::test]
async fn exp_04_05_an_expert_counts_each_that_it_is_attached_to_once() {
    let world = World::new().await;
    let (catalog, ours) = (&world.catalog, world.ours);
    let expert = world.expert_in(ours, "Clerk", &[]).await.unwrap();
    let foreign = world.expert_in(world.theirs, "Theirs", &[]).await.unwrap();
    let (workflow, service) = (world.workflow("w").await.id, world.service_in(ours).await);
    let (foreign_service, link) = (world.service_in(world.theirs).await, || world.ids.next());
    for _ in 0..2 {
        catalog.expert_attach_workflow(ours, expert, workflow, link(), &world.act()).await.unwrap();
        catalog.expert_attach_service(ours, expert, service, link(), &world.act()).await.unwrap();
    }
    let counts = catalog.expert_counts(ours, &[expert, foreign]).await.unwrap();
    assert_eq!(counts, [(expert, ExpertCounts { workflows: 1, services: 1 })].into());

    let theirs = world.theirs;
    for refused in [
        catalog.expert_attach_workflow(ours, foreign, workflow, link(), &world.act()).await,
        catalog.expert_attach_workflow(theirs, foreign, workflow, link(), &world.act()).await,
        catalog.expert_attach_service(ours, expert, foreign_service, link(), &world.act()).await,
        catalog.expert_attach_service(theirs, expert, foreign_service, link(), &world.act()).await,
        catalog.expert_detach_workflow(theirs, expert, workflow, &world.act()).await,
        catalog.expert_detach_service(theirs, expert, service, &world.act()).await,
    ] {
        assert!(is_not_found(&refused), "{refused:?}");
    }
    let earlier = ExpertId::new(link());
    let edit = ExpertPatch { prompt: Some("other".to_owned()), ..ExpertPatch::default() };
    catalog.expert_update(ours, expert, &edit, None, earlier, &world.act()).await.unwrap();
    assert!(is_not_found(
        &catalog.expert_attach_workflow(ours, earlier, workflow, link(), &world.act()).await
    ));
    assert!(is_not_found(&catalog.expert_attach_service(ours, earlier, service, link(), &world.act()).await));

    catalog.expert_detach_workflow(ours, expert, workflow, &world.act()).await.unwrap();
    catalog.expert_detach_service(ours, expert, service, &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.expert_detach_workflow(ours, expert, workflow, &world.act()).await));
    assert!(is_not_found(&catalog.expert_detach_service(ours, expert, service, &world.act()).await));
    assert_eq!(catalog.expert_counts(ours, &[expert]).await.unwrap()[&expert], ExpertCounts::default());
}

#[tokio::test]
async fn exp_11_sub_experts_are_the_teams_and_lead_nowhere_back() {
    let world = World::new().await;
    let (catalog, ours) = (&world.catalog, world.ours);
    let c = world.expert_in(ours, "c", &[]).await.unwrap();
    let b = world.expert_in(ours, "b", &[c]).await.unwrap();
    let a = world.expert_in(ours, "a", &[b]).await.unwrap();
    let foreign = world.expert_in(world.theirs, "theirs", &[]).await.unwrap();
    let nobody = ExpertId::new(world.ids.next());
    let wrong = catalog.expert_wrong_subs(ours, c, &[a, foreign, nobody, c]).await.unwrap();
    assert_eq!(wrong, WrongSubs { missing: vec![foreign, nobody], circular: vec![a, c] });
    assert_eq!(catalog.expert_wrong_subs(ours, a, &[b, c]).await.unwrap(), WrongSubs::default());
    assert_eq!(catalog.expert_wrong_subs(ours, a, &[]).await.unwrap(), WrongSubs::default());

    let name = async |id, subs: &[ExpertId]| {
        let patch = ExpertPatch { settings: Some(with_subs(subs)), ..ExpertPatch::default() };
        catalog.expert_update(ours, id, &patch, None, world.ids.next().into(), &world.act()).await
    };
    for subs in [[a], [foreign], [c]] {
        assert!(matches!(name(c, &subs).await, Err(StoreError::Conflict)), "{subs:?}");
    }
    assert!(matches!(world.expert_in(ours, "d", &[nobody]).await, Err(StoreError::Conflict)));
    // A text that is no id, left by whoever wrote settings without looking, is in nobody's way.
    world
        .sql("update experts set settings = '{\"sub_experts\": [\"x\", 7]}' where name = 'b'")
        .await
        .unwrap();
    assert!(name(c, &[a]).await.is_ok());
}

#[tokio::test]
async fn exp_11_two_experts_that_name_each_other_at_once_do_not_both() {
    let world = World::new().await;
    for round in 0..8 {
        let one = world.expert_in(world.ours, &format!("one {round}"), &[]).await.unwrap();
        let two = world.expert_in(world.ours, &format!("two {round}"), &[]).await.unwrap();
        let name = async |id, sub| {
            let patch = ExpertPatch { settings: Some(with_subs(&[sub])), ..ExpertPatch::default() };
            world
                .catalog
                .expert_update(world.ours, id, &patch, None, world.ids.next().into(), &world.act())
                .await
        };
        let (first, second) = tokio::join!(name(one, two), name(two, one));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
}

#[tokio::test]
async fn an_expert_that_somebody_needs_stays() {
    let world = World::new().await;
    let (catalog, ours) = (&world.catalog, world.ours);
    let expert = world.expert_in(ours, "Clerk", &[]).await.unwrap();
    let job = |key: &str, id: String| json!({"key": key, "node_type": "job", "metadata": {"expert_id": id}});
    let direct = world.published_with("direct", job("a", expert.to_string().to_uppercase())).await;
    let body = job("b", expert.to_string());
    let each =
        json!({"key": "e", "node_type": "for_each", "metadata": {"items": "{{ [1] }}", "body": [body]}});
    let in_loop = world.published_with("in a loop", each).await;
    let says = json!({"key": "a", "node_type": "return", "metadata": {"output": expert.to_string()}});
    world.published_with("only says it", says).await;
    let archived = world.published_with("put away", job("a", expert.to_string())).await;
    let put_away = WorkflowStatus::Archived;
    catalog.workflow_move(ours, archived, put_away, None, &world.act()).await.unwrap();
    let chief = world.expert_in(ours, "Chief", &[expert]).await.unwrap();

    let needed = vec![
        ExpertUser::Workflow(direct, "direct".to_owned()),
        ExpertUser::Workflow(in_loop, "in a loop".to_owned()),
        ExpertUser::Expert(chief, "Chief".to_owned()),
    ];
    assert_eq!(catalog.expert_delete(ours, expert, &world.act()).await.unwrap(), needed);
    catalog.expert_get(ours, expert).await.unwrap();
    assert_eq!(catalog.expert_delete(ours, chief, &world.act()).await.unwrap(), []);
    for workflow in [direct, in_loop] {
        catalog.workflow_delete(ours, workflow, None, &world.act()).await.unwrap();
    }
    assert_eq!(catalog.expert_delete(ours, expert, &world.act()).await.unwrap(), []);
    assert!(is_not_found(&catalog.expert_get(ours, expert).await));
}

#[tokio::test]
async fn a_workflow_can_not_name_an_earlier_state() {
    let world = World::new().await;
    let expert = world.expert_in(world.ours, "Clerk", &[]).await.unwrap();
    let earlier = ExpertId::new(world.ids.next());
    let edit = ExpertPatch { prompt: Some("other".to_owned()), ..ExpertPatch::default() };
    world.catalog.expert_update(world.ours, expert, &edit, None, earlier, &world.act()).await.unwrap();
    let reference = |id: ExpertId| Reference {
        kind: ReferenceKind::Expert,
        id: id.to_string(),
        node: "a".into(),
        pointer: String::new(),
    };
    let missing = world.catalog.missing(world.ours, &[reference(expert), reference(earlier)]).await.unwrap();
    assert_eq!(missing, [reference(earlier)]);
}
