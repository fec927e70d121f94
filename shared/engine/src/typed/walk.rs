//! One pass over a graph, parents before children.

use std::collections::BTreeMap;

use domain::{Graph, Node, OnError};

use super::{Known, contradiction::contradiction, edges, result, typing::Typing};
use crate::{
    Severity, Violation,
    expr::{
        Reads,
        infer::{Doubt, ShapeScope},
    },
    shape::{Rest, Shape, of_structured_output},
    validate::{Checked, CheckedNode, check_body, pointer_into_body},
};

/// What is known of one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeShapes {
    /// What it gives when it succeeds, a default in place of a failure included.
    pub(crate) output: Shape,
    /// Whether it runs in every run that does not fail before.
    pub(crate) is_sure: bool,
    /// The fewest and the most items that it works on, and where its body runs, if it is a `for_each`.
    pub(crate) body: Option<((usize, Option<usize>), Scene)>,
}

/// Where a graph runs.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// What a root sees as `input`.
    pub(crate) root: Shape,
    /// The run's inputs.
    pub(crate) params: Shape,
    /// What each node sees as `item`, in a body.
    pub(crate) item: Option<Shape>,
    /// Outputs of nodes around the body.
    pub(crate) around: BTreeMap<String, Shape>,
}

impl Scene {
    pub(crate) fn of_run(inputs: Shape) -> Self {
        Self { root: inputs.clone(), params: inputs, item: None, around: BTreeMap::new() }
    }
}

/// The pass, with what it has found so far.
pub(crate) struct Walk<'a> {
    pub(crate) known: &'a Known<'a>,
    /// Pointers lead into the graph that is walked.
    pub(crate) violations: Vec<Violation>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(known: &'a Known<'a>) -> Self {
        Self { known, violations: Vec::new() }
    }

    /// What is known of each node, by its place in the document; nothing of nodes on cycles and behind them.
    pub(crate) fn run(
        &mut self,
        graph: &Graph,
        checked: &Checked<'_>,
        scene: &Scene,
    ) -> Vec<Option<NodeShapes>> {
        let mut shapes: Vec<Option<NodeShapes>> = vec![None; graph.nodes.len()];
        if checked.nodes.len() == graph.nodes.len() {
            for place in checked.topology.order() {
                let node = self.node(graph, checked, scene, place, &shapes);
                shapes[place] = Some(node);
            }
        }
        shapes
    }

    /// The shape of what a run of the graph comes to.
    pub(crate) fn result(&mut self, graph: &Graph, checked: &Checked<'_>, scene: &Scene) -> Shape {
        let shapes = self.run(graph, checked, scene);
        result::of(graph, checked, &shapes)
    }

    fn node(
        &mut self,
        graph: &Graph,
        checked: &Checked<'_>,
        scene: &Scene,
        place: usize,
        shapes: &[Option<NodeShapes>],
    ) -> NodeShapes {
        let (node, read) = (&graph.nodes[place], &checked.nodes[place]);
        let (input, is_sure) = edges::input(graph, checked, scene, place, shapes);
        let Some(node_type) = read.node_type else {
            return NodeShapes { output: Shape::any(), is_sure, body: None };
        };
        let base = base(graph, checked, scene, place, shapes);
        let scope = ShapeScope { input, base, item: scene.item.clone() };
        let pointer = format!("/nodes/{place}");
        let mut typing = Typing::new(&read.metadata, scope);
        // What a body comes to is asked for before its node, which then hands it on.
        let items = typing.items_of(node_type);
        let mut inner = None;
        if let Some(body) = &read.body {
            let item = items.items();
            let around = around(graph, checked, scene, place, shapes);
            let here = Scene { root: item.clone(), params: scene.params.clone(), item: Some(item), around };
            typing.body = Some(self.body(node, &pointer, body, &here));
            inner = Some((items.item_bounds(), here));
        }
        typing.run = self.run_of(&read.metadata);
        let own = node_type.plan(&mut typing).settled();
        let found = typing.finish();
        self.report(node, &pointer, found);
        let output = self.output(node, read, &pointer, own);
        NodeShapes { output, is_sure, body: inner }
    }

    /// What a `workflow` node runs: what its version takes and gives.
    fn run_of(&self, metadata: &crate::nodes::Metadata) -> Option<(Shape, Shape)> {
        let (id, number) = crate::nodes::workflow::of(metadata)?;
        let version = self.known.version(id, number)?;
        let known = Known::inputs(&version.input_params);
        let takes = known.inputs_shape();
        let graph = &version.graph;
        let gives = Walk::new(&known).result(graph, &check_body(graph), &Scene::of_run(takes.clone()));
        Some((takes, gives))
    }

    fn body(&mut self, node: &Node, pointer: &str, body: &Graph, scene: &Scene) -> Shape {
        let outer = std::mem::take(&mut self.violations);
        let shape = self.result(body, &check_body(body), scene);
        let inner = std::mem::replace(&mut self.violations, outer);
        self.violations.extend(inner.into_iter().map(|violation| Violation {
            pointer: pointer_into_body(node, pointer, &violation.pointer),
            ..violation
        }));
        shape
    }

    /// What a node gives by itself, by its `structured_output` and in place of a failure.
    fn output(&mut self, node: &Node, read: &CheckedNode, pointer: &str, own: Shape) -> Shape {
        let mut output = own;
        if let Some(structured_output) = node.structured_output.as_ref().filter(|_| read.schema.is_some()) {
            let wanted = of_structured_output(structured_output);
            if let Some(found) = contradiction(&output, &wanted) {
                let place = format!("{pointer}/structured_output");
                let message = format!("the output does not match structured_output: {}", found.message);
                let is_error = found.is_sure && node.on_error.is_fail();
                let severity = if is_error { Severity::Error } else { Severity::Warning };
                let violation = Violation { severity, ..Violation::error(place, "never_matches", message) };
                self.violations.push(violation.at(&node.key));
            }
            output = output.and(&wanted);
        }
        match &node.on_error {
            OnError::Continue { default } => output.or(&Shape::of_value(default)),
            OnError::Fail | OnError::Branch => output,
        }
    }

    /// A failure that something handles may be what is meant.
    fn report(&mut self, node: &Node, pointer: &str, found: Vec<(String, Doubt)>) {
        self.violations.extend(found.into_iter().map(|(place, doubt)| {
            let is_handled = !node.on_error.is_fail() && doubt.code == "wrong_kind";
            let severity = if doubt.is_sure && !is_handled { Severity::Error } else { Severity::Warning };
            let violation = Violation::error(format!("{pointer}/metadata{place}"), doubt.code, doubt.message);
            Violation { severity, offset: doubt.offset, ..violation }.at(&node.key)
        }));
    }
}

/// What the node's expressions see as `base`.
fn base(
    graph: &Graph,
    checked: &Checked<'_>,
    scene: &Scene,
    place: usize,
    shapes: &[Option<NodeShapes>],
) -> Shape {
    let nodes = around(graph, checked, scene, place, shapes);
    let text = Shape::text;
    let workflow = [("id", text()), ("name", text()), ("version", Shape::number())];
    let trigger = [("kind", text()), ("by", text().or(&Shape::null()))];
    Shape::object([
        ("time", text()),
        ("params", scene.params.clone()),
        // Names of other nodes are checked by another rule.
        ("nodes", Shape::object_and(nodes, Rest::Like(Shape::any()))),
        ("run", Shape::object([("id", text())])),
        ("workflow", Shape::object(workflow)),
        ("trigger", Shape::object(trigger)),
        ("team", Shape::object([("id", text())])),
        ("end_user", Shape::any()),
    ])
}

/// The outputs that the node and its body read of the nodes before it.
fn around(
    graph: &Graph,
    checked: &Checked<'_>,
    scene: &Scene,
    place: usize,
    shapes: &[Option<NodeShapes>],
) -> BTreeMap<String, Shape> {
    let mut seen = scene.around.clone();
    let read = &checked.nodes[place];
    let reads = read.metadata.reads().map(|(_, reads)| reads.clone()).fold(Reads::default(), Reads::and);
    if read.body.is_none() && !reads.all && reads.nodes.is_empty() {
        return seen;
    }
    let reads_all = read.body.is_some() || reads.all;
    let ancestors = checked.topology.ancestors(place);
    for (i, node) in graph.nodes.iter().enumerate().filter(|(i, _)| ancestors[*i]) {
        if let (true, Some(shapes)) = (reads_all || reads.nodes.contains(node.key.as_str()), &shapes[i]) {
            let output = shapes.output.clone();
            let output = if shapes.is_sure { output } else { output.optional() };
            seen.insert(node.key.as_str().to_owned(), output);
        }
    }
    seen
}
