//! What is run while the process dies: every run has a number, and the number decides its kind and its result.

use serde_json::{Value, json};

/// Two kinds of runs, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Data steps alone: one commit from start to end.
    Pure,
    /// HTTP requests, first one and then two side by side: commits, claims and messages in between.
    Effects,
}

/// The requests of a run with effects, by the last part of their path.
pub(super) const EFFECTS: [&str; 3] = ["first", "left", "right"];

impl Kind {
    /// The kind of a run.
    pub(super) fn of(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Pure } else { Self::Effects }
    }

    /// The graph of every run of this kind. Its inputs are `number` and `server`.
    pub(super) fn graph(self) -> Value {
        match self {
            Self::Pure => json!({
                "nodes": [
                    {"key": "twice", "node_type": "map", "metadata": {"mapping": {"n": "{{ input.number * 2 }}"}}},
                    {"key": "more", "node_type": "advanced", "metadata": {"program": "{\"n\": input.n + 7, \"list\": [1..5]}"}},
                    {"key": "sum", "node_type": "map", "metadata": {"mapping": {"n": "{{ input.n + $sum(input.list) }}"}}},
                    {"key": "answer", "node_type": "return", "metadata": {"output": {"n": "{{ input.n }}", "number": "{{ base.params.number }}"}}},
                ],
                "edges": [{"from": "twice", "to": "more"}, {"from": "more", "to": "sum"}, {"from": "sum", "to": "answer"}],
            }),
            Self::Effects => {
                let [first, left, right] = EFFECTS.map(|effect| {
                    let url = format!("{{{{ base.params.server }}}}/{{{{ base.params.number }}}}/{effect}");
                    // A claim outlives its process by as much, and the run with it.
                    json!({"key": effect, "node_type": "post_api", "timeout_s": 2, "metadata": {"url": url}})
                });
                let paths = EFFECTS.map(|effect| format!("{{{{ base.nodes.{effect}.body.path }}}}"));
                json!({
                    "nodes": [
                        first, left, right,
                        {"key": "both", "node_type": "merge"},
                        {"key": "answer", "node_type": "return", "metadata": {"output": paths}},
                    ],
                    "edges": [
                        {"from": "first", "to": "left"}, {"from": "first", "to": "right"},
                        {"from": "left", "to": "both"}, {"from": "right", "to": "both"}, {"from": "both", "to": "answer"},
                    ],
                })
            }
        }
    }
}

/// What a run comes to.
pub(super) fn result(number: usize) -> Value {
    match Kind::of(number) {
        Kind::Pure => json!({"n": number * 2 + 7 + 15, "number": number}),
        Kind::Effects => json!(effects(number)),
    }
}

/// The paths that a run has to request.
pub(super) fn effects(number: usize) -> Vec<String> {
    match Kind::of(number) {
        Kind::Pure => Vec::new(),
        Kind::Effects => EFFECTS.map(|effect| format!("/{number}/{effect}")).into(),
    }
}
