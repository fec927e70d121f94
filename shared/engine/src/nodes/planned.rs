//! Types of the palette that can't be run yet: drafts may hold them, their required metadata is checked, what
//! they name is known to the catalog, and publishing a graph with one is refused.

use serde_json::{Map, Value};

use super::{About, Field, Group, Kind, NodeType, Problem, one_of, one_of_rule};
use crate::ReferenceKind;

#[derive(Debug)]
pub(super) struct Planned {
    name: &'static str,
    group: Group,
    about: About,
    fields: &'static [Field],
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

    fn about(&self) -> About {
        self.about
    }

    fn rules(&self) -> Value {
        one_of_rule(self.one_of)
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        one_of(metadata, self.one_of)
    }

    fn is_available(&self) -> bool {
        false
    }
}

const fn planned(name: &'static str, group: Group, about: About, fields: &'static [Field]) -> Planned {
    Planned { name, group, about, fields, one_of: &[] }
}

const fn about(label: &'static str, help: &'static str, example: &'static str) -> About {
    About { label, help, example }
}

const POSITIVE: Kind = Kind::Integer { min: 1, max: 1_000_000 };

/// An agent's loop of calls (NOD-04, EXP-10) comes with the running of this type; until then no graph with it is published.
pub(super) static JOB: Planned = Planned {
    one_of: &[&["expert_id"], &["model", "prompt"]],
    ..planned(
        "job",
        Group::Ai,
        about(
            "AI job",
            "Asks a model, by an expert or by itself.",
            r#"{"model": "small", "prompt": "Summarise: {{ input.text }}", "max_turns": 3}"#,
        ),
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
    about(
        "Embed",
        "Turns texts into vectors, and stores them if told where.",
        r#"{"text": "{{ input.chunks }}"}"#,
    ),
    &[
        Field::required("text", Kind::Template, "a text or a list of them"),
        Field::optional("model", Kind::Text, "the model"),
        Field::optional("collection_id", Kind::Id(ReferenceKind::Collection), "where the vectors are stored"),
    ],
);

pub(super) static GURU: Planned = planned(
    "guru",
    Group::Resources,
    about("Guru", "Searches a knowledge base for cards.", r#"{"query": "{{ input.question }}", "limit": 5}"#),
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
    about(
        "Vector query",
        "Finds what is nearest to a text in a collection.",
        r#"{"collection_id": "01961234-5678-7abc-8def-0123456789ab", "query": "{{ input.question }}", "top_k": 5}"#,
    ),
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
    about(
        "MCP tool",
        "Calls a tool of a registered MCP server.",
        r#"{"server_id": "01961234-5678-7abc-8def-0123456789ab", "tool": "search", "arguments": {"q": "{{ input.q }}"}}"#,
    ),
    &[
        Field::required("server_id", Kind::Id(ReferenceKind::McpServer), "the registered server"),
        Field::required("tool", Kind::Word, "the tool's name"),
        Field::optional("arguments", Kind::TemplateObject, "what it is called with"),
    ],
);
