use std::time::{Duration, Instant};

use app::ports::{Ids as _, WorkflowCatalog};
use catalog::{StoreError, UNKNOWN_NODE};
use domain::{Graph, Node};
use serde_json::{Value, from_value, json, to_value};

use crate::support::{World, graph, is_not_found, rule};

fn without_ids(graph: &Graph) -> Value {
    let nodes = graph.nodes.iter().cloned().map(|node| Node { id: None, ..node }).collect();
    to_value(Graph { nodes, edges: graph.edges.clone() }).unwrap()
}

#[tokio::test]
async fn a_draft_comes_back_as_it_was_put_with_an_id_for_every_node() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    assert_eq!(world.catalog.draft(world.ours, workflow.id).await.unwrap().graph, Graph::default());
    let put: Graph = from_value(json!({
        "nodes": [
            {"key": "z_first", "name": "Fetch", "node_type": "get_api", "metadata": {"url": "https://a.example/{{ input.id }}", "n": [1, 2.5, null]},
                "structured_output": {"type": "object"}, "retry": {"max_retries": 2, "delays_s": [1, 2]}, "timeout_s": 4_294_967_295_u32,
                "on_error": {"action": "continue", "default": null}, "position": {"x": 0.1, "y": -2.0}},
            {"key": "a_second", "node_type": "if_else", "metadata": {}},
            {"key": "Not a key", "node_type": "no_such_type", "metadata": {}, "on_error": {"action": "branch"}}
        ],
        "edges": [
            {"from": "a_second", "to": "Not a key", "label": "true"},
            {"from": "a_second", "to": "Not a key", "label": "false"},
            {"from": "z_first", "to": "a_second"},
            {"from": "a_second", "to": "z_first", "label": "a cycle may be saved"}
        ]
    }))
    .unwrap();

    let saved = world
        .catalog
        .graph_replace(world.ours, workflow.id, &put, None, &world.ids, &world.act())
        .await
        .unwrap();

    assert_eq!(without_ids(&saved.graph), without_ids(&put));
    assert!(saved.graph.nodes.iter().all(|node| node.id.is_some()));
    assert_eq!(saved.revision, 2);
    assert_eq!(world.catalog.draft(world.ours, workflow.id).await.unwrap(), saved);
}

#[tokio::test]
async fn node_ids_are_stable_over_edits() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let save = async |graph: &Graph| {
        world
            .catalog
            .graph_replace(world.ours, workflow.id, graph, None, &world.ids, &world.act())
            .await
            .unwrap()
            .graph
    };
    let first = save(&graph(&["a", "b"], &[("a", "b")])).await;
    let [a, b] = [first.nodes[0].id, first.nodes[1].id];

    let by_key = save(&graph(&["b", "c", "a"], &[])).await;
    assert_eq!((by_key.nodes[0].id, by_key.nodes[2].id), (b, a));
    let c = by_key.nodes[1].id;
    assert!(c.is_some() && c != a && c != b);

    let mut renamed = graph(&["b", "a", "c"], &[("b", "a")]);
    (renamed.nodes[0].id, renamed.nodes[1].id) = (a, b);
    let swapped = save(&renamed).await;
    assert_eq!([swapped.nodes[0].id, swapped.nodes[1].id, swapped.nodes[2].id], [a, b, c]);

    let mut taken = graph(&["d", "a"], &[]);
    taken.nodes[0].id = b;
    let moved = save(&taken).await;
    assert_eq!(moved.nodes[0].id, b);
    assert!(![a, b, c].contains(&moved.nodes[1].id), "the node that had key a gave its id to d");
}

#[tokio::test]
async fn a_node_that_stays_as_it_is_is_not_touched() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let mut draft = graph(&["a", "b"], &[]);
    world
        .catalog
        .graph_replace(world.ours, workflow.id, &draft, None, &world.ids, &world.act())
        .await
        .unwrap();
    draft.nodes[1].name = "renamed".to_owned();
    world
        .catalog
        .graph_replace(world.ours, workflow.id, &draft, None, &world.ids, &world.act())
        .await
        .unwrap();

    let touched: Vec<String> = sqlx::query_scalar("select key from nodes where updated_on > created_on")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(touched, ["b"]);
}

#[tokio::test]
async fn an_id_of_another_workflow_or_team_is_refused_like_one_that_never_was() {
    let world = World::new().await;
    let (mine, other) = (world.workflow("mine").await, world.workflow("other").await);
    let theirs = world
        .catalog
        .workflow_insert(world.theirs, &world.new_workflow("theirs"), &world.act())
        .await
        .unwrap();
    let one = graph(&["a"], &[]);
    let elsewhere = world
        .catalog
        .graph_replace(world.ours, other.id, &one, None, &world.ids, &world.act())
        .await
        .unwrap();
    let foreign = world
        .catalog
        .graph_replace(world.theirs, theirs.id, &one, None, &world.ids, &world.act())
        .await
        .unwrap();

    for id in [elsewhere.graph.nodes[0].id, foreign.graph.nodes[0].id, Some(world.ids.next().into())] {
        let mut stolen = graph(&["a"], &[]);
        stolen.nodes[0].id = id;
        let refused =
            world.catalog.graph_replace(world.ours, mine.id, &stolen, None, &world.ids, &world.act()).await;
        assert_eq!(rule(refused), UNKNOWN_NODE);
    }
    let draft = world.catalog.draft(world.ours, mine.id).await.unwrap();
    assert_eq!((draft.graph, draft.revision), (Graph::default(), 1));
    assert_eq!(world.catalog.draft(world.theirs, theirs.id).await.unwrap(), foreign);
}

#[tokio::test]
async fn what_rows_cannot_hold_breaks_a_rule_and_leaves_the_draft() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let good = graph(&["a", "b"], &[("a", "b")]);
    let kept = world
        .catalog
        .graph_replace(world.ours, workflow.id, &good, None, &world.ids, &world.act())
        .await
        .unwrap();
    for (bad, expected) in [
        (graph(&["a", "a"], &[]), "uq_nodes_workflow_id_key"),
        (graph(&["a"], &[("a", "a")]), "ck_node_node_self"),
        (graph(&["a", "b"], &[("a", "b"), ("a", "b")]), "uq_node_node_parent_id_child_id_label"),
        (graph(&["a"], &[("a", "gone")]), "fk_node_node_child_id"),
        (graph(&["a"], &[("gone", "a")]), "fk_node_node_parent_id"),
        (graph(&["a\0"], &[]), "unstorable_value"),
        (graph(&[""], &[]), "ck_nodes_key"),
    ] {
        let refused =
            world.catalog.graph_replace(world.ours, workflow.id, &bad, None, &world.ids, &world.act()).await;
        assert_eq!(rule(refused), expected);
    }
    assert_eq!(world.catalog.draft(world.ours, workflow.id).await.unwrap(), kept);
}

#[tokio::test]
async fn a_foreign_team_finds_no_workflow_to_save_into() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let refused = world
        .catalog
        .graph_replace(world.theirs, workflow.id, &graph(&["a"], &[]), None, &world.ids, &world.act())
        .await;
    assert!(is_not_found(&refused));
}

#[tokio::test]
async fn of_two_writers_on_one_revision_one_wins() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let (left, right) = (graph(&["left"], &[]), graph(&["right"], &[]));
    let act = world.act();
    let save = |graph| world.catalog.graph_replace(world.ours, workflow.id, graph, Some(1), &world.ids, &act);

    let results = futures::future::join(save(&left), save(&right)).await;

    let (won, lost) = match results {
        (Ok(won), lost) | (lost, Ok(won)) => (won, lost),
        both => panic!("{both:?}"),
    };
    assert!(matches!(lost, Err(StoreError::Conflict)), "{lost:?}");
    assert_eq!(world.catalog.draft(world.ours, workflow.id).await.unwrap(), won);
    assert_eq!(won.revision, 2);
}

#[tokio::test]
async fn the_largest_draft_is_saved_and_read_in_a_moment() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let keys: Vec<String> = (0..domain::graph::MAX_NODES).map(|number| format!("node_{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let edges: Vec<(&str, &str)> = keys.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let mut large = graph(&keys, &edges);
    for node in &mut large.nodes {
        node.metadata = json!({"output": "{{ input }}".repeat(20)}).as_object().unwrap().clone();
    }
    // Some 90 ms in a debug build on a fresh connection, a third of it in Postgres. The bound leaves room for a busy
    // machine, and none for a statement per node and edge.
    let start = Instant::now();
    world
        .catalog
        .graph_replace(world.ours, workflow.id, &large, None, &world.ids, &world.act())
        .await
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let read = world.catalog.draft(world.ours, workflow.id).await.unwrap();
    assert_eq!(without_ids(&read.graph), without_ids(&large));
}
