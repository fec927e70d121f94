use app::ports::{Ids as _, Runnable, WorkflowCatalog};
use catalog::{StoreError, Window, WorkflowPatch};
use domain::{Timestamp, VersionId, WorkflowId, WorkflowStatus, WorkflowVersion};
use futures::future::join_all;

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
            created_on: "2026-05-04T03:02:01.123456Z".parse::<Timestamp>().unwrap(),
        }
    }

    /// A workflow with a small draft, and a first version of it.
    async fn published(&self) -> WorkflowVersion {
        let workflow = self.workflow("w").await;
        let draft = graph(&["a", "b"], &[("a", "b")]);
        self.catalog.graph_replace(self.ours, workflow.id, &draft, None, &self.ids).await.unwrap();
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
    world.catalog.graph_replace(world.ours, workflow.id, &draft, None, &world.ids).await.unwrap();
    let snapshot = world.snapshot(workflow.id).await;

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

    let archive = WorkflowPatch { status: Some(WorkflowStatus::Archived), ..WorkflowPatch::default() };
    world.catalog.workflow_update(world.ours, workflow.id, &archive, None).await.unwrap();
    let runnable = world.catalog.runnable(world.ours, workflow.id, None).await.unwrap();
    assert_eq!(runnable, Runnable { version_id: None, is_archived: true });
}

#[tokio::test]
async fn a_draft_that_changed_since_it_was_read_is_not_published() {
    let world = World::new().await;
    let version = world.published().await;
    let stale = world.snapshot(version.workflow_id).await;
    let edit = graph(&["a"], &[]);
    world.catalog.graph_replace(world.ours, version.workflow_id, &edit, None, &world.ids).await.unwrap();

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

    world.catalog.workflow_delete(world.ours, one.workflow_id).await.unwrap();
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
