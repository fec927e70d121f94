//! Starting runs over HTTP.

use crate::world::{FOREIGN_KEY, KEY, World, fetching, returning};
use app::{
    fakes::ScriptedConnectors,
    ports::{RunFilter, RunStore as _},
};
use domain::{ErrorClass, Failure, MemberId, Priority, Role};
use heddle_http::testing::{by_token, call, hostile_bodies, request_with, through_api_gateway};
use http::HeaderValue;
use serde_json::{Value, json};
use uuid::Uuid;

/// How many runs the team has.
async fn runs(world: &World) -> usize {
    world.store.list(world.team, &RunFilter::default(), None, 100).await.unwrap().items.len()
}

#[tokio::test]
async fn a_start_is_accepted_with_the_place_to_look() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    for body in
        [json!({"workflow_id": version.workflow_id}), json!({"version_id": version.id, "inputs": {"a": 1}})]
    {
        let answer = world.post("runs", &body).await;
        assert_eq!((answer.code(), &answer.body["status"]), (202, &json!("pending")));
        let id = answer.body["run_id"].as_str().unwrap();
        assert_eq!(answer.header("location"), format!("/api/v1/runs/{id}"));
        assert_eq!(world.queue.take().len(), 1);
    }
}

#[tokio::test]
async fn the_same_key_and_body_start_one_run_and_another_body_is_refused() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    let start = async |inputs: Value| {
        let body = json!({"workflow_id": version.workflow_id, "inputs": inputs});
        let mut request = request_with("POST", "/api/v1/runs", KEY, &body);
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k1"));
        call(&world.router, request).await
    };
    let first = start(json!({"a": 1})).await;
    let again = start(json!({"a": 1})).await;
    assert_eq!((first.code(), again.code()), (202, 202));
    assert_eq!(first.body["run_id"], again.body["run_id"]);
    let other = start(json!({"a": 2})).await;
    assert_eq!((other.code(), other.problem_code().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(runs(&world).await, 1);
}

#[tokio::test]
async fn a_run_goes_in_the_class_that_it_asks_for() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    for (asked, class) in [
        (json!({}), Priority::Default),
        (json!({"priority": "high"}), Priority::High),
        (json!({"priority": "default"}), Priority::Default),
        (json!({"priority": "low"}), Priority::Low),
    ] {
        let mut body = json!({"workflow_id": version.workflow_id});
        body.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let answer = world.post("runs", &body).await;
        assert_eq!(answer.code(), 202, "{asked}");
        let sent = world.queue.take();
        assert_eq!(sent.iter().map(|(hint, _)| hint.priority).collect::<Vec<_>>(), [class], "{asked}");
        let run = world.store.load_control(world.team, sent[0].0.run_id).await.unwrap();
        assert_eq!(run.priority, class, "{asked}");
    }
    for wrong in [json!("urgent"), json!(1), json!(null)] {
        let answer =
            world.post("runs", &json!({"workflow_id": version.workflow_id, "priority": wrong})).await;
        assert_eq!(answer.code(), 422, "{wrong}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/priority", "{wrong}");
    }
    assert!(world.queue.take().is_empty());
}

#[tokio::test]
async fn a_malformed_idempotency_key_is_refused() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    for key in ["", "with space", &"k".repeat(256)] {
        let mut request =
            request_with("POST", "/api/v1/runs", KEY, &json!({"workflow_id": version.workflow_id}));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_str(key).unwrap());
        let answer = call(&world.router, request).await;
        assert_eq!((answer.code(), answer.problem_code().as_str()), (400, "invalid_header"), "{key:?}");
    }
    assert_eq!(runs(&world).await, 0);
}

async fn start_and_wait(world: &World, wait: &'static str, nodes: Value) -> heddle_http::testing::Answer {
    let version = world.publish(nodes).await;
    let body = json!({"workflow_id": version.workflow_id, "inputs": {"n": 7}});
    let mut request = request_with("POST", "/api/v1/runs", KEY, &body);
    request.headers_mut().insert("prefer", HeaderValue::from_static(wait));
    call(&world.router, request).await
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_in_time_is_answered_with_its_result() {
    let world = World::new(ScriptedConnectors::echo());
    let worker = async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        world.work().await;
    };
    let (answer, ()) = tokio::join!(start_and_wait(&world, "wait=10", returning()), worker);
    assert_eq!((answer.code(), &answer.body["status"]), (200, &json!("succeeded")), "{answer:?}");
    assert_eq!(answer.body["result"], json!({"n": 7}));
    assert_eq!(answer.header("preference-applied"), "wait=10");
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_answered_with_its_error() {
    let world = World::new(ScriptedConnectors::new(|_| {
        Err(domain::Failure::new(
            domain::ErrorClass::Permanent,
            "http_status",
            "api.example.com answered 404",
        ))
    }));
    let worker = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        world.work().await;
    };
    let (answer, ()) = tokio::join!(start_and_wait(&world, "wait=10", fetching()), worker);
    assert_eq!((answer.code(), &answer.body["status"]), (200, &json!("failed")));
    assert_eq!(answer.body["error"]["node"], "fetch");
    assert_eq!(answer.body["error"]["code"], "http_status");
    assert_eq!(answer.body["result"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_in_vain_ends_with_202_after_25_seconds_at_most() {
    let world = World::new(ScriptedConnectors::echo());
    let begin = tokio::time::Instant::now();
    let answer = start_and_wait(&world, "wait=600", returning()).await;
    assert_eq!((answer.code(), &answer.body["status"]), (202, &json!("pending")));
    assert_eq!(answer.header("preference-applied"), "");
    let waited = begin.elapsed().as_millis();
    assert!((24_500..=25_000).contains(&waited), "{waited} ms");
}

#[tokio::test]
async fn what_can_not_be_started_is_refused_for_its_reason() {
    let world = World::new(ScriptedConnectors::echo());
    let published = world.publish(returning()).await;
    let archived = world.publish(returning()).await;
    world.catalog.archive(archived.workflow_id);
    let closed = world.publish_with(returning(), |version| version.is_api = false).await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]});
    let picky = world
        .publish_with(returning(), |version| version.input_params = schema.as_object().unwrap().clone())
        .await;
    let nobody = "01961234-5678-7abc-8def-0123456789ab";
    for (body, status, code) in [
        (json!({"workflow_id": nobody}), 404, "not_found"),
        (json!({"version_id": nobody}), 404, "not_found"),
        (json!({"workflow_id": archived.workflow_id}), 409, "workflow_archived"),
        (json!({"workflow_id": closed.workflow_id}), 403, "forbidden"),
        (json!({"workflow_id": picky.workflow_id}), 422, "validation"),
        (json!({"workflow_id": picky.workflow_id, "inputs": {"n": "x"}}), 422, "validation"),
        (json!({}), 422, "validation"),
        (json!({"workflow_id": published.workflow_id, "version_id": published.id}), 422, "validation"),
        (json!({"workflow_id": "no-uuid"}), 422, "validation"),
        (json!({"workflow_id": published.workflow_id, "inputs": [1]}), 422, "validation"),
        (json!({"workflow_id": published.workflow_id, "input": {}}), 422, "validation"),
    ] {
        let answer = world.post("runs", &body).await;
        assert_eq!((answer.code(), answer.problem_code().as_str()), (status, code), "{body}");
    }
    assert_eq!((runs(&world).await, world.queue.take().len()), (0, 0));
}

#[tokio::test]
async fn a_mistake_in_the_inputs_is_found_by_its_pointer() {
    let world = World::new(ScriptedConnectors::echo());
    let schema = json!({"type": "object", "properties": {"n": {"type": "number"}}});
    let version = world
        .publish_with(returning(), |version| version.input_params = schema.as_object().unwrap().clone())
        .await;
    let answer = world.post("runs", &json!({"workflow_id": version.workflow_id, "inputs": {"n": "x"}})).await;
    assert_eq!(answer.problem().errors[0].pointer, "/inputs/n");
}

#[tokio::test]
async fn a_foreign_workflow_does_not_exist() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    for body in [json!({"workflow_id": version.workflow_id}), json!({"version_id": version.id})] {
        let foreign = call(&world.router, request_with("POST", "/api/v1/runs", FOREIGN_KEY, &body)).await;
        assert_eq!((foreign.code(), foreign.problem_code().as_str()), (404, "not_found"));
    }
    assert_eq!(world.queue.take().len(), 0);
}

#[tokio::test]
async fn hostile_bodies_get_their_problem_and_store_nothing() {
    let world = World::new(ScriptedConnectors::echo());
    for body in hostile_bodies() {
        let answer = call(&world.router, body.request("POST", "/api/v1/runs", KEY)).await;
        assert_eq!(
            (answer.code(), answer.problem_code().as_str()),
            (body.status, body.code),
            "{}",
            body.name
        );
    }
    assert_eq!((runs(&world).await, world.queue.take().len()), (0, 0));
}

#[tokio::test]
async fn nobody_starts_anything_without_a_key() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    for key in ["", "hdl_wrong"] {
        let body = json!({"workflow_id": version.workflow_id});
        let answer = call(&world.router, request_with("POST", "/api/v1/runs", key, &body)).await;
        assert_eq!((answer.code(), answer.problem_code().as_str()), (401, "unauthorized"));
    }
    assert_eq!(runs(&world).await, 0);
}

#[tokio::test]
async fn sample_events_start_a_run_through_api_gateway() {
    let world = World::new(ScriptedConnectors::echo());
    let id = "01961234-5678-7abc-8def-0123456789ab".parse().unwrap();
    world.publish_with(returning(), |version| version.workflow_id = id).await;
    let (plain, base64) = (
        include_str!("../../../../events/http-runs-start.json"),
        include_str!("../../../../events/http-runs-start-base64.json"),
    );
    let staged =
        plain.replace("\"$default\"", "\"dev\"").replace("\"rawPath\": \"/api", "\"rawPath\": \"/dev/api");
    assert_ne!(staged, plain);
    for event in [plain, base64, &staged] {
        let answer = through_api_gateway(world.router.clone(), event).await;
        assert_eq!(answer["statusCode"], 202, "{answer}");
        assert_eq!(answer["isBase64Encoded"], false);
    }
}

#[tokio::test]
async fn members_run_what_they_build_and_services_what_is_open_to_them() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish_with(returning(), |v| v.is_api = false).await;
    let body = json!({"workflow_id": version.workflow_id});
    let ada = MemberId::new(Uuid::from_u128(1));
    for (role, expected) in [(Role::Editor, 202), (Role::Viewer, 403)] {
        let token = world.passes.member(world.team, ada, role).await;
        let request = by_token(request_with("POST", "/api/v1/runs", "", &body), &token);
        assert_eq!(call(&world.router, request).await.code(), expected, "{role:?}");
    }
    let run = world.get("runs").await.body["items"][0].clone();
    assert_eq!(run["trigger"], "manual");
    assert_eq!(world.post("runs", &body).await.code(), 403, "a service needs the workflow's leave");
}

#[tokio::test]
async fn trg_01_a_service_starts_and_retries_only_what_it_sees_and_hears_of_nothing_else() {
    let world = World::new(ScriptedConnectors::echo());
    let seen = world.publish(returning()).await;
    let unseen = app::fakes::a_version(world.team, app::fakes::graph(returning()));
    world.store.put_version(&unseen).await.unwrap();
    world.catalog.put_version(unseen.clone());
    let nobody = "01961234-5678-7abc-8def-0123456789ab";
    let told = async |body: Value| {
        let problem = world.post("runs", &body).await.problem();
        (problem.status, problem.kind, problem.title, problem.detail, problem.errors)
    };
    assert_eq!(
        told(json!({"workflow_id": unseen.workflow_id})).await,
        told(json!({"workflow_id": nobody})).await
    );
    assert_eq!(told(json!({"version_id": unseen.id})).await, told(json!({"version_id": nobody})).await);
    assert_eq!(told(json!({"workflow_id": unseen.workflow_id})).await.0, 404);
    world.start(&seen, &json!({})).await;

    let ada = world.passes.member(world.team, MemberId::new(Uuid::from_u128(1)), Role::Editor).await;
    let body = json!({"workflow_id": unseen.workflow_id});
    let by_ada = by_token(request_with("POST", "/api/v1/runs", "", &body), &ada);
    let run = call(&world.router, by_ada).await.body["run_id"].as_str().unwrap().to_owned();
    world.work().await;
    let retry = json!({"from": "start"});
    let path = format!("runs/{run}/retry");
    assert_eq!(world.post(&path, &retry).await.problem_code(), "not_found");
    let by_ada = by_token(request_with("POST", &format!("/api/v1/{path}"), "", &retry), &ada);
    assert_eq!(call(&world.router, by_ada).await.code(), 202);
    world.catalog.attach_service(unseen.workflow_id, world.service);
    assert_eq!(world.post(&path, &retry).await.code(), 202);
    assert_eq!(world.post("runs", &body).await.code(), 202);
}

#[tokio::test]
async fn trg_01_a_service_retries_many_of_the_runs_whose_workflows_it_sees() {
    let world =
        World::new(ScriptedConnectors::new(|_| Err(Failure::new(ErrorClass::Permanent, "refused", "no"))));
    let seen = world.publish(fetching()).await;
    let unseen = app::fakes::a_version(world.team, app::fakes::graph(fetching()));
    world.store.put_version(&unseen).await.unwrap();
    world.catalog.put_version(unseen.clone());
    world.start(&seen, &json!({})).await;
    let ada = world.passes.member(world.team, MemberId::new(Uuid::from_u128(1)), Role::Editor).await;
    let body = json!({"workflow_id": unseen.workflow_id});
    let by_ada = by_token(request_with("POST", "/api/v1/runs", "", &body), &ada);
    assert_eq!(call(&world.router, by_ada).await.code(), 202);
    world.work().await;
    for confirm in [false, true] {
        let retried = world.post("runs/retry", &json!({"confirm": confirm})).await;
        assert_eq!(retried.body["runs"].as_array().unwrap().len(), 1, "{retried:?}");
    }
}
