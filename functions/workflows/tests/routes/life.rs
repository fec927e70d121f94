//! What becomes of a workflow: where it stands, copies of it, its end (WF-04, WF-05, WF-06), on Postgres.

use serde_json::{Value, json};

use crate::world::{World, graph, id_of, service_of};

impl World {
    async fn moved(&self, path: &str, status: &str) -> heddle_http::testing::Answer {
        self.send("PATCH", &format!("{path}/status"), &json!({"status": status})).await
    }
}

#[tokio::test]
async fn wf_04_a_published_workflow_is_archived_and_brought_back() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.publish(&path, &graph()).await;
    let before = world.get(&path).await;
    let archived = world.moved(&path, "archived").await;
    assert_eq!((archived.code(), &archived.body["status"]), (200, &json!("archived")), "{archived:?}");
    assert_ne!(archived.header("etag"), before.header("etag"));
    let told = world.told(1).await.remove(0);
    let details = json!({"from": "published", "status": "archived"});
    assert_eq!(told, ("workflow.status".to_owned(), details), "TEN-11");

    let again = world.moved(&path, "archived").await;
    assert_eq!((again.code(), again.header("etag")), (200, archived.header("etag")), "nothing was done");
    let draft = world.moved(&path, "draft").await;
    assert_eq!(draft.problem().errors[0].code, "wrong_status");
    let back = world.moved(&path, "published").await;
    assert_eq!((back.code(), &back.body["status"]), (200, &json!("published")));
    assert_eq!(back.body["published_version_id"], before.body["published_version_id"]);
    assert_eq!(world.moved(&path, "draft").await.problem().errors[0].pointer, "/status");
}

#[tokio::test]
async fn wf_04_what_has_no_version_is_published_by_nobodys_word() {
    let world = World::new().await;
    let path = world.create("a").await;
    for status in ["draft", "archived"] {
        let refused = world.moved(&path, "published").await;
        assert_eq!((refused.code(), refused.problem_code().as_str()), (409, "not_published"));
        assert_eq!(world.moved(&path, status).await.body["status"], status);
    }
    assert_eq!(world.moved(&path, "draft").await.body["status"], "draft");
    assert_eq!(world.moved(&path, "gone").await.problem().errors[0].pointer, "/status");
    let stale =
        world.send_if("\"1\"", "PATCH", &format!("{path}/status"), &json!({"status": "archived"})).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    let tag = world.get(&path).await.header("etag").to_owned();
    let moved = world.send_if(&tag, "PATCH", &format!("{path}/status"), &json!({"status": "archived"})).await;
    assert_eq!(moved.code(), 200, "{moved:?}");
}

#[tokio::test]
async fn wf_06_a_copy_is_a_draft_of_its_own() {
    let world = World::new().await;
    let body = json!({
        "name": "x".repeat(200), "description": "Large ones", "tags": ["a", "b"], "settings": {"on_failure": "finish_branches"},
        "input_params": {"type": "object"}, "is_api": true, "is_public": true, "cron_schedule": "0 9 * * *", "cron_timezone": "Europe/Berlin",
    });
    let made = world.send("POST", "workflows", &body).await;
    assert_eq!(made.code(), 201, "{made:?}");
    let path = made.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let service = service_of(&world.catalog, world.team).await;
    world.edit(None, "PUT", &format!("{path}/services/{service}"), &Value::Null).await;

    let copied = world.send("POST", &format!("{path}/duplicate"), &json!({})).await;
    assert_eq!((copied.code(), copied.header("etag")), (201, "\"1\""), "{copied:?}");
    let copy = copied.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    let told = world.told(1).await.remove(0);
    assert_eq!(
        (told.0.as_str(), &told.1["parent_workflow_id"]),
        ("workflow.duplicate", &json!(id_of(&path)))
    );
    let (original, copied) = (world.get(&path).await.body, world.get(&copy).await.body);
    assert_eq!(copied["name"], format!("{} (copy)", "x".repeat(193)));
    for field in ["description", "tags", "settings", "input_params"] {
        assert_eq!(copied[field], original[field], "{field}");
    }
    assert_eq!((&copied["status"], &copied["parent_workflow_id"]), (&json!("draft"), &original["id"]));
    let own = json!({"is_api": false, "is_public": false, "cron_schedule": null, "cron_timezone": "UTC"});
    for (field, value) in own.as_object().unwrap() {
        assert_eq!(&copied[field], value, "{field}");
    }
    assert_eq!(world.get(&format!("{copy}/services")).await.body["total"], 0);
    let without_ids = |workflow: &Value| {
        let mut graph = workflow["graph"].clone();
        let ids: Vec<Value> =
            graph["nodes"].as_array_mut().unwrap().iter_mut().map(|node| node["id"].take()).collect();
        (graph, ids)
    };
    let (kept, fresh) = (without_ids(&original), without_ids(&copied));
    assert_eq!(kept.0, fresh.0);
    assert!(fresh.1.iter().all(|id| id.is_string() && !kept.1.contains(id)), "{fresh:?}");
}

#[tokio::test]
async fn wf_06_a_copy_has_the_name_that_is_given_and_outlives_the_other() {
    let world = World::new().await;
    let path = world.create("a").await;
    let named = world.send("POST", &format!("{path}/duplicate"), &json!({"name": "b"})).await;
    assert_eq!(named.body["name"], "b");
    let bare = world.edit(None, "POST", &format!("{path}/duplicate"), &Value::Null).await;
    assert_eq!((bare.code(), &bare.body["name"]), (201, &json!("a (copy)")), "{bare:?}");
    let wrong = world.send("POST", &format!("{path}/duplicate"), &json!({"name": " "})).await;
    assert_eq!(wrong.problem().errors[0].pointer, "/name");
    assert_eq!(world.edit(None, "DELETE", &path, &Value::Null).await.code(), 204);
    let copy = named.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    assert_eq!(world.get(&copy).await.body["parent_workflow_id"], Value::Null);
}

#[tokio::test]
async fn wf_05_a_workflow_goes_with_all_that_is_its_own() {
    let world = World::new().await;
    let path = world.create("a").await;
    world.publish(&path, &graph()).await;
    let stale = world.edit(Some("\"1\""), "DELETE", &path, &Value::Null).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    let tag = world.get(&path).await.header("etag").to_owned();
    assert_eq!(world.edit(Some(&tag), "DELETE", &path, &Value::Null).await.code(), 204);
    assert_eq!(world.told(1).await, [("workflow.delete".to_owned(), json!({}))], "TEN-11");
    assert_eq!(world.get(&path).await.problem_code(), "not_found");
    assert_eq!(world.edit(None, "DELETE", &path, &Value::Null).await.problem_code(), "not_found");
    let by_key = world.send("DELETE", &path, &Value::Null).await;
    assert_eq!(by_key.problem_code(), "forbidden", "services delete nothing");
}

#[tokio::test]
async fn wf_05_what_published_workflows_use_stays() {
    let world = World::new().await;
    let used = world.create("used").await;
    world.publish(&used, &json!({"nodes": [{"key": "done", "node_type": "return"}]})).await;
    let id = id_of(&used);
    let runs_it = world.create("runs it").await;
    let node = json!({"key": "run", "node_type": "workflow", "metadata": {"workflow_id": id}});
    world.publish(&runs_it, &json!({"nodes": [node]})).await;
    let for_errors = world.create("for errors").await;
    world.send("PATCH", &for_errors, &json!({"settings": {"error_workflow_id": id}})).await;
    world.publish(&for_errors, &graph()).await;

    let refused = world.edit(None, "DELETE", &used, &Value::Null).await;
    let problem = refused.problem();
    assert_eq!((problem.status, refused.problem_code().as_str()), (409, "in_use"));
    let users: Vec<_> = problem.errors.iter().map(|error| (error.code.as_str(), &error.detail)).collect();
    assert_eq!(users.len(), 2, "{users:?}");
    assert!(users.iter().all(|(code, _)| *code == "used_by_workflow"));
    assert!(users[0].1.contains("for errors") && users[1].1.contains(id_of(&runs_it)), "{users:?}");
    assert_ne!(world.told(1).await[0].0, "workflow.delete");

    // An archived workflow starts no more runs, and a new version may need it no longer.
    assert_eq!(world.moved(&runs_it, "archived").await.code(), 200);
    world.send("PATCH", &for_errors, &json!({"settings": {}})).await;
    world.publish(&for_errors, &graph()).await;
    assert_eq!(world.edit(None, "DELETE", &used, &Value::Null).await.code(), 204);
}

#[tokio::test]
async fn what_is_changed_is_told_by_the_names_of_its_fields() {
    let world = World::new().await;
    let path = world.create("Secret plans").await;
    assert_eq!(
        world.told(1).await,
        [("workflow.create".to_owned(), json!({"name": "Secret plans"}))],
        "TEN-11"
    );
    let body = json!({"description": "not to be told", "tags": ["a"], "cron_schedule": ""});
    assert_eq!(world.send("PATCH", &path, &body).await.code(), 200);
    let fields = json!({"fields": ["description", "tags", "cron_schedule"]});
    assert_eq!(world.told(1).await, [("workflow.update".to_owned(), fields)]);
    world.send("PUT", &format!("{path}/graph"), &graph()).await;
    let counts = |added| json!({"added": added, "changed": 0, "removed": 0});
    let edited = json!({"revision": 3, "nodes": counts(3), "edges": counts(2)});
    assert_eq!(world.told(1).await, [("workflow.edit".to_owned(), edited)]);
    let entries = world.told(100).await.len();
    assert_eq!(world.send("PATCH", &path, &json!({"name": ""})).await.code(), 422);
    assert_eq!(world.send_if("\"1\"", "PATCH", &path, &json!({"name": "x"})).await.code(), 412);
    assert_eq!(world.told(100).await.len(), entries, "what was not done is not told");
    let verified = world.catalog.audit_verify(world.team).await.unwrap();
    assert_eq!(verified.broken_at, None);
}
