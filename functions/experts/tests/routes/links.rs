//! What experts are attached to, and who would miss them (EXP-04, EXP-05).

use app::ports::{Ids as _, WorkflowCatalog as _};
use domain::{VersionId, WorkflowVersion};
use runtime::TimeOrderedIds;
use serde_json::{Value, json};

use crate::world::{World, act, id_of, service_of};

#[tokio::test]
async fn exp_04_05_what_is_attached_is_counted_once() {
    let world = World::new().await;
    let (path, other) = (world.create(json!({})).await, world.create(json!({})).await);
    let workflow = format!("{path}/workflows/{}", world.workflow(world.team, "w").await);
    let service = format!("{path}/services/{}", world.service);
    for link in [&workflow, &workflow, &service] {
        assert_eq!(world.put(link).await.code(), 204);
    }
    let counts = |expert: &Value| (expert["workflows"].clone(), expert["services"].clone());
    let list = world.get("experts").await.body;
    assert_eq!(counts(&list["items"][1]), (json!(1), json!(1)), "{list}");
    assert_eq!(counts(&list["items"][0]), (json!(0), json!(0)));
    assert_eq!(counts(&world.get(&path).await.body), (json!(1), json!(1)));
    assert_eq!(counts(&world.send("PATCH", &path, &json!({"name": "x"})).await.body), (json!(1), json!(1)));
    assert_eq!(counts(&world.get(&other).await.body), (json!(0), json!(0)));

    for link in [&workflow, &service] {
        assert_eq!(world.delete(link).await.code(), 204);
        assert_eq!(world.delete(link).await.problem_code(), "not_found");
    }
    assert_eq!(counts(&world.get(&path).await.body), (json!(0), json!(0)));
}

#[tokio::test]
async fn exp_04_nothing_of_another_team_is_attached() {
    let world = World::new().await;
    let path = world.create(json!({})).await;
    let workflow = world.workflow(world.foreign_team, "theirs").await;
    let service = service_of(&world.catalog, world.foreign_team).await;
    let nothing = TimeOrderedIds.next();
    for target in [
        format!("workflows/{workflow}"),
        format!("workflows/{nothing}"),
        format!("services/{service}"),
        format!("services/{nothing}"),
    ] {
        assert_eq!(world.put(&format!("{path}/{target}")).await.problem_code(), "not_found", "{target}");
    }
    let read = world.get(&path).await.body;
    assert_eq!((&read["workflows"], &read["services"]), (&json!(0), &json!(0)));
}

/// Publishes a workflow with one job of this expert.
async fn publish(world: &World, name: &str, expert: &str) {
    let workflow = world.workflow(world.team, name).await;
    let node = json!({"key": "a", "node_type": "job", "metadata": {"expert_id": expert}});
    let graph = serde_json::from_value(json!({"nodes": [node], "edges": []})).unwrap();
    let version = WorkflowVersion {
        id: VersionId::new(TimeOrderedIds.next()),
        workflow_id: workflow,
        ..app::fakes::a_version(world.team, graph)
    };
    world.catalog.insert_version(version, 1, None, &act()).await.unwrap();
}

#[tokio::test]
async fn an_expert_that_others_use_is_not_deleted() {
    let world = World::new().await;
    let (path, unused) = (world.create(json!({})).await, world.create(json!({})).await);
    publish(&world, "direct", id_of(&path)).await;
    let chief = world.create(json!({"name": "Chief", "settings": {"sub_experts": [id_of(&path)]}})).await;
    let refused = world.delete(&path).await;
    assert_eq!((refused.code(), refused.problem_code()), (409, "in_use".to_owned()));
    let errors = refused.problem().errors;
    let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["used_by_workflow", "used_by_expert"]);
    assert!(errors[0].detail.contains("workflow direct ("), "{errors:?}");
    assert!(errors[1].detail.contains(id_of(&chief)), "{errors:?}");
    assert_eq!(world.get(&path).await.code(), 200);

    for gone in [&chief, &unused] {
        assert_eq!(world.delete(gone).await.code(), 204);
        assert_eq!(world.delete(gone).await.problem_code(), "not_found");
    }
}
