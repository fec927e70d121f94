//! Types of the palette that can't be run yet: drafts may hold them, their required metadata is checked, what
//! they name is known to the catalog, and publishing a graph with one is refused.

use serde_json::{Map, Value};

use super::{Field, Group, Kind, Labels, NodeType, Problem};
use crate::ReferenceKind;

#[derive(Debug)]
pub(super) struct Planned {
    name: &'static str,
    group: Group,
    fields: &'static [Field],
    labels: &'static [&'static str],
    /// Alternatives of fields, one of which must be complete.
    one_of: &'static [&'static [&'static str]],
}

impl NodeType for Planned {
    fn name(&self) -> &'static str {
        self.name
    }

    fn group(&self) -> Group {
        self.group
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let complete = |fields: &[&str]| fields.iter().all(|name| metadata.contains_key(*name));
        if self.one_of.is_empty() || self.one_of.iter().any(|fields| complete(fields)) {
            return Vec::new();
        }
        let choices =
            self.one_of.iter().map(|fields| format!("`{}`", fields.join("` and `"))).collect::<Vec<_>>();
        vec![Problem::new(
            format!("/{}", self.one_of[0][0]),
            "missing_field",
            format!("give {}", choices.join(", or ")),
        )]
    }

    fn labels(&self, _metadata: &Map<String, Value>) -> Labels {
        if self.labels.is_empty() {
            return Labels::None;
        }
        Labels::Choice(self.labels.iter().map(|label| (*label).to_owned()).collect())
    }

    fn is_available(&self) -> bool {
        false
    }
}

const fn planned(name: &'static str, group: Group, fields: &'static [Field]) -> Planned {
    Planned { name, group, fields, labels: &[], one_of: &[] }
}

const POSITIVE: Kind = Kind::Integer { min: 1, max: 1_000_000 };

pub(super) static JOB: Planned = Planned {
    one_of: &[&["expert_id"], &["model", "prompt"]],
    ..planned(
        "job",
        Group::Ai,
        &[
            Field::optional("expert_id", Kind::Id(ReferenceKind::Expert), "the expert that answers"),
            Field::optional("model", Kind::Text, "the model, where there is no expert"),
            Field::optional("prompt", Kind::Text, "what it is asked"),
            Field::optional("params", Kind::TemplateObject, "parameters of the expert or the model"),
            Field::optional("tools", Kind::Json, "the tools it may call"),
            Field::optional("max_turns", Kind::Integer { min: 1, max: 100 }, "the most calls of the model"),
        ],
    )
};

pub(super) static EMBED: Planned = planned(
    "embed",
    Group::Ai,
    &[
        Field::required("text", Kind::Template, "a text or a list of them"),
        Field::optional("model", Kind::Text, "the model"),
        Field::optional("collection_id", Kind::Id(ReferenceKind::Collection), "where the vectors are stored"),
    ],
);

pub(super) static GURU: Planned = planned(
    "guru",
    Group::Resources,
    &[
        Field::required("query", Kind::Text, "what is searched for"),
        Field::optional("limit", POSITIVE, "the most cards"),
        Field::optional("base_url", Kind::Text, "of the knowledge base"),
        Field::optional("credential", Kind::Text, "what the knowledge base is opened with")
            .may_hold_secrets(),
    ],
);

pub(super) static VECTOR_QUERY: Planned = planned(
    "vector_query",
    Group::Resources,
    &[
        Field::required("collection_id", Kind::Id(ReferenceKind::Collection), "what is searched"),
        Field::required("query", Kind::Template, "a text or a vector"),
        Field::optional("top_k", POSITIVE, "the most hits"),
        Field::optional("min_score", Kind::Json, "the least similarity"),
        Field::optional("filter", Kind::TemplateObject, "what the metadata of a hit must match"),
    ],
);

pub(super) static MCP_TOOL: Planned = planned(
    "mcp_tool",
    Group::Resources,
    &[
        Field::required("server_id", Kind::Id(ReferenceKind::McpServer), "the registered server"),
        Field::required("tool", Kind::Word, "the tool's name"),
        Field::optional("arguments", Kind::TemplateObject, "what it is called with"),
    ],
);

pub(super) static APPROVAL: Planned = Planned {
    labels: &["approved", "rejected"],
    ..planned(
        "approval",
        Group::Actions,
        &[
            Field::required("title", Kind::Text, "what is to be decided"),
            Field::optional("form", Kind::Json, "JSON Schema of what the person fills in"),
            Field::optional("approvers", Kind::Json, "a role, or a list of members"),
            Field::optional("quorum", POSITIVE, "how many must approve"),
            Field::optional("timeout_s", Kind::Integer { min: 1, max: 31_536_000 }, "how long it stays open"),
            Field::optional("on_timeout", Kind::Word, "what happens then"),
        ],
    )
};

pub(super) static WAIT: Planned = Planned {
    one_of: &[&["seconds"], &["until"]],
    ..planned(
        "wait",
        Group::Control,
        &[
            Field::optional("seconds", Kind::Template, "how long"),
            Field::optional("until", Kind::Text, "until when, RFC 3339"),
        ],
    )
};

pub(super) static WORKFLOW: Planned = planned(
    "workflow",
    Group::Control,
    &[
        Field::required("workflow_id", Kind::Id(ReferenceKind::Workflow), "the workflow to run"),
        Field::optional("version", POSITIVE, "its version; the published one if left out"),
        Field::optional("input", Kind::Template, "the inputs of its run"),
    ],
);

pub(super) static FOR_EACH: Planned = Planned {
    one_of: &[&["body"], &["workflow_id"]],
    ..planned(
        "for_each",
        Group::Control,
        &[
            Field::required("items", Kind::Expression, "the list"),
            Field::optional("body", Kind::Json, "the nodes to run for each item"),
            Field::optional(
                "workflow_id",
                Kind::Id(ReferenceKind::Workflow),
                "the workflow to run for each item",
            ),
            Field::optional(
                "max_concurrency",
                Kind::Integer { min: 1, max: 1000 },
                "the most items at a time",
            ),
            Field::optional(
                "on_item_error",
                Kind::OneOf(&["fail", "skip", "collect"]),
                "what a failed item means",
            ),
        ],
    )
};
