//! What the end of a run asks for is done, whoever is lost with it: its failure is told, and what it has started ends.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use app::{
    cancel_run,
    fakes::{ScriptedConnectors, a_version, graph, team},
    ports::{Clock as _, Hint, RunStore as _},
    remind_runs,
};
use chrono::TimeDelta;
use common::{World, effect, flow, pure};
use domain::{ErrorClass, Failure, RunStatus, UsedVersion, WorkflowVersion};
use engine::{Run, child_id, error_run_id};
use serde_json::{Value, json};

/// Whatever calls `boom` fails for good; everything else answers with nothing.
fn booming() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| match call.node.as_str() {
        "boom" => Err(Failure::new(ErrorClass::Permanent, "http_status", "404")),
        _ => Ok(Value::Null),
    })
}

/// A version that runs another, or names it for its failures.
fn using(mut version: WorkflowVersion, used: &WorkflowVersion) -> WorkflowVersion {
    let (workflow_id, version_id) = (used.workflow_id, used.id);
    version.uses.push(UsedVersion { workflow_id, number: None, version_id });
    version
}

async fn started(world: &mut World, version: &WorkflowVersion) -> Run {
    world.catalog.put_version(version.clone());
    let run = world.start(version, json!({"items": [1, 2, 3]}), None).await.unwrap().run;
    world.collect();
    run
}

/// Lets a minute pass and has the maintenance remind of what is overdue. Answers of how many runs.
async fn remind(world: &mut World) -> usize {
    world.clock.advance(TimeDelta::seconds(60));
    let reminded = remind_runs(&*world.store, &*world.queue, world.clock.now(), 100).await.unwrap();
    world.collect();
    reminded
}

#[tokio::test]
async fn the_failure_of_a_run_is_told_though_its_worker_and_its_message_are_lost() {
    for point in 1.. {
        let mut world = World::new(booming());
        let team = team();
        let errors = a_version(team, graph(flow(vec![pure("told", "input.error.message")], &[])));
        world.store.put_version(&errors).await.unwrap();
        let mut version = using(a_version(team, graph(flow(vec![effect("boom")], &[]))), &errors);
        version.settings.error_workflow_id = Some(errors.workflow_id);
        let run = started(&mut world, &version).await;
        world.switch.arm(point);
        world.deliver(0).await;
        world.messages.clear();
        while remind(&mut world).await > 0 {
            world.drain().await;
        }
        let ended = world.load(&run).await.run;
        assert_eq!((ended.status, ended.next_check_on), (RunStatus::Failed, None), "lost at point {point}");
        let told = world.store.load(run.team_id, error_run_id(run.id)).await.unwrap();
        assert_eq!(told.run.status, RunStatus::Succeeded, "lost at point {point}");
        if !world.switch.has_stopped() {
            return assert!(point > 12, "the run has more points than {point}");
        }
    }
}

#[tokio::test]
async fn what_ends_a_run_alone_is_its_last_commit() {
    let mut world = World::new(booming());
    let alone = a_version(team(), graph(flow(vec![effect("boom")], &[])));
    let run = started(&mut world, &alone).await;
    let advanced = world.deliver(0).await.unwrap();
    let ended = world.load(&run).await.run;
    assert_eq!((advanced.commits, ended.status, ended.next_check_on), (2, RunStatus::Failed, None));
}

/// A run that loops over calls beside a failure, and another that runs it, bears that, and waits.
fn generations() -> (WorkflowVersion, WorkflowVersion) {
    let pause = |seconds: u32| json!({"key": "pause", "node_type": "wait", "metadata": {"seconds": seconds}});
    let body = json!({"nodes": [pause(600), effect("send")], "edges": [{"from": "pause", "to": "send"}]});
    let metadata = json!({"items": "base.params.items", "body": body});
    let each = json!({"key": "each", "node_type": "for_each", "metadata": metadata});
    let team = team();
    let below = a_version(team, graph(flow(vec![each, effect("boom")], &[])));
    let metadata = json!({"workflow_id": below.workflow_id, "input": {"items": "{{ input.items }}"}});
    let on_error = json!({"action": "continue", "default": null});
    let run = json!({"key": "run", "node_type": "workflow", "metadata": metadata, "on_error": on_error});
    let above = using(a_version(team, graph(flow(vec![run, pause(3600)], &["run > pause"]))), &below);
    (below, above)
}

#[tokio::test(start_paused = true)]
async fn a_cancel_reaches_what_a_child_had_started_that_ended_before_it() {
    let mut ended_below = 0;
    for point in 1.. {
        let mut world = World::new(booming());
        let (below, above) = generations();
        world.store.put_version(&below).await.unwrap();
        let run = started(&mut world, &above).await;
        world.deliver(0).await;
        let child = child_id(run.id, &"run".into(), 0);
        let grandchild = child_id(child, &"each".into(), 0);
        // The child fails, and its worker is lost at some point of that.
        world.switch.arm(point);
        world.deliver(0).await;
        let is_lost = world.switch.has_stopped();
        world.switch.arm(0);
        let begins = world.messages.iter().position(|message| message.hint.run_id == grandchild);
        if let Some(begins) = begins {
            world.deliver(begins).await;
        }
        world.advance(&Hint::at(&run), 1).await.unwrap();
        cancel_run(&world.conductor, run.team_id, run.id).await.unwrap();
        if let Ok(stopped) = world.store.load_control(run.team_id, grandchild).await {
            let has_ended = stopped.status.is_terminal();
            assert!(has_ended || stopped.status == RunStatus::Pending, "lost at point {point}: {stopped:#?}");
            ended_below += u32::from(has_ended);
        }
        if !is_lost {
            return assert!(ended_below > 5, "{ended_below} of {point}");
        }
    }
}
