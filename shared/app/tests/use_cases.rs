//! Starting, cancelling and publishing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use app::{
    CancelError, PublishError, PublishPorts, PublishWorkflow, StartError, StartRun, Target, cancel_run,
    fakes::{ScriptedConnectors, a_version, graph, team},
    ports::{Act, Clock, Draft, RunStore},
    publish_workflow, start_run, validate_graph,
};
use common::{World, effect, flow, hint, pure};
use domain::{Priority, RunStatus, ServiceId, Timestamp, Trigger, TriggerKind, WorkflowId, WorkflowVersion};
use serde_json::{Map, Value, json};
use uuid::Uuid;

fn world() -> World {
    World::new(ScriptedConnectors::echo())
}

fn published(world: &World) -> WorkflowVersion {
    let version = a_version(team(), graph(flow(vec![pure("a", "input")], &[])));
    world.catalog.put_version(version.clone());
    version
}

#[tokio::test]
async fn a_start_stores_a_pending_run_and_sends_one_hint() {
    let mut world = world();
    let version = published(&world);
    let started = world.start(&version, json!({"n": 1}), None).await.unwrap();
    assert!(!started.is_repeat);
    let loaded = world.load(&started.run).await;
    assert_eq!((loaded.run.status, loaded.run.version_id), (RunStatus::Pending, version.id));
    assert_eq!(*loaded.values.inputs, json!({"n": 1}));
    assert_eq!(world.collect().into_iter().map(|m| m.hint).collect::<Vec<_>>(), [hint(&started.run, None)]);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_answers_the_same_run_and_mends_a_lost_hint() {
    let mut world = world();
    let version = published(&world);
    let first = world.start(&version, json!({}), Some("k")).await.unwrap();
    let lost = world.collect();
    world.messages.clear();
    let again = world.start(&version, json!({}), Some("k")).await.unwrap();
    assert_eq!((again.run.id, again.is_repeat), (first.run.id, true));
    assert_eq!(world.collect().len(), lost.len(), "the run is pending, its hint may be lost");
    world.drain().await;
    let done = world.start(&version, json!({}), Some("k")).await.unwrap();
    assert_eq!((done.run.id, done.run.status), (first.run.id, RunStatus::Succeeded));
    assert!(world.collect().is_empty());
    let other = world.start(&version, json!({"other": true}), Some("k")).await;
    assert!(matches!(other, Err(StartError::KeyReused)), "{other:?}");
}

#[tokio::test]
async fn a_version_that_the_run_store_missed_is_handed_over_by_the_first_start() {
    let world = world();
    let version = published(&world);
    assert!(world.store.version(version.team_id, version.id).await.is_err());
    world.start(&version, json!({}), None).await.unwrap();
    assert_eq!(*world.store.version(version.team_id, version.id).await.unwrap(), version);
}

#[tokio::test]
async fn a_start_is_refused_where_it_must_be() {
    let mut world = world();
    let runnable = published(&world);
    let service = ServiceId::new(Uuid::from_u128(7));
    world.catalog.attach_service(runnable.workflow_id, service);
    let start = async |world: &World, version: &WorkflowVersion, kind, target| {
        let trigger = Trigger { kind, by: None };
        let service = (kind == TriggerKind::Api).then_some(service);
        let wish = StartRun {
            team_id: version.team_id,
            target,
            inputs: json!({}),
            trigger,
            service,
            priority: Priority::Default,
            idempotency_key: None,
        };
        start_run(&world.ports(), wish).await.map(|_| ())
    };

    let stranger = WorkflowVersion { team_id: team(), ..runnable.clone() };
    for target in [Target::Workflow(runnable.workflow_id), Target::Version(runnable.id)] {
        let answer = start(&world, &stranger, TriggerKind::Api, target).await;
        assert!(matches!(answer, Err(StartError::NotFound)), "{answer:?}");
    }

    let drafted = WorkflowId::new(team().uuid());
    let draft = Draft {
        name: "d".to_owned(),
        graph: graph(json!({"nodes": []})),
        input_params: Map::new(),
        is_api: true,
        cron_schedule: None,
        settings: serde_json::Map::new(),
        revision: 1,
    };
    world.catalog.put_draft(runnable.team_id, drafted, draft);
    world.catalog.attach_service(drafted, service);
    let answer = start(&world, &runnable, TriggerKind::Api, Target::Workflow(drafted)).await;
    assert!(matches!(answer, Err(StartError::NotPublished)), "{answer:?}");

    let internal = WorkflowVersion { is_api: false, ..a_version(runnable.team_id, runnable.graph.clone()) };
    world.catalog.put_version(internal.clone());
    world.catalog.attach_service(internal.workflow_id, service);
    let target = Target::Workflow(internal.workflow_id);
    let answer = start(&world, &internal, TriggerKind::Api, target).await;
    assert!(matches!(answer, Err(StartError::NotCallable)), "{answer:?}");
    start(&world, &internal, TriggerKind::Manual, target).await.unwrap();
    world.collect();

    let Value::Object(schema) = json!({"type": "object", "required": ["n"]}) else { unreachable!() };
    let strict =
        WorkflowVersion { input_params: schema, ..a_version(runnable.team_id, runnable.graph.clone()) };
    world.catalog.put_version(strict.clone());
    world.catalog.attach_service(strict.workflow_id, service);
    let answer = start(&world, &strict, TriggerKind::Api, Target::Version(strict.id)).await;
    assert!(matches!(&answer, Err(StartError::InvalidInputs(wrong)) if wrong.len() == 1), "{answer:?}");

    world.catalog.archive(runnable.workflow_id);
    for target in [Target::Workflow(runnable.workflow_id), Target::Version(runnable.id)] {
        let answer = start(&world, &runnable, TriggerKind::Api, target).await;
        assert!(matches!(answer, Err(StartError::Archived)), "{answer:?}");
    }
    assert!(world.collect().is_empty(), "nothing was started");
}

#[tokio::test]
async fn a_cancelled_run_starts_nothing_more() {
    let mut world = world();
    let run = world.started(flow(vec![effect("a"), effect("b")], &["a > b"]), json!({})).await;
    let cancelled = cancel_run(&world.conductor, run.team_id, run.id).await.unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelled);
    world.drain().await;
    assert!(world.connectors.calls().is_empty());
    let again = cancel_run(&world.conductor, run.team_id, run.id).await;
    assert!(matches!(again, Err(CancelError::Ended(run)) if run.status == RunStatus::Cancelled));
    let foreign = cancel_run(&world.conductor, team(), run.id).await;
    assert!(matches!(foreign, Err(CancelError::NotFound)), "{foreign:?}");
}

#[tokio::test]
async fn a_run_that_workers_are_busy_with_can_be_cancelled() {
    let mut world = world();
    let keys: Vec<_> = (0..20).map(|n| format!("n{n}")).collect();
    let run =
        world.started(flow(keys.iter().map(|key| effect(key)).collect::<Vec<_>>(), &[]), json!({})).await;
    let first = world.messages.remove(0).hint;
    let (advanced, cancelled) =
        tokio::join!(world.advance(&first, 1), cancel_run(&world.conductor, run.team_id, run.id));
    advanced.unwrap();
    assert_eq!(cancelled.unwrap().status, RunStatus::Cancelled);
    let calls = world.connectors.calls().len();
    world.collect();
    world.drain().await;
    assert_eq!(world.connectors.calls().len(), calls);
    assert_eq!(world.load(&run).await.run.status, RunStatus::Cancelled);
}

fn drafted(world: &World, nodes_and_edges: Value) -> PublishWorkflow {
    let wish = PublishWorkflow {
        team_id: team(),
        workflow_id: WorkflowId::new(team().uuid()),
        if_revision: None,
        note: None,
        act: Act::of_system(team().uuid(), Timestamp::UNIX_EPOCH),
    };
    let draft = Draft {
        name: "orders".to_owned(),
        graph: graph(nodes_and_edges),
        input_params: Map::new(),
        is_api: true,
        cron_schedule: None,
        settings: serde_json::Map::new(),
        revision: 7,
    };
    world.catalog.put_draft(wish.team_id, wish.workflow_id, draft);
    wish
}

fn publish_ports(world: &World) -> PublishPorts<'_> {
    PublishPorts { catalog: &world.catalog, store: &*world.store, clock: &*world.clock, ids: &world.ids }
}

#[tokio::test]
async fn a_published_draft_is_a_numbered_version_that_starts() {
    let world = world();
    let wish = drafted(&world, flow(vec![pure("a", "input")], &[]));
    for number in 1..3 {
        let version = publish_workflow(&publish_ports(&world), &wish).await.unwrap().version;
        assert_eq!((version.number, version.workflow_id), (number, wish.workflow_id));
        assert_eq!(version.created_on, world.clock.now());
        assert_eq!(*world.store.version(wish.team_id, version.id).await.unwrap(), version);
        let started = world.start(&version, json!({}), None).await.unwrap();
        assert_eq!(started.run.version_id, version.id, "the newest version runs");
    }
}

#[tokio::test]
async fn a_draft_that_was_edited_meanwhile_is_not_published() {
    let world = world();
    let wish = drafted(&world, flow(vec![pure("a", "input")], &[]));
    let stale = PublishWorkflow { if_revision: Some(6), ..wish.clone() };
    let answer = publish_workflow(&publish_ports(&world), &stale).await;
    assert!(matches!(answer, Err(PublishError::Changed)), "{answer:?}");
    let foreign = PublishWorkflow { team_id: team(), ..wish };
    let answer = publish_workflow(&publish_ports(&world), &foreign).await;
    assert!(matches!(answer, Err(PublishError::NotFound)), "{answer:?}");
}

#[tokio::test]
async fn every_problem_of_a_draft_is_named_at_once() {
    let world = world();
    let mut fetch = effect("fetch");
    fetch["metadata"]["headers"] = json!({"authorization": "{{ secret.TOKEN }}"});
    let wish =
        drafted(&world, flow(vec![fetch, json!({"key": "x", "node_type": "nonsense"})], &["fetch > fetch"]));
    let Err(PublishError::Invalid(violations)) = publish_workflow(&publish_ports(&world), &wish).await else {
        panic!("it was published")
    };
    assert!(violations.len() >= 3, "{violations:#?}");
    let unknown: Vec<_> = violations.iter().filter(|v| v.code == "unknown_reference").collect();
    assert_eq!(unknown.len(), 1, "{violations:#?}");
    assert_eq!(unknown[0].pointer, "/nodes/0/metadata/headers");

    world.catalog.put_thing(wish.team_id, "TOKEN");
    let draft =
        app::ports::WorkflowCatalog::draft(&world.catalog, wish.team_id, wish.workflow_id).await.unwrap();
    let left = validate_graph(&world.catalog, wish.team_id, &draft.graph, &draft.input_params).await.unwrap();
    assert!(!left.is_empty() && left.iter().all(|v| v.code != "unknown_reference"), "{left:#?}");
}

#[tokio::test]
async fn a_use_of_what_can_not_be_there_and_a_plan_over_its_limit_are_not_published() {
    let world = world();
    let wish = drafted(&world, flow(vec![pure("a", "{'x': 1}"), pure("b", "input.y")], &["a > b"]));
    let Err(PublishError::Invalid(violations)) = publish_workflow(&publish_ports(&world), &wish).await else {
        panic!("it was published")
    };
    let found: Vec<_> = violations.iter().map(|v| (v.code.as_str(), v.pointer.as_str())).collect();
    assert_eq!(found, [("unknown_field", "/nodes/1/metadata/program")]);

    let wish = drafted(&world, flow(vec![pure("a", "1"), pure("b", "input")], &["a > b"]));
    let draft =
        app::ports::WorkflowCatalog::draft(&world.catalog, wish.team_id, wish.workflow_id).await.unwrap();
    let settings = json!({"max_steps": 1}).as_object().unwrap().clone();
    world.catalog.put_draft(wish.team_id, wish.workflow_id, Draft { settings, ..draft });
    let Err(PublishError::Invalid(violations)) = publish_workflow(&publish_ports(&world), &wish).await else {
        panic!("it was published")
    };
    let found: Vec<_> = violations.iter().map(|v| (v.code.as_str(), v.pointer.as_str())).collect();
    assert_eq!(found, [("over_limit", "/settings/max_steps")]);
}

#[tokio::test]
async fn a_publication_comes_with_its_plan() {
    let world = world();
    let wish = drafted(&world, flow(vec![effect("a"), pure("b", "input.status")], &["a > b"]));
    let publication = publish_workflow(&publish_ports(&world), &wish).await.unwrap();
    assert_eq!((publication.warnings, publication.plan.bounds.calls.min), (vec![], 1));
    assert_eq!(publication.plan.nodes[1].output, json!({"type": "number"}));
}
