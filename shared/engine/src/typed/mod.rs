//! Typed edges: what flows through a graph, as far as it is known before anything runs, and what in it can't be meant (WF-11, NOD-03).
//!
//! Shapes begin at the schema of the run's inputs, at `structured_output` and at what node types give, and are carried along edges and
//! through expressions. Each node is asked once, parents first, by [`NodeType::plan`](crate::nodes::NodeType::plan).

mod contradiction;
mod edges;
mod result;
mod typing;
mod walk;

use domain::{Graph, WorkflowId, WorkflowVersion};
use serde_json::{Map, Value};

pub(crate) use self::result::of as result_of;
pub use self::typing::Typing;
pub(crate) use self::walk::{NodeShapes, Scene, Walk};
use crate::{Violation, shape::Shape, validate};

/// What is known around a graph.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The schema of the run's inputs; without it, or where it is empty, they may be anything.
    pub input_params: Option<&'a Map<String, Value>>,
    /// The versions that its nodes run, as far as they were looked up.
    pub versions: &'a [(WorkflowId, Option<u32>, WorkflowVersion)],
}

impl<'a> Known<'a> {
    /// Nothing but the schema of the run's inputs.
    pub fn inputs(input_params: &'a Map<String, Value>) -> Self {
        Self { input_params: Some(input_params), ..Self::default() }
    }

    pub(crate) fn version(&self, id: WorkflowId, number: Option<u32>) -> Option<&'a WorkflowVersion> {
        let mut versions = self.versions.iter();
        versions.find(|(known, of, _)| *known == id && *of == number).map(|(.., version)| version)
    }

    /// The shape of the run's inputs.
    pub(crate) fn inputs_shape(&self) -> Shape {
        match self.input_params {
            Some(schema) if !schema.is_empty() => Shape::of_schema(&Value::Object(schema.clone())),
            _ => Shape::any(),
        }
    }
}

/// Uses of fields that can't be there, and of values of the wrong kind, each at its node and field with the shape that is known. An error
/// where no run can come to what is meant, a warning where it is unlikely; of what is not known, nothing is said.
///
/// This is a rule of drafts, and not one of [`compile`](fn@crate::compile): a version that was published runs, whatever is learnt later.
pub fn check_shapes(graph: &Graph, known: &Known<'_>) -> Vec<Violation> {
    let checked = validate::check(graph);
    let mut walk = Walk::new(known);
    walk.run(graph, &checked, &Scene::of_run(known.inputs_shape()));
    walk.violations
}
