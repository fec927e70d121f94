//! Remarks on runs over HTTP.

use app::fakes::ScriptedConnectors;
use heddle_http::testing::{call, hostile_bodies, request, request_with};
use serde_json::{Value, json};

use crate::world::{FOREIGN_KEY, KEY, World, fetching};

async fn a_run(world: &World) -> String {
    let version = world.publish(fetching()).await;
    world.start(&version, &json!({})).await
}

#[tokio::test]
async fn a_remark_is_read_with_its_run_and_by_itself() {
    let world = World::new(ScriptedConnectors::echo());
    let run = a_run(&world).await;
    let path = format!("runs/{run}/annotations");
    let made = world.post(&path, &json!({"text": "The shop was down.", "node": "fetch"})).await;
    assert_eq!((made.code(), &made.body["text"]), (201, &json!("The shop was down.")), "{made:?}");
    assert_eq!((&made.body["node"], &made.body["author"]["kind"]), (&json!("fetch"), &json!("service")));
    assert!(made.body["author"]["id"].is_string() && made.body["created_on"].is_string());
    let second = world.post(&path, &json!({"text": "ä".repeat(2000)})).await;
    assert_eq!((second.code(), second.body.get("node")), (201, None));

    let list = world.get(&path).await.body;
    assert_eq!(list["items"], json!([second.body, made.body]), "newest first");
    assert_eq!(world.get(&format!("runs/{run}")).await.body["annotations"], list["items"]);
}

#[tokio::test]
async fn remarks_come_in_pages() {
    let world = World::new(ScriptedConnectors::echo());
    let path = format!("runs/{}/annotations", a_run(&world).await);
    for n in 0..5 {
        world.post(&path, &json!({"text": n.to_string()})).await;
    }
    let (mut texts, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).await.body;
        texts.extend(page["items"].as_array().unwrap().iter().map(|remark| remark["text"].clone()));
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(texts, ["4", "3", "2", "1", "0"]);
    let problem = world.get(&format!("{path}?cursor=forged")).await.problem();
    assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (422, "/query/cursor"));
}

#[tokio::test]
async fn what_is_no_remark_is_refused_with_every_mistake() {
    let world = World::new(ScriptedConnectors::echo());
    let path = format!("runs/{}/annotations", a_run(&world).await);
    for (body, pointers) in [
        (json!({}), vec!["/text"]),
        (json!({"text": " \n"}), vec!["/text"]),
        (json!({"text": "x".repeat(2001)}), vec!["/text"]),
        (json!({"text": "x", "node": "nowhere"}), vec!["/node"]),
        (json!({"text": "", "node": "nowhere"}), vec!["/text", "/node"]),
    ] {
        let problem = world.post(&path, &body).await.problem();
        let named: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!((problem.status, named), (422, pointers), "{body}");
    }
    for body in hostile_bodies() {
        let answer = call(&world.router, body.request("POST", &format!("/api/v1/{path}"), KEY)).await;
        assert_eq!(
            (answer.code(), answer.problem_code().as_str()),
            (body.status, body.code),
            "{}",
            body.name
        );
    }
    assert_eq!(world.get(&path).await.body["items"], json!([]));
}

#[tokio::test]
async fn nobody_remarks_on_anothers_run() {
    let world = World::new(ScriptedConnectors::echo());
    let run = a_run(&world).await;
    for run in [run.as_str(), "01961234-5678-7abc-8def-0123456789ab"] {
        let path = format!("/api/v1/runs/{run}/annotations");
        let made = call(&world.router, request_with("POST", &path, FOREIGN_KEY, &json!({"text": "x"}))).await;
        let read = call(&world.router, request("GET", &path, FOREIGN_KEY)).await;
        assert_eq!(
            (made.problem_code(), read.problem_code()),
            ("not_found".to_owned(), "not_found".to_owned())
        );
    }
    assert_eq!(world.get(&format!("runs/{run}/annotations")).await.body["items"], json!([]));
}
