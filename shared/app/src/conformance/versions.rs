//! Rules of published versions.

use serde_json::json;

use crate::{
    fakes::{a_version, an_expert, graph, team},
    ports::{RunStore, StoreError},
};

fn returning(output: &str) -> domain::Graph {
    graph(json!({"nodes": [{"key": "end", "node_type": "return", "metadata": {"output": output}}]}))
}

pub async fn a_version_is_read_back(store: &dyn RunStore) {
    let mut version = a_version(team(), returning("{{ input }}"));
    version.experts.push(an_expert("Answer in {{ input.language }}."));
    store.put_version(&version).await.unwrap();
    for _ in 0..2 {
        assert_eq!(*store.version(version.team_id, version.id).await.unwrap(), version);
    }
}

pub async fn a_version_of_another_team_is_not_found(store: &dyn RunStore) {
    let version = a_version(team(), returning("x"));
    let unknown = store.version(version.team_id, version.id).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)), "{unknown:?}");
    store.put_version(&version).await.unwrap();
    store.version(version.team_id, version.id).await.unwrap();
    let foreign = store.version(team(), version.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
}

pub async fn a_version_never_changes(store: &dyn RunStore) {
    let version = a_version(team(), returning("first"));
    store.put_version(&version).await.unwrap();
    let other = domain::WorkflowVersion { graph: returning("second"), ..version.clone() };
    store.put_version(&other).await.unwrap();
    assert_eq!(*store.version(version.team_id, version.id).await.unwrap(), version);
}

pub async fn a_version_of_megabytes_comes_back(store: &dyn RunStore) {
    let version = a_version(team(), returning(&"x".repeat(1_500_000)));
    store.put_version(&version).await.unwrap();
    assert_eq!(*store.version(version.team_id, version.id).await.unwrap(), version);
}
