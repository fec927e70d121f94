//! What is done to experts is told with it (TEN-10, TEN-11): the names of fields, and nothing of what they say.

use serde_json::{Value, json};

use crate::world::{World, id_of};

impl World {
    /// The actions of the audit log with their details, newest first.
    async fn told(&self) -> Vec<(String, Value)> {
        let log = self.catalog.audit_list(self.team, None, 100).await.unwrap();
        let told = |mut entry: app::ports::AuditEntry| {
            assert_eq!(entry.details.remove("acting_as"), Some(json!("owner")));
            (entry.action, Value::Object(entry.details))
        };
        let experts = log.into_iter().filter(|audited| audited.entry.resource_kind == "expert");
        experts.map(|audited| told(audited.entry)).collect()
    }
}

#[tokio::test]
async fn ten_11_the_life_of_an_expert_is_told() {
    let world = World::new().await;
    let path = world.create(json!({"name": "Clerk", "prompt": "not to be told"})).await;
    let edit = json!({"prompt": "nor this", "status": "active"});
    assert_eq!(world.send("PATCH", &path, &edit).await.code(), 200);
    assert_eq!(world.send("PATCH", &path, &json!({"status": "archive"})).await.code(), 200);
    let workflow = world.workflow(world.team, "w").await;
    let links = [format!("{path}/workflows/{workflow}"), format!("{path}/services/{}", world.service)];
    for link in &links {
        assert_eq!(world.put(link).await.code(), 204);
        assert_eq!(world.delete(link).await.code(), 204);
    }
    assert_eq!(world.delete(&path).await.code(), 204);
    let (by_workflow, by_service) = (json!({"workflow_id": workflow}), json!({"service_id": world.service}));
    let expected = [
        ("expert.delete", json!({})),
        ("expert.detach_service", by_service.clone()),
        ("expert.attach_service", by_service),
        ("expert.detach_workflow", by_workflow.clone()),
        ("expert.attach_workflow", by_workflow),
        ("expert.status", json!({"fields": ["status"], "status": "archive"})),
        ("expert.update", json!({"fields": ["prompt", "status"], "status": "active"})),
        ("expert.create", json!({"name": "Clerk", "status": "draft"})),
    ];
    assert_eq!(world.told().await, expected.map(|(action, details)| (action.to_owned(), details)));
}

#[tokio::test]
async fn what_was_refused_is_not_told() {
    let world = World::new().await;
    let path = world.create(json!({})).await;
    world.create(json!({"settings": {"sub_experts": [id_of(&path)]}})).await;
    let before = world.told().await;
    assert_eq!(world.delete(&path).await.problem_code(), "in_use");
    assert_eq!(world.send("PATCH", &path, &json!({"status": "historical"})).await.code(), 422);
    assert_eq!(world.patch_if("\"7\"", &path, &json!({"name": "x"})).await.code(), 412);
    assert_eq!(world.delete(&format!("{path}/services/{}", world.service)).await.code(), 404);
    assert_eq!(world.told().await, before);
}
