//! What is told of two editions of a workflow (WF-07): all that is different, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Edge, Graph, NodeId, RunSettings};
use engine::{
    Known,
    diff::{Diff, Edition, FieldChange, diff},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::reference::{Shape, document, shapes};

fn read(graph: Value) -> Graph {
    serde_json::from_value(graph).unwrap()
}

/// What is different between two graphs of the same workflow.
fn of(before: &Graph, after: &Graph) -> Diff {
    let (settings, inputs) = (RunSettings::default(), Map::new());
    let edition = |graph| Edition {
        name: "orders",
        graph,
        is_api: true,
        settings: &settings,
        known: Known::inputs(&inputs),
    };
    diff(&edition(before), &edition(after))
}

fn id(number: usize) -> NodeId {
    NodeId::new(Uuid::from_u128(number as u128))
}

fn orders() -> Value {
    json!({
        "nodes": [
            {"id": id(1), "key": "fetch", "node_type": "get_api", "metadata": {"url": "https://api.example.com/orders"}},
            {"id": id(2), "key": "big", "node_type": "if_else", "metadata": {"condition": "{{ input.status = 200 }}"}},
            {"id": id(3), "key": "yes", "node_type": "return", "metadata": {"output": {"n": 1}}},
            {"id": id(4), "key": "no", "node_type": "return", "metadata": {"output": {"n": 2}}},
        ],
        "edges": [
            {"from": "fetch", "to": "big"}, {"from": "big", "to": "yes", "label": "true"},
            {"from": "big", "to": "no", "label": "false"},
        ],
    })
}

#[test]
fn a_node_that_has_another_key_is_the_same_node_and_its_edges_stay() {
    let mut after = orders();
    after["nodes"][0]["key"] = json!("load");
    after["nodes"][0]["metadata"]["url"] = json!("https://api.example.com/bills");
    after["edges"][0]["from"] = json!("load");
    let told = serde_json::to_value(of(&read(orders()), &read(after))).unwrap();
    let url = |path: &str| format!("https://api.example.com/{path}");
    let change = json!({"pointer": "/metadata/url", "before": url("orders"), "after": url("bills")});
    assert_eq!(
        told,
        json!({
            "nodes": {"added": [], "removed": [], "changed": [
                {"id": id(1), "key": "load", "renamed_from": "fetch", "fields": [change]}]},
            "edges": {"added": [], "removed": [], "relabelled": []},
            "metadata": [], "types": {"nodes": []},
        })
    );
}

#[test]
fn nodes_that_come_and_go_labels_types_and_bounds_are_told() {
    let mut after = orders();
    after["nodes"].as_array_mut().unwrap().remove(3);
    let notify =
        json!({"key": "notify", "node_type": "post_api", "metadata": {"url": "https://api.example.com/n"}});
    after["nodes"].as_array_mut().unwrap().push(notify);
    after["nodes"][2]["metadata"]["output"] = json!({"n": "one"});
    after["edges"] = json!([
        {"from": "fetch", "to": "big"}, {"from": "big", "to": "yes", "label": "false"},
        {"from": "big", "to": "notify", "label": "true"},
    ]);
    let told = of(&read(orders()), &read(after));
    let keys = |nodes: &[domain::Node]| nodes.iter().map(|node| node.key.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (keys(&told.nodes.added), keys(&told.nodes.removed)),
        (vec!["notify".to_owned()], vec!["no".to_owned()])
    );
    assert_eq!(told.nodes.changed[0].fields[0].pointer, "/metadata/output/n");
    let relabelled = &told.edges.relabelled[0];
    assert_eq!((relabelled.before.as_deref(), relabelled.after.as_deref()), (Some("true"), Some("false")));
    assert_eq!((told.edges.added[0].to.as_str(), told.edges.removed[0].to.as_str()), ("notify", "no"));
    assert_eq!(told.types.nodes.len(), 1, "{:?}", told.types);
    assert_eq!(told.types.nodes[0].key.as_str(), "yes");
    assert!(told.types.result.is_some());
    let bounds = told.bounds.unwrap();
    let calls = |bounds: Option<engine::forecast::Bounds>| bounds.unwrap().calls.max.unwrap();
    assert!(calls(bounds.before) < calls(bounds.after));
}

#[test]
fn what_stands_around_the_graph_is_told_by_its_pointers() {
    let graph = read(orders());
    let (first, second) =
        (RunSettings::default(), RunSettings { timeout_s: Some(60), ..RunSettings::default() });
    let (any, Value::Object(typed)) = (Map::new(), json!({"type": "object"})) else { unreachable!() };
    let before =
        Edition { name: "a", graph: &graph, is_api: false, settings: &first, known: Known::inputs(&any) };
    let after =
        Edition { name: "b", graph: &graph, is_api: true, settings: &second, known: Known::inputs(&typed) };
    let pointers: Vec<String> =
        diff(&before, &after).metadata.into_iter().map(|change| change.pointer).collect();
    assert_eq!(pointers, ["/input_params/type", "/is_api", "/name", "/settings/timeout_s"]);
    assert!(diff(&after, &after).is_empty());
}

#[test]
fn a_graph_with_a_cycle_is_compared_as_far_as_it_goes() {
    let mut cyclic = orders();
    cyclic["edges"].as_array_mut().unwrap().push(json!({"from": "big", "to": "fetch", "label": "true"}));
    let told = of(&read(orders()), &read(cyclic));
    assert_eq!((told.edges.added.len(), told.nodes.changed.len()), (1, 0));
    assert!(told.bounds.unwrap().after.is_none());
}

/// A graph whose nodes have these ids, where there are any.
fn with_ids(shapes: &[Shape], ids: &[Option<u8>]) -> Graph {
    let mut graph = document(shapes);
    let mut taken = BTreeSet::new();
    for (node, number) in graph.nodes.iter_mut().zip(ids) {
        node.id = number.filter(|number| taken.insert(*number)).map(|number| id(usize::from(number)));
    }
    graph
}

/// Nodes by key without their ids.
fn by_key(graph: &Graph) -> BTreeMap<String, Value> {
    let node = |node: &domain::Node| {
        let mut json = serde_json::to_value(node).unwrap();
        json.as_object_mut().unwrap().remove("id");
        (node.key.to_string(), json)
    };
    graph.nodes.iter().map(node).collect()
}

/// Ends and label of an edge.
type Told = (String, String, Option<String>);

fn edges(graph: &Graph) -> BTreeSet<Told> {
    graph.edges.iter().map(told).collect()
}

fn told(edge: &Edge) -> Told {
    (edge.from.to_string(), edge.to.to_string(), edge.label.clone())
}

/// Puts what stands there now in its place.
fn put(value: &mut Value, change: &FieldChange) {
    let (parent, name) = change.pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match (value.pointer_mut(parent).unwrap(), &change.after) {
        (Value::Object(fields), Some(after)) => drop(fields.insert(name, after.clone())),
        (Value::Object(fields), None) => drop(fields.remove(&name)),
        (Value::Array(items), Some(after)) => items[name.parse::<usize>().unwrap()] = after.clone(),
        (other, _) => panic!("nothing can stand at {} of {other}", change.pointer),
    }
}

/// The nodes and edges that come of a graph by what is told.
fn applied(before: &Graph, diff: &Diff) -> (BTreeMap<String, Value>, BTreeSet<Told>) {
    let mut left = by_key(before);
    for node in &diff.nodes.removed {
        left.remove(node.key.as_str());
    }
    let mut nodes = BTreeMap::new();
    let mut names = BTreeMap::new();
    for change in &diff.nodes.changed {
        let was = change.renamed_from.as_ref().unwrap_or(&change.key);
        let mut node = left.remove(was.as_str()).unwrap();
        change.fields.iter().for_each(|field| put(&mut node, field));
        node["key"] = json!(change.key);
        names.insert(was.to_string(), change.key.to_string());
        nodes.insert(change.key.to_string(), node);
    }
    nodes.extend(left);
    nodes.extend(diff.nodes.added.iter().map(|node| {
        let mut json = serde_json::to_value(node).unwrap();
        json.as_object_mut().unwrap().remove("id");
        (node.key.to_string(), json)
    }));
    let mut edges = edges(before);
    for edge in &diff.edges.removed {
        edges.remove(&told(edge));
    }
    let now = |key: String| names.get(&key).cloned().unwrap_or(key);
    let mut edges: BTreeSet<_> =
        edges.into_iter().map(|(from, to, label)| (now(from), now(to), label)).collect();
    for edge in &diff.edges.relabelled {
        edges.remove(&(edge.from.to_string(), edge.to.to_string(), edge.before.clone()));
    }
    for edge in &diff.edges.relabelled {
        edges.insert((edge.from.to_string(), edge.to.to_string(), edge.after.clone()));
    }
    edges.extend(diff.edges.added.iter().map(told));
    (nodes, edges)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_graph_does_not_differ_from_itself(shapes in shapes(10, true), ids in ids()) {
        let graph = with_ids(&shapes, &ids);
        prop_assert!(of(&graph, &graph).is_empty());
    }

    #[test]
    fn what_is_told_leads_from_the_one_to_the_other_and_back(
        one in shapes(10, true), other in shapes(10, true), ids_one in ids(), ids_other in ids()
    ) {
        let (one, other) = (with_ids(&one, &ids_one), with_ids(&other, &ids_other));
        let (there, back) = (of(&one, &other), of(&other, &one));
        prop_assert_eq!(applied(&one, &there), (by_key(&other), edges(&other)));
        prop_assert_eq!(applied(&other, &back), (by_key(&one), edges(&one)));
        prop_assert_eq!(there.nodes.added.len(), back.nodes.removed.len());
        prop_assert_eq!(there.edges.relabelled.len(), back.edges.relabelled.len());
    }
}

fn ids() -> impl Strategy<Value = Vec<Option<u8>>> {
    proptest::collection::vec(proptest::option::of(0..12_u8), 16)
}
