//! What is run while processes die: every run has a number, and the number decides its kind and its result.

use serde_json::{Value, json};

/// The kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Data steps alone: one commit from start to end.
    Pure,
    /// HTTP requests, first one and then two side by side: commits, claims and messages in between.
    Effects,
    /// HTTP requests one after the other: a commit and a claim between any two.
    Chain,
    /// A request for each of some items: chunks with records and messages of their own.
    Items,
    /// A request that another workflow makes: a run of its own, which tells this one of its end.
    Child,
    /// A request before a wait and one after it: a message that comes later.
    Wait,
    /// A request that is refused for good, and another one in its place.
    Rescue,
    /// Requests that are refused at first: attempts, and messages that come later.
    Flaky,
}

/// What one process is asked to do while it is killed.
pub const TWO_KINDS: &[Kind] = &[Kind::Pure, Kind::Effects];

/// Everything that the engine has messages for.
pub const ALL_KINDS: &[Kind] = &[
    Kind::Effects,
    Kind::Items,
    Kind::Chain,
    Kind::Child,
    Kind::Pure,
    Kind::Wait,
    Kind::Rescue,
    Kind::Flaky,
];

/// How long a claim outlives its process at least, and the run with it.
const TIMEOUT_S: u32 = 2;

/// How long a run of [`Kind::Wait`] waits.
const WAIT_S: u32 = 3;

const ITEMS: usize = 6;

/// The node that fails in every run of its kind.
const REFUSED: &str = "refused";

/// The workflow that [`Kind::Child`] runs. Its inputs are `number` and `server`.
pub fn child_graph() -> Value {
    json!({"nodes": [request("inner", &url("inner"))]})
}

impl Kind {
    /// The kind of a run, of these in turn.
    pub fn of(number: usize, kinds: &[Self]) -> Self {
        kinds[number % kinds.len()]
    }

    /// The graph of every run of this kind. Its inputs are `number` and `server`; `child` is the workflow of [`child_graph`].
    pub fn graph(self, child: &str) -> Value {
        match self {
            Self::Pure => json!({
                "nodes": [
                    {"key": "twice", "node_type": "map", "metadata": {"mapping": {"n": "{{ input.number * 2 }}"}}},
                    {"key": "more", "node_type": "advanced", "metadata": {"program": "{\"n\": input.n + 7, \"list\": [1..5]}"}},
                    {"key": "sum", "node_type": "map", "metadata": {"mapping": {"n": "{{ input.n + $sum(input.list) }}"}}},
                    {"key": "answer", "node_type": "return", "metadata": {"output": {"n": "{{ input.n }}", "number": "{{ base.params.number }}"}}},
                ],
                "edges": chain(&["twice", "more", "sum", "answer"]),
            }),
            Self::Effects => json!({
                "nodes": [
                    request("first", &url("first")), request("left", &url("left")), request("right", &url("right")),
                    {"key": "both", "node_type": "merge"}, self.answer(),
                ],
                "edges": [
                    {"from": "first", "to": "left"}, {"from": "first", "to": "right"},
                    {"from": "left", "to": "both"}, {"from": "right", "to": "both"}, {"from": "both", "to": "answer"},
                ],
            }),
            Self::Chain | Self::Flaky => {
                let mut nodes: Vec<_> =
                    self.requests().iter().map(|key| request(key, &url(&self.path(key)))).collect();
                nodes.push(self.answer());
                let keys = [self.requests(), &["answer"]].concat();
                json!({"nodes": nodes, "edges": chain(&keys)})
            }
            Self::Items => {
                let items = format!("{{{{ [0..{}] }}}}", ITEMS - 1);
                json!({"nodes": [{"key": "each", "node_type": "for_each", "metadata": {
                    "items": items,
                    "max_concurrency": 3,
                    "body": [
                        request("call", &url("item/{{ item }}")),
                        {"key": "keep", "node_type": "map", "metadata": {"mapping": "{{ input.body.path }}"}},
                    ],
                }}]})
            }
            Self::Child => json!({
                "nodes": [
                    {"key": "run", "node_type": "workflow", "metadata": {"workflow_id": child}},
                    {"key": "answer", "node_type": "return", "metadata": {"output": ["{{ input.body.path }}"]}},
                ],
                "edges": chain(&["run", "answer"]),
            }),
            Self::Wait => json!({
                "nodes": [
                    request("before", &url("before")),
                    {"key": "pause", "node_type": "wait", "metadata": {"seconds": WAIT_S}},
                    request("after", &url("after")),
                    self.answer(),
                ],
                "edges": chain(&["before", "pause", "after", "answer"]),
            }),
            Self::Rescue => {
                let mut refused = request(REFUSED, &url(&self.path(REFUSED)));
                refused["on_error"] = json!({"action": "branch"});
                json!({
                    "nodes": [
                        refused,
                        {"key": "never", "node_type": "return", "metadata": {"output": "it was not refused"}},
                        request("rescue", &url("rescue")),
                        {"key": "answer", "node_type": "return", "metadata": {"output": ["{{ input.body.path }}"]}},
                    ],
                    "edges": [
                        {"from": REFUSED, "to": "never"}, {"from": REFUSED, "to": "rescue", "label": "error"},
                        {"from": "rescue", "to": "answer"},
                    ],
                })
            }
        }
    }

    /// How the steps of a run end that don't succeed.
    pub fn end_of(self, node: &str) -> &'static str {
        match (self, node) {
            (Self::Rescue, REFUSED) => "failed",
            (Self::Rescue, "never") => "skipped",
            _ => "succeeded",
        }
    }

    /// The nodes that make requests, in order.
    const fn requests(self) -> &'static [&'static str] {
        match self {
            Self::Pure | Self::Items => &[],
            Self::Effects => &["first", "left", "right"],
            Self::Chain => &["a", "b", "c", "d"],
            Self::Child => &["inner"],
            Self::Wait => &["before", "after"],
            Self::Rescue => &[REFUSED, "rescue"],
            Self::Flaky => &["x", "y"],
        }
    }

    /// What a node requests, below the number of its run. Its start tells the server how to answer.
    fn path(self, node: &str) -> String {
        match self {
            Self::Flaky => format!("busy/{node}"),
            Self::Rescue if node == REFUSED => format!("gone/{node}"),
            _ => node.to_owned(),
        }
    }

    /// Gives the paths that were requested.
    fn answer(self) -> Value {
        let path = |node: &&str| json!(format!("{{{{ base.nodes.{node}.body.path }}}}"));
        let paths: Vec<_> = self.requests().iter().map(path).collect();
        json!({"key": "answer", "node_type": "return", "metadata": {"output": paths}})
    }
}

/// What a run comes to.
pub fn result(number: usize, kinds: &[Kind]) -> Value {
    match Kind::of(number, kinds) {
        Kind::Pure => json!({"n": number * 2 + 7 + 15, "number": number}),
        Kind::Rescue => json!([format!("/{number}/rescue")]),
        _ => json!(effects(number, kinds)),
    }
}

/// The paths that a run has to request.
pub fn effects(number: usize, kinds: &[Kind]) -> Vec<String> {
    match Kind::of(number, kinds) {
        Kind::Items => (0..ITEMS).map(|item| format!("/{number}/item/{item}")).collect(),
        kind => kind.requests().iter().map(|node| format!("/{number}/{}", kind.path(node))).collect(),
    }
}

fn request(key: &str, url: &str) -> Value {
    json!({"key": key, "node_type": "post_api", "timeout_s": TIMEOUT_S, "retry": {"max_retries": 3, "delays_s": [1]}, "metadata": {"url": url}})
}

fn url(path: &str) -> String {
    format!("{{{{ base.params.server }}}}/{{{{ base.params.number }}}}/{path}")
}

fn chain(keys: &[&str]) -> Value {
    keys.windows(2).map(|pair| json!({"from": pair[0], "to": pair[1]})).collect()
}
