//! Dead letters over HTTP.

use std::time::Duration;

use app::{
    fakes::{ScriptedConnectors, team},
    ports::{Hint, StepInbox as _, StepQueue as _},
};
use domain::{Priority, RunId, TeamId};
use heddle_http::testing::{call, hostile_bodies, request, request_with};
use serde_json::{Value, json};

use crate::world::{FOREIGN_KEY, KEY, World, returning};

/// Fails to handle the one message of the queue until it is dead.
async fn bury_next(world: &World) {
    for _ in 0..3 {
        let received = world.queue.receive(1, Duration::ZERO).await.unwrap();
        world.queue.release(&received[0].receipt, 0).await.unwrap();
    }
    assert_eq!(world.queue.receive(1, Duration::ZERO).await.unwrap(), []);
}

async fn bury(world: &World, team_id: TeamId, node: &str) -> RunId {
    let run_id = RunId::new(team().uuid());
    world
        .queue
        .send(&[(Hint { run_id, team_id, node: Some(node.into()), priority: Priority::Default }, 0)])
        .await
        .unwrap();
    bury_next(world).await;
    run_id
}

async fn listed(world: &World) -> Vec<Value> {
    let list = world.get("dead-letters").await;
    assert_eq!((list.code(), &list.body["is_complete"]), (200, &json!(true)), "{list:?}");
    list.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_letter_tells_of_its_run() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    let run = world.start(&version, &json!({})).await;
    bury_next(&world).await;
    let gone = bury(&world, world.team, "fetch").await;

    let letters = listed(&world).await;
    assert_eq!((&letters[1]["run_id"], &letters[1]["run_status"]), (&json!(run), &json!("pending")));
    assert!(letters[1].get("node").is_none(), "{}", letters[1]);
    assert_eq!((&letters[0]["run_id"], &letters[0]["node"]), (&json!(gone), &json!("fetch")));
    assert!(letters[0].get("run_status").is_none(), "its run is kept no more: {}", letters[0]);
    for letter in &letters {
        assert_eq!(letter["receive_count"], 3);
        assert!(letter["sent_on"].is_string() && letter["died_on"].is_string(), "{letter}");
    }
    let page = world.get("dead-letters?limit=1").await.body;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["is_complete"]), (1, &json!(false)));
}

#[tokio::test]
async fn a_redriven_letter_moves_its_run_on() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    let run = world.start(&version, &json!({})).await;
    bury_next(&world).await;
    let id = listed(&world).await[0]["id"].clone();
    let answer = world.post("dead-letters/redrive", &json!({"ids": [id, "unknown"]})).await;
    assert_eq!((answer.code(), answer.body), (200, json!({"redriven": [id], "not_found": ["unknown"]})));
    assert_eq!(listed(&world).await, Vec::<Value>::new());
    world.work().await;
    assert_eq!(world.get(&format!("runs/{run}")).await.body["status"], "succeeded");
}

#[tokio::test]
async fn all_are_the_teams_own() {
    let world = World::new(ScriptedConnectors::echo());
    let theirs = team();
    bury(&world, world.team, "a").await;
    bury(&world, theirs, "b").await;
    bury(&world, world.team, "c").await;
    let answer = world.post("dead-letters/redrive", &json!({"all": true})).await;
    assert_eq!((answer.code(), answer.body["redriven"].as_array().unwrap().len()), (200, 2));
    assert!(world.queue.take().iter().all(|(hint, _)| hint.team_id == world.team));
}

#[tokio::test]
async fn anothers_letters_are_neither_seen_nor_sent() {
    let world = World::new(ScriptedConnectors::echo());
    bury(&world, world.team, "a").await;
    let id = listed(&world).await[0]["id"].clone();
    let list = call(&world.router, request("GET", "/api/v1/dead-letters", FOREIGN_KEY)).await;
    assert_eq!(list.body, json!({"items": [], "is_complete": true}));
    for (wish, not_found) in [(json!({"ids": [id]}), json!([id])), (json!({"all": true}), json!([]))] {
        let path = "/api/v1/dead-letters/redrive";
        let answer = call(&world.router, request_with("POST", path, FOREIGN_KEY, &wish)).await;
        assert_eq!((answer.code(), answer.body), (200, json!({"redriven": [], "not_found": not_found})));
    }
    assert_eq!((listed(&world).await.len(), world.queue.take().len()), (1, 0));
}

#[tokio::test]
async fn a_wish_names_letters_or_all() {
    let world = World::new(ScriptedConnectors::echo());
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for wish in [
        json!({}),
        json!({"all": false}),
        json!({"ids": []}),
        json!({"ids": many}),
        json!({"ids": ["1"], "all": true}),
        json!({"ids": "1"}),
    ] {
        let refused = world.post("dead-letters/redrive", &wish).await;
        assert_eq!((refused.code(), refused.problem_code().as_str()), (422, "validation"), "{wish}");
        assert_eq!(refused.problem().errors[0].pointer, "/ids", "{wish}");
    }
    for body in hostile_bodies() {
        let answer = call(&world.router, body.request("POST", "/api/v1/dead-letters/redrive", KEY)).await;
        assert_eq!(
            (answer.code(), answer.problem_code().as_str()),
            (body.status, body.code),
            "{}",
            body.name
        );
    }
}
