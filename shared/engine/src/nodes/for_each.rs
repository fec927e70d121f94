//! `for_each`: runs a body, or another workflow, once for each item of a list, in chunks that are runs of their own.

use domain::{Edge, Failure, Graph, Node};
use serde_json::{Map, Value, json};

use super::{
    About, Context, Control, Field, Group, Kind, Metadata, NodeType, Problem, Shape, Typing, list, one_of,
};
use crate::{ReferenceKind, pointer::join};

#[derive(Debug)]
pub(super) struct ForEach;

/// Items in work at a time where the node does not say.
const DEFAULT_CONCURRENCY: u32 = 10;

/// The most nodes of a body.
pub(crate) const MAX_BODY_NODES: usize = 50;

/// The most items of a chunk.
const MAX_CHUNK_ITEMS: usize = 25;

/// The most nodes of a chunk, all items counted: its control state is rewritten with every commit.
const MAX_CHUNK_NODES: usize = 50;

/// The most items that one chunk works on at a time: one worker does.
const MAX_AT_ONCE: u32 = 10;

const FIELDS: &[Field] = &[
    Field::required("items", Kind::Expression, "the list"),
    Field::optional(
        "body",
        Kind::Json,
        "what is done for each item: a list of nodes, one after the other, or {nodes, edges}; its expressions see `item` and `index`",
    ),
    Field::optional(
        "workflow_id",
        Kind::Id(ReferenceKind::Workflow),
        "the workflow to run for each item instead",
    ),
    Field::optional(
        "version",
        Kind::Integer { min: 1, max: 1_000_000 },
        "the number of that workflow's version; the one that is published when this workflow is, if left out",
    ),
    Field::optional("input", Kind::Json, "the inputs of that workflow's run; the item if left out"),
    Field::optional(
        "max_concurrency",
        Kind::Integer { min: 1, max: 1000 },
        "the most items in work at a time; 10 if left out",
    )
    .or_else("10"),
    Field::optional(
        "on_item_error",
        Kind::OneOf(&["fail", "skip", "collect"]),
        "what a failed item means: the node fails; the item is left out; its place in the list holds {error: {class, code, message}}",
    )
    .or_else("\"fail\""),
];

impl NodeType for ForEach {
    fn name(&self) -> &'static str {
        "for_each"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "For each",
            help: "Does something for each item of a list, several at a time.",
            example: r#"{"items": "{{ input.orders }}", "max_concurrency": 5, "body": [{"key": "ship", "node_type": "post_api", "metadata": {"url": "https://ship.example.com/", "body": {"order": "{{ item.id }}"}}}]}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        let (least, most) = typing.items().item_bounds();
        let result = typing.body();
        match on_item_error(typing.metadata()) {
            ItemError::Fail => Shape::list_of(result, least, most),
            ItemError::Skip => Shape::list_of(result, 0, most),
            ItemError::Collect => {
                let failed = Shape::object([("error", Shape::failure())]);
                Shape::list_of(result.or(&failed), least, most)
            }
        }
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = one_of(metadata, &[&["body"], &["workflow_id"]]);
        if metadata.contains_key("body") {
            for name in
                ["workflow_id", "version", "input"].into_iter().filter(|name| metadata.contains_key(*name))
            {
                let message = format!("`{name}` and `body` exclude each other");
                problems.push(Problem::new(join("", name), "conflicting_fields", message));
            }
        }
        problems.extend(body(metadata).and_then(Result::err));
        problems
    }

    fn rules(&self) -> Value {
        json!({
            "oneOf": [
                { "required": ["body"], "properties": { "workflow_id": false, "version": false, "input": false } },
                { "required": ["workflow_id"], "properties": { "body": false } },
            ],
        })
    }

    fn control(&self) -> Option<Control> {
        Some(Control::ForEach)
    }
}

/// What a failed item means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemError {
    /// The node fails.
    Fail,
    /// The item is left out of the results.
    Skip,
    /// The item's place in the results holds the error.
    Collect,
}

pub(crate) fn on_item_error(metadata: &Metadata) -> ItemError {
    match metadata.plain("on_item_error").and_then(Value::as_str) {
        Some("skip") => ItemError::Skip,
        Some("collect") => ItemError::Collect,
        _ => ItemError::Fail,
    }
}

/// The graph that is run for each item; None where the metadata gives none.
pub(crate) fn body(metadata: &Map<String, Value>) -> Option<Result<Graph, Problem>> {
    match (metadata.get("body"), metadata.get("workflow_id")) {
        (Some(body), _) => Some(inline(body)),
        (None, Some(_)) => Some(Ok(of_workflow(metadata))),
        (None, None) => None,
    }
}

fn inline(body: &Value) -> Result<Graph, Problem> {
    let wrong = |error: serde_json::Error| {
        Problem::new("/body", "wrong_body", format!("must be a list of nodes, or {{nodes, edges}}: {error}"))
    };
    let graph: Graph = if body.is_array() {
        let nodes: Vec<Node> = serde_json::from_value(body.clone()).map_err(wrong)?;
        let edges = nodes.windows(2).map(|pair| Edge {
            from: pair[0].key.clone(),
            to: pair[1].key.clone(),
            label: None,
        });
        Graph { edges: edges.collect(), nodes }
    } else {
        serde_json::from_value(body.clone()).map_err(wrong)?
    };
    if graph.nodes.len() > MAX_BODY_NODES {
        let message = format!("the body has {} nodes; {MAX_BODY_NODES} is the most", graph.nodes.len());
        return Err(Problem::new("/body", "too_many_nodes", message));
    }
    Ok(graph)
}

/// A body of one `workflow` node.
fn of_workflow(metadata: &Map<String, Value>) -> Graph {
    let given = ["workflow_id", "version"].into_iter().filter_map(|name| metadata.get_key_value(name));
    let mut inner: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    let input = metadata.get("input").cloned().unwrap_or_else(|| json!("{{ item }}"));
    inner.insert("input".to_owned(), input);
    let node = Node {
        id: None,
        key: "workflow".into(),
        name: String::new(),
        node_type: "workflow".to_owned(),
        metadata: inner,
        structured_output: None,
        retry: None,
        timeout_s: None,
        on_error: domain::OnError::Fail,
        position: None,
    };
    Graph { nodes: vec![node], edges: Vec::new() }
}

/// The list.
pub(crate) fn items(metadata: &Metadata, context: &Context<'_>) -> Result<Vec<Value>, Failure> {
    list::items(metadata, "items", &context.scope())
}

/// How items are cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Items of a chunk; the last may have fewer.
    pub(crate) chunk_items: u32,
    /// Items of a chunk that are in work at a time.
    pub(crate) at_once: u32,
    /// Chunks in work at a time.
    pub(crate) open: u32,
}

impl Cut {
    /// Chunks are small enough for their state to stay small, and as many work at a time as the limit on items allows.
    pub(crate) fn of(metadata: &Metadata, body_nodes: usize) -> Self {
        let limit = metadata.plain("max_concurrency").and_then(Value::as_u64);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(DEFAULT_CONCURRENCY).max(1);
        let open = limit.div_ceil(MAX_AT_ONCE);
        let fits = (MAX_CHUNK_NODES / body_nodes.max(1)).clamp(1, MAX_CHUNK_ITEMS);
        let chunk_items = u32::try_from(fits).unwrap_or(1);
        Self { chunk_items, at_once: limit / open, open }
    }

    /// How many chunks there are of so many items.
    pub(crate) fn chunks(self, items: usize) -> u32 {
        u32::try_from(items.div_ceil(self.chunk_items as usize)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(max_concurrency: u32, body_nodes: usize) -> Cut {
        let raw = json!({"items": "input", "max_concurrency": max_concurrency});
        let (metadata, problems) = Metadata::read(FIELDS, raw.as_object().unwrap());
        assert_eq!(problems, []);
        Cut::of(&metadata, body_nodes)
    }

    #[test]
    fn never_more_items_at_a_time_than_asked_for() {
        for limit in [1, 2, 9, 10, 11, 15, 100, 999, 1000] {
            let Cut { at_once, open, .. } = cut(limit, 1);
            let most = at_once * open;
            assert!(
                most <= limit && most * 2 > limit && at_once <= MAX_AT_ONCE,
                "{limit}: {open} times {at_once}"
            );
        }
    }

    #[test]
    fn a_chunk_of_a_large_body_has_few_items() {
        assert_eq!(cut(100, 1).chunk_items, 25);
        assert_eq!(cut(100, 5).chunk_items, 10);
        assert_eq!(cut(100, 50).chunk_items, 1);
        assert_eq!(cut(100, 1).chunks(10_000), 400);
        assert_eq!(cut(100, 1).chunks(26), 2);
    }
}
