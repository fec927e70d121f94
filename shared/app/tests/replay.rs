//! Replays agree with the record, and show what would have been.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::collections::BTreeMap;

use app::{
    Comparison, Decider, ReplayError, ReplayRun, RetryRun, decide_approval,
    decide_approval::Decision,
    fakes::{ScriptedConnectors, a_version, graph, team, trigger},
    ports::RunStore,
    replay_run, retry_run,
};
use common::{World, effect, flow, pure};
use domain::{ErrorClass, Failure, RunStatus, StepStatus, VersionId};
use engine::{RetryFrom, Run};
use serde_json::{Value, json};

/// Chance, time, a retried call, a choice, a loop, a wait, people, an error edge.
fn everything() -> Value {
    let mut store = effect("store");
    store["on_error"] = json!({"action": "branch"});
    let body = json!([{"key": "send", "node_type": "post_api", "metadata": {"url": "https://api.example.com/", "body": "{{ item }}"}}]);
    json!({
        "nodes": [
            pure("dice", "{'n': $random(), 'at': $now()}"),
            effect("fetch"),
            {"key": "many", "node_type": "if_else", "metadata": {"condition": "input.n > 2"}},
            {"key": "each", "node_type": "for_each", "metadata": {"items": "[1..input.n]", "body": body}},
            {"key": "pause", "node_type": "wait", "metadata": {"seconds": 30}},
            {"key": "ask", "node_type": "approval", "metadata": {"title": "Go?"}},
            store,
            pure("sum", "base.nodes.ask.decision & ' ' & $string($sum(base.nodes.each)) & ' ' & input.code"),
            pure("few", "'few'"),
        ],
        "edges": [
            {"from": "dice", "to": "fetch"}, {"from": "fetch", "to": "many"}, {"from": "many", "to": "each", "label": "true"},
            {"from": "many", "to": "few", "label": "false"}, {"from": "each", "to": "pause"}, {"from": "pause", "to": "ask"},
            {"from": "ask", "to": "store", "label": "approved"}, {"from": "store", "to": "sum", "label": "error"},
        ],
    })
}

fn connectors() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| match (call.node.as_str(), call.attempt) {
        ("fetch", 1) => Err(Failure::new(ErrorClass::Transient, "http_status", "503")),
        ("fetch", _) => Ok(json!({"n": 3})),
        ("store", _) => Err(Failure::new(ErrorClass::Permanent, "http_status", "409")),
        _ => Ok(call.config["body"].clone()),
    })
}

async fn ended(world: &mut World) -> Run {
    let run = world.started(everything(), json!({})).await;
    world.drain().await;
    let ann = Decider { id: "ann".to_owned(), role: None };
    let yes = Decision { approves: true, form: json!(null) };
    decide_approval(&world.conductor, run.team_id, run.id, &"ask".into(), &ann, yes).await.unwrap();
    world.collect();
    world.drain().await;
    assert_eq!(world.result(&run).await, Some(json!("approved 6 http_status")));
    run
}

fn wish(run: &Run) -> ReplayRun {
    ReplayRun { team_id: run.team_id, run_id: run.id, version_id: None, outputs: BTreeMap::new() }
}

fn different(comparison: &Comparison) -> Vec<&str> {
    comparison.nodes.iter().filter(|node| !node.is_equal()).map(|node| node.node.as_str()).collect()
}

#[tokio::test]
async fn a_replay_agrees_with_the_record_and_touches_nothing() {
    let mut world = World::new(connectors());
    let run = ended(&mut world).await;
    let (before, calls) = (world.load(&run).await, world.connectors.calls().len());
    let comparison = replay_run(&world.conductor, &wish(&run)).await.unwrap();
    assert_eq!(different(&comparison), Vec::<&str>::new());
    assert_eq!(comparison.replayed_result, Some(json!("approved 6 http_status")));
    assert!(comparison.nodes.iter().all(|node| !node.is_asked_otherwise));
    assert_eq!(world.connectors.calls().len(), calls);
    assert_eq!(world.load(&run).await.run, before.run);
    assert!(world.collect().is_empty());
}

#[tokio::test]
async fn an_edited_result_shows_what_would_have_been() {
    let mut world = World::new(connectors());
    let run = ended(&mut world).await;
    let outputs = BTreeMap::from([("fetch".into(), json!({"n": 1}))]);
    let comparison = replay_run(&world.conductor, &ReplayRun { outputs, ..wish(&run) }).await.unwrap();
    assert_eq!(different(&comparison), ["fetch", "many", "each", "pause", "ask", "store", "sum", "few"]);
    assert_eq!(comparison.replayed_result, Some(json!("few")));
    let fetch = comparison.nodes.iter().find(|node| node.node.as_str() == "fetch").unwrap();
    let difference = fetch.difference.as_ref().unwrap();
    assert_eq!(
        (difference.pointer.as_str(), &difference.before, &difference.after),
        ("/n", &Some(json!(3)), &Some(json!(1)))
    );
    let outputs = BTreeMap::from([("gone".into(), json!(1))]);
    let refused = replay_run(&world.conductor, &ReplayRun { outputs, ..wish(&run) }).await;
    assert!(matches!(refused, Err(ReplayError::NoSuchNodes(nodes)) if nodes == ["gone".into()]));
}

#[tokio::test]
async fn another_version_shows_what_would_be_done_otherwise() {
    let mut world = World::new(connectors());
    let run = ended(&mut world).await;
    let mut next = (*world.store.version(run.team_id, run.version_id).await.unwrap()).clone();
    next.id = VersionId::new(uuid::Uuid::from_u128(5));
    let nodes = &mut next.graph.nodes;
    nodes[1].metadata.insert("body".to_owned(), json!("other"));
    nodes[7].metadata.insert("program".to_owned(), json!("'changed'"));
    nodes.push(serde_json::from_value(effect("added")).unwrap());
    world.store.put_version(&next).await.unwrap();
    let wish = ReplayRun { version_id: Some(next.id), ..wish(&run) };
    let comparison = replay_run(&world.conductor, &wish).await.unwrap();
    assert_eq!(different(&comparison), ["sum", "added"]);
    let of = |key: &str| comparison.nodes.iter().find(|node| node.node.as_str() == key).unwrap();
    assert!(of("fetch").is_asked_otherwise && !of("store").is_asked_otherwise);
    assert_eq!(of("added").replayed, (StepStatus::Running, None), "nobody knows what it would have come to");
    assert_eq!(comparison.replayed_result, None);
}

#[tokio::test]
async fn a_retry_is_replayed_as_it_was() {
    let mut world = World::new(connectors());
    let first = ended(&mut world).await;
    world.clock.advance(chrono::TimeDelta::hours(1));
    let from = RetryFrom::Node("store".into());
    let retry = RetryRun {
        team_id: first.team_id,
        run_id: first.id,
        from,
        latest_version: false,
        inputs: None,
        trigger: trigger(),
        service: None,
    };
    let run = retry_run(&world.ports(), &world.conductor, retry).await.unwrap();
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
    let comparison = replay_run(&world.conductor, &wish(&run)).await.unwrap();
    assert_eq!(different(&comparison), Vec::<&str>::new());
}

#[tokio::test]
async fn steps_that_shared_a_commit_are_not_too_many_in_commits_of_their_own() {
    let mut world = World::new(connectors());
    let wait = |key: &str| json!({"key": key, "node_type": "wait", "metadata": {"seconds": 5}});
    let nodes = vec![wait("one"), pure("then", "1"), wait("other")];
    let mut version = a_version(team(), graph(flow(nodes, &["one > then"])));
    version.settings.max_steps = Some(1);
    world.catalog.put_version(version.clone());
    let run = world.start(&version, json!({}), None).await.unwrap().run;
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded);
    let comparison = replay_run(&world.conductor, &wish(&run)).await.unwrap();
    assert_eq!(different(&comparison), Vec::<&str>::new());
}

#[tokio::test]
async fn a_run_of_another_team_and_one_that_goes_on_are_refused() {
    let mut world = World::new(connectors());
    let run = world.started(everything(), json!({})).await;
    assert!(matches!(replay_run(&world.conductor, &wish(&run)).await, Err(ReplayError::NotEnded)));
    let foreign = ReplayRun { team_id: team(), ..wish(&run) };
    assert!(matches!(replay_run(&world.conductor, &foreign).await, Err(ReplayError::NotFound)));
}
