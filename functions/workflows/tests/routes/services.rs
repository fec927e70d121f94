//! Which services see a workflow (TRG-01), on Postgres.

use app::ports::ApiKeys;
use heddle_http::testing::{call, request};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{FOREIGN_KEY, World, service_of};

/// The path of a workflow that a person created.
async fn created(world: &World) -> String {
    let made = world.edit(None, "POST", "workflows", &json!({"name": "a"})).await;
    made.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
}

#[tokio::test]
async fn trg_01_a_service_is_attached_once_and_detached() {
    let world = World::new().await;
    let path = created(&world).await;
    let service = service_of(&world.catalog, world.team).await;
    let link = format!("{path}/services/{service}");
    for _ in 0..2 {
        assert_eq!(world.edit(None, "PUT", &link, &Value::Null).await.code(), 204);
    }
    let list = world.get(&format!("{path}/services")).await.body;
    let expected = json!([{"id": service.to_string(), "name": "a service", "environment": "prod"}]);
    assert_eq!((&list["items"], &list["total"]), (&expected, &json!(1)));
    assert_eq!(world.edit(None, "DELETE", &link, &Value::Null).await.code(), 204);
    assert_eq!(world.edit(None, "DELETE", &link, &Value::Null).await.problem_code(), "not_found");
    assert_eq!(world.get(&format!("{path}/services")).await.body["total"], 0);
    let told: Vec<_> = world.told(3).await;
    let of = json!({"service_id": service.to_string()});
    let attached = ("workflow.attach_service".to_owned(), of.clone());
    assert_eq!(told, [("workflow.detach_service".to_owned(), of), attached.clone(), attached], "TEN-11");
}

#[tokio::test]
async fn nothing_of_another_team_is_attached() {
    let world = World::new().await;
    let path = created(&world).await;
    let theirs =
        ApiKeys::service_by_key(&world.catalog, Sha256::digest(FOREIGN_KEY).into()).await.unwrap().unwrap();
    let foreign = theirs.service_id;
    let ours = service_of(&world.catalog, world.team).await;
    let put = world.edit(None, "PUT", &format!("{path}/services/{foreign}"), &Value::Null).await;
    assert_eq!(put.problem_code(), "not_found");
    for (method, below) in
        [("GET", String::new()), ("PUT", format!("/{ours}")), ("DELETE", format!("/{ours}"))]
    {
        let made = request(method, &format!("/api/v1/{path}/services{below}"), FOREIGN_KEY);
        assert_eq!(call(&world.router, made).await.problem_code(), "not_found", "{method}");
    }
}
