//! `workflow`: runs another workflow and takes its result.

use domain::{Failure, UsedVersion, WorkflowId};
use serde_json::Value;

use super::{About, Context, Control, Field, Group, Kind, Metadata, NodeType, Shape, Typing};
use crate::ReferenceKind;

#[derive(Debug)]
pub(super) struct Workflow;

const FIELDS: &[Field] = &[
    Field::required("workflow_id", Kind::Id(ReferenceKind::Workflow), "the workflow to run"),
    Field::optional(
        "version",
        Kind::Integer { min: 1, max: 1_000_000 },
        "the number of its version; the one that is published when this workflow is, if left out",
    ),
    Field::optional("input", Kind::Template, "the inputs of its run; what this node gets, if left out"),
];

impl NodeType for Workflow {
    fn name(&self) -> &'static str {
        "workflow"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Workflow",
            help: "Runs another workflow and takes its result.",
            example: r#"{"workflow_id": "01961234-5678-7abc-8def-0123456789ab", "input": {"order": "{{ input.id }}"}}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.run()
    }

    fn control(&self) -> Option<Control> {
        Some(Control::Workflow)
    }
}

/// The inputs of the run.
pub(crate) fn inputs(metadata: &Metadata, context: &Context<'_>) -> Result<Value, Failure> {
    if !metadata.has("input") {
        return Ok(context.input.clone());
    }
    Ok(metadata.value("input", &context.scope())?.unwrap_or_default())
}

/// Whether this is the version that the node was published with.
pub(crate) fn names(metadata: &Metadata, used: &UsedVersion) -> bool {
    let id = metadata.plain("workflow_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let number = metadata.plain("version").and_then(Value::as_u64);
    id == Some(used.workflow_id) && number == used.number.map(u64::from)
}

/// The workflow, and perhaps the number of its version, that a node with this metadata runs.
pub(crate) fn of(metadata: &Metadata) -> Option<(WorkflowId, Option<u32>)> {
    let id = metadata.plain("workflow_id").and_then(Value::as_str)?.parse().ok()?;
    let number = metadata.plain("version").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
    Some((id, number))
}

/// A workflow, and perhaps the number of its version, that a graph runs.
pub(crate) fn named(metadata: &serde_json::Map<String, Value>) -> Option<(WorkflowId, Option<u32>)> {
    let id = metadata.get("workflow_id").and_then(Value::as_str)?.parse().ok()?;
    let number = metadata.get("version").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
    Some((id, number))
}
