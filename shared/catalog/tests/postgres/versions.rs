use app::ports::{ExpertState, Ids as _, Runnable, WorkflowCatalog};
use catalog::{AsideReason, ExpertPatch, StoreError, Window, WorkflowPatch};
use domain::{ExpertStatus, FrozenExpert, Timestamp, VersionId, WorkflowId, WorkflowStatus, WorkflowVersion};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{ALL, World, graph, is_not_found, rule};

impl World {
    /// A snapshot of the draft as it stands, not yet recorded.
    async fn snapshot(&self, workflow: WorkflowId) -> WorkflowVersion {
        let draft = self.catalog.draft(self.ours, workflow).await.unwrap();
        WorkflowVersion {
            id: self.ids.next().into(),
            team_id: self.ours,
            workflow_id: workflow,
            workflow_name: draft.name,
            number: 0,
            graph: draft.graph,
            input_params: draft.input_params,
            is_api: draft.is_api,
            settings: domain::RunSettings::default(),
            uses: Vec::new(),
            experts: Vec::new(),
            created_on: "2026-05-04T03:02:01.123456Z".parse::<Timestamp>().unwrap(),
        }
    }

    /// A workflow with a small draft, and a first version of it.
    async fn published(&self) -> WorkflowVersion {
        let workflow = self.workflow("w").await;
        let draft = graph(&["a", "b"], &[("a", "b")]);
        self.catalog
            .graph_replace(self.ours, workflow.id, &draft, None, &self.ids, &self.act())
            .await
            .unwrap();
        self.catalog
            .insert_version(self.snapshot(workflow.id).await, 2, Some("first"), &self.act())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_version_is_a_snapshot_that_is_found_again_whole() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let draft = graph(&["a", "b"], &[("a", "b")]);
    world
        .catalog
        .graph_replace(world.ours, workflow.id, &draft, None, &world.ids, &world.act())
        .await
        .unwrap();
    let mut snapshot = world.snapshot(workflow.id).await;
    snapshot.experts.push(app::fakes::an_expert("Answer in {{ input.language }}."));

    let version =
        world.catalog.insert_version(snapshot.clone(), 2, Some("first"), &world.act()).await.unwrap();

    assert_eq!(version, WorkflowVersion { number: 1, ..snapshot });
    assert_eq!(world.catalog.version(world.ours, version.id).await.unwrap(), version);
    assert_eq!(world.catalog.version_by_number(world.ours, workflow.id, 1).await.unwrap(), version);
    assert!(is_not_found(&world.catalog.version_by_number(world.ours, workflow.id, u32::MAX).await));
    assert!(is_not_found(&world.catalog.version(world.theirs, version.id).await));
    assert!(is_not_found(&world.catalog.version_by_number(world.theirs, workflow.id, 1).await));
    assert!(is_not_found(&world.catalog.version_list(world.theirs, workflow.id, ALL).await));
}

#[tokio::test]
async fn publishing_makes_the_version_the_one_to_run_and_keeps_the_drafts_revision() {
    let world = World::new().await;
    let version = world.published().await;
    let workflow = world.catalog.workflow_get(world.ours, version.workflow_id).await.unwrap();
    assert_eq!(workflow.status, WorkflowStatus::Published);
    assert_eq!((workflow.published_version_id, workflow.revision), (Some(version.id), 2));
    let runnable = world.catalog.runnable(world.ours, workflow.id, None).await.unwrap();
    assert_eq!(runnable, Runnable { version_id: Some(version.id), is_archived: false });

    let archive = WorkflowStatus::Archived;
    world.catalog.workflow_move(world.ours, workflow.id, archive, None, &world.act()).await.unwrap();
    let runnable = world.catalog.runnable(world.ours, workflow.id, None).await.unwrap();
    assert_eq!(runnable, Runnable { version_id: None, is_archived: true });
}

#[tokio::test]
async fn a_draft_that_changed_since_it_was_read_is_not_published() {
    let world = World::new().await;
    let version = world.published().await;
    let stale = world.snapshot(version.workflow_id).await;
    let edit = graph(&["a"], &[]);
    world
        .catalog
        .graph_replace(world.ours, version.workflow_id, &edit, None, &world.ids, &world.act())
        .await
        .unwrap();

    let refused = world.catalog.insert_version(stale, 2, None, &world.act()).await;

    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(world.catalog.version_list(world.ours, version.workflow_id, ALL).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_foreign_team_publishes_nothing() {
    let world = World::new().await;
    let mut stolen = world.snapshot(world.workflow("w").await.id).await;
    stolen.team_id = world.theirs;
    assert!(is_not_found(&world.catalog.insert_version(stolen, 1, None, &world.act()).await));
}

#[tokio::test]
async fn publishers_at_the_same_time_get_numbers_without_gap_or_double() {
    let world = World::new().await;
    let workflow = world.workflow("w").await.id;
    let mut snapshots = Vec::new();
    for _ in 0..8 {
        snapshots.push(world.snapshot(workflow).await);
    }

    let acts: Vec<_> = snapshots.iter().map(|_| world.act()).collect();
    let published = join_all(
        snapshots.into_iter().zip(&acts).map(|(each, act)| world.catalog.insert_version(each, 1, None, act)),
    )
    .await;

    let mut numbers: Vec<u32> = published.into_iter().map(|version| version.unwrap().number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    let page =
        world.catalog.version_list(world.ours, workflow, Window { limit: 2, offset: 1 }).await.unwrap();
    let listed: Vec<u32> = page.items.iter().map(|version| version.number).collect();
    assert_eq!((page.total, listed), (8, vec![7, 6]));
}

#[tokio::test]
async fn a_version_never_changes_and_goes_with_its_workflow_or_team_only() {
    let world = World::new().await;
    let (one, two) = (world.published().await, world.published().await);
    for sql in ["update workflow_versions set note = 'better'", "delete from workflow_versions"] {
        assert_eq!(world.refusal(sql).await, "ck_workflow_versions_immutable");
    }
    let listed = world.catalog.version_list(world.ours, one.workflow_id, ALL).await.unwrap();
    assert_eq!(listed.items[0].note.as_deref(), Some("first"));

    world.catalog.workflow_delete(world.ours, one.workflow_id, None, &world.act()).await.unwrap();
    assert!(is_not_found(&world.catalog.version(world.ours, one.id).await));
    assert_eq!(world.catalog.version(world.ours, two.id).await.unwrap(), two);
    world.catalog.team_delete(world.ours, &world.act()).await.unwrap();
    assert!(is_not_found(&world.catalog.version(world.ours, two.id).await));
}

#[tokio::test]
async fn an_id_that_is_taken_breaks_a_rule() {
    let world = World::new().await;
    let version = world.published().await;
    let mut again = world.snapshot(version.workflow_id).await;
    again.id = VersionId::new(version.id.uuid());
    assert_eq!(
        rule(world.catalog.insert_version(again, 2, None, &world.act()).await),
        "workflow_versions_pkey"
    );
}

#[tokio::test]
async fn wf_07_a_version_becomes_the_draft_again_and_nodes_that_are_still_there_keep_their_ids() {
    let world = World::new().await;
    let workflow = world.workflow("w").await.id;
    let first = graph(&["a", "b"], &[("a", "b")]);
    let saved = world
        .catalog
        .graph_replace(world.ours, workflow, &first, None, &world.ids, &world.act())
        .await
        .unwrap();
    let settings = json!({"timeout_s": 60, "color": "red"});
    let patch = |settings: Value, inputs: Value, is_api| WorkflowPatch {
        settings: settings.as_object().cloned(),
        input_params: inputs.as_object().cloned(),
        is_api: Some(is_api),
        ..WorkflowPatch::default()
    };
    let update = async |patch: WorkflowPatch| {
        world.catalog.workflow_update(world.ours, workflow, &patch, None, &world.act()).await.unwrap()
    };
    let present = update(patch(settings, json!({"type": "object"}), true)).await;
    let mut snapshot = world.snapshot(workflow).await;
    snapshot.settings.timeout_s = Some(60);
    let version = world.catalog.insert_version(snapshot, present.revision, None, &world.act()).await.unwrap();
    let other = graph(&["a", "c"], &[]);
    world.catalog.graph_replace(world.ours, workflow, &other, None, &world.ids, &world.act()).await.unwrap();
    let edited = update(patch(
        json!({"max_steps": 5, "color": "blue", "on_failure": "finish_branches"}),
        json!({}),
        false,
    ))
    .await;

    let stale = world.catalog.version_restore(&version, Some(1), &world.ids, &world.act()).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    assert_eq!(world.catalog.workflow_get(world.ours, workflow).await.unwrap(), edited);
    let restored = world
        .catalog
        .version_restore(&version, Some(edited.revision), &world.ids, &world.act())
        .await
        .unwrap();

    assert_eq!(restored, world.catalog.draft(world.ours, workflow).await.unwrap());
    assert_eq!((restored.revision, restored.is_api), (edited.revision + 1, true));
    assert_eq!(restored.settings, *json!({"timeout_s": 60, "color": "blue"}).as_object().unwrap());
    assert_eq!(restored.input_params, version.input_params);
    let keys: Vec<_> = restored.graph.nodes.iter().map(|node| node.key.as_str()).collect();
    assert_eq!((keys, &restored.graph.edges), (vec!["a", "b"], &version.graph.edges));
    assert_eq!(restored.graph.nodes[0].id, saved.graph.nodes[0].id);
    assert_ne!(restored.graph.nodes[1].id, saved.graph.nodes[1].id, "it was gone from the draft");
    let told = &world.catalog.audit_list(world.ours, None, 1).await.unwrap()[0].entry;
    assert_eq!((told.action.as_str(), &told.details["number"]), ("workflow.restore", &json!(1)));
    let asides = world.catalog.draft_list(world.ours, workflow, ALL).await.unwrap().items;
    assert_eq!(
        (asides.len(), asides[0].reason, asides[0].based_on),
        (1, AsideReason::Replaced, edited.revision)
    );
    let (_, replaced) = world.catalog.draft_get(world.ours, workflow, asides[0].id).await.unwrap();
    let keys: Vec<_> = replaced.nodes.iter().map(|node| node.key.as_str()).collect();
    assert_eq!(keys, ["a", "c"], "what was restored over can be had");
    let foreign = WorkflowVersion { team_id: world.theirs, ..version };
    assert!(is_not_found(&world.catalog.version_restore(&foreign, None, &world.ids, &world.act()).await));
}

#[tokio::test]
async fn exp_02_what_a_version_keeps_of_experts_is_what_they_are_now() {
    let world = World::new().await;
    let expert = world.new_expert("Clerk", ExpertStatus::Active);
    let theirs = world.new_expert("Theirs", ExpertStatus::Active);
    world.catalog.expert_insert(world.ours, &expert, &world.act()).await.unwrap();
    world.catalog.expert_insert(world.theirs, &theirs, &world.act()).await.unwrap();
    let earlier = world.ids.next().into();
    let edit = ExpertPatch { prompt: Some("Be kind.".to_owned()), ..ExpertPatch::default() };
    world.catalog.expert_update(world.ours, expert.id, &edit, None, earlier, &world.act()).await.unwrap();

    let ids = [expert.id, theirs.id, earlier, world.ids.next().into()];
    let states = world.catalog.experts(world.ours, &ids).await.unwrap();

    let kept = FrozenExpert {
        expert_id: expert.id,
        revision: 2,
        name: expert.name,
        prompt: "Be kind.".to_owned(),
        model_name: expert.model_name,
        input_params: expert.input_params,
        settings: expert.settings,
    };
    assert_eq!(states, [ExpertState { status: ExpertStatus::Active, expert: kept }]);
}
