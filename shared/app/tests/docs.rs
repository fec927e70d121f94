//! The examples of `docs/nodes` do what their pages say.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use app::{
    Decider, HintSink, PublishPorts, PublishWorkflow, decide_approval,
    decide_approval::Decision,
    fakes::{MemoryQueue, ScriptedConnectors, graph, team},
    ports::{Act, Draft, StepQueue},
    publish_workflow,
};
use chrono::TimeDelta;
use common::World;
use domain::{RunStatus, TeamId, Timestamp, WorkflowId, WorkflowVersion};
use engine::{Awaited, NodeState, Run};
use serde_json::{Map, Value, json};

/// The blocks of a page that are named, as ```` ```json inputs ````.
fn blocks(page: &str) -> HashMap<String, String> {
    let named = page.split("```json ").skip(1).filter_map(|block| block.split_once('\n'));
    named.map(|(name, rest)| (name.to_owned(), rest.split("```").next().unwrap().to_owned())).collect()
}

async fn publish(world: &World, team: TeamId, workflow: WorkflowId, text: &str) -> WorkflowVersion {
    let draft = Draft {
        name: "example".to_owned(),
        graph: graph(serde_json::from_str(text).unwrap()),
        input_params: Map::new(),
        is_api: true,
        cron_schedule: None,
        settings: Map::new(),
        revision: 1,
    };
    world.catalog.put_draft(team, workflow, draft);
    world.catalog.put_thing(team, &workflow.to_string());
    let ports =
        PublishPorts { catalog: &world.catalog, store: &*world.store, clock: &*world.clock, ids: &world.ids };
    let act = Act::of_system(team.uuid(), Timestamp::UNIX_EPOCH);
    let wish = PublishWorkflow { team_id: team, workflow_id: workflow, if_revision: None, note: None, act };
    publish_workflow(&ports, &wish).await.unwrap_or_else(|error| panic!("{error:?}")).version
}

/// Approves what the run asks for, if it asks for anything.
async fn approve(world: &mut World, run: &Run) {
    let state = world.load(run).await.run;
    let asks = |state: &NodeState| matches!(state, NodeState::Waiting { on: Awaited::Approval { .. }, .. });
    for (node, _) in state.nodes.iter().filter(|(_, state)| asks(state)) {
        let (by, yes) =
            (Decider { id: "ann".to_owned(), role: None }, Decision { approves: true, form: Value::Null });
        decide_approval(&world.conductor, run.team_id, run.id, node, &by, yes).await.unwrap();
    }
    world.collect();
}

/// Lets time pass and people decide until the run has ended.
async fn to_its_end(world: &mut World, run: &Run) {
    let sink = HintSink(Arc::<MemoryQueue>::clone(&world.queue) as Arc<dyn StepQueue>);
    for _ in 0..10 {
        world.drain().await;
        if world.load(run).await.run.status.is_terminal() {
            return;
        }
        approve(world, run).await;
        world.clock.advance(TimeDelta::days(7));
        world.timers.fire_due(&sink).await.unwrap();
        world.collect();
    }
    panic!("the run has not ended: {:#?}", world.load(run).await.run);
}

async fn check(page: &Path) {
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    let mut world = World::new(ScriptedConnectors::new(|call| {
        Ok(json!({"status": 200, "headers": {}, "body": call.config["body"]}))
    }));
    let team = team();
    let (child, parent) =
        (WorkflowId::new(uuid::Uuid::from_u128(1)), WorkflowId::new(uuid::Uuid::from_u128(2)));
    if let Some(text) = blocks.get("child") {
        publish(&world, team, child, text).await;
    }
    let text = blocks["workflow"].replace("$CHILD", &child.to_string());
    let version = publish(&world, team, parent, &text).await;
    let inputs = serde_json::from_str(&blocks["inputs"]).unwrap();
    let run = world.start(&version, inputs, None).await.unwrap().run;
    world.collect();
    to_its_end(&mut world, &run).await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded, "{}", page.display());
    let result: Value = serde_json::from_str(&blocks["result"]).unwrap();
    assert_eq!(world.result(&run).await, Some(result), "{}", page.display());
}

#[tokio::test]
async fn every_page_has_an_example_that_gives_the_result_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nodes");
    let mut pages: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() >= 4, "{pages:?}");
    for page in pages {
        check(&page).await;
    }
}
