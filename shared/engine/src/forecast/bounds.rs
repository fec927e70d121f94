//! What a run takes at least and at most.

use std::collections::HashMap;

use domain::{Graph, WorkflowId};
use serde::Serialize;
use serde_json::Value;

use super::{
    Amount, Runs,
    conditions::{Condition, Conditions},
    cost::{self, Cost},
    follow::{Followed, Start, follow},
    prices,
};
use crate::{
    nodes::{Control, for_each::Cut, workflow},
    typed::{Known, Scene, Walk},
    validate::{Checked, check_body},
};

/// The most milliseconds that a message is on its way to a worker that is free, as a rule.
const HOP_MS: u64 = 1000;

/// What a run that succeeds takes, its children included. What lost hints and lost messages cost is left out, and what waiting for a
/// free worker takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bounds {
    /// Attempts of nodes, as `max_steps` counts them.
    pub steps: Amount,
    /// Calls of those outside.
    pub calls: Amount,
    /// Messages in queues.
    pub messages: Amount,
    /// Tokens that models read and write.
    pub model_tokens: Amount,
    /// Milliseconds from start to end.
    pub latency_ms: Amount,
    /// The most branches or items that one node starts, those that stand in each other multiplied.
    pub fan_out: Amount,
    /// What the cloud asks for, in US dollars, without models and without those outside.
    pub price_usd: Price,
}

/// A price that is known by its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Price {
    /// The least.
    pub min: f64,
    /// The most; None where nothing bounds it.
    pub max: Option<f64>,
}

/// What a run of a graph that was followed takes.
pub(super) fn of_run(graph: &Graph, checked: &Checked<'_>, part: &[Followed], known: &Known<'_>) -> Bounds {
    let (cost, fan_out) = Part { graph, checked, nodes: part, known }.cost();
    // A run is started by a message of its own.
    let start = Cost { messages: Amount::between(1, 2), commits: Amount::between(1, 2), ..Cost::default() };
    let cost = cost.plus(start);
    let on_their_way = Amount::between(0, HOP_MS).times(cost.messages);
    Bounds {
        steps: cost.steps,
        calls: cost.calls,
        messages: cost.messages,
        model_tokens: cost.tokens,
        latency_ms: cost.latency_ms.plus(on_their_way),
        fan_out,
        price_usd: prices::of(&cost, graph.nodes.len() as u64),
    }
}

struct Part<'a> {
    graph: &'a Graph,
    checked: &'a Checked<'a>,
    nodes: &'a [Followed],
    known: &'a Known<'a>,
}

impl Part<'_> {
    /// Nodes are added up from the last: what depends on a choice is added to it as one of its ways.
    fn cost(&self) -> (Cost, Amount) {
        let conditions = Conditions::of(self.graph, self.checked, self.nodes);
        let mut ways: HashMap<Condition, Cost> = HashMap::new();
        let mut total = Cost::default();
        let mut fan_out = Amount::exactly(1);
        let mut ranks = vec![0; self.graph.nodes.len()];
        for node in self.nodes {
            ranks[node.place] = node.rank;
        }
        let mut by_rank: Vec<_> = self.nodes.iter().collect();
        by_rank.sort_by_key(|node| std::cmp::Reverse(node.rank));
        let mut alone: HashMap<usize, Amount> = HashMap::new();
        for node in by_rank.into_iter().filter(|node| node.runs != Runs::Never) {
            let (mut cost, wide) = self.node(node);
            fan_out = fan_out.beside(wide.perhaps_if(node.runs != Runs::Always)).beside(self.branches(node));
            alone.insert(node.place, cost.latency_ms);
            cost.latency_ms = Amount::default();
            let outcomes = conditions.outcomes(node.place);
            let mut each =
                outcomes.into_iter().map(|way| ways.remove(&(node.place, way)).unwrap_or_default());
            cost = cost.plus(each.next().map(|first| each.fold(first, Cost::or)).unwrap_or_default());
            let when = &conditions.when[node.place];
            let last = when.only_if.iter().max_by_key(|(choice, _)| ranks[*choice]);
            let rests_on_one = last.is_none_or(|last| {
                let of_choice = &conditions.when[last.0].only_if;
                when.only_if.iter().all(|other| other == last || of_choice.contains(other))
            });
            let cost = if when.is_certain && rests_on_one { cost } else { cost.perhaps() };
            match last {
                Some(last) => {
                    let way = ways.entry(last.clone()).or_default();
                    *way = way.plus(cost);
                }
                None => total = total.plus(cost),
            }
        }
        total.latency_ms = self.latency(&alone);
        (total, fan_out)
    }

    /// What a node takes with all that it starts, and how many items it starts.
    fn node(&self, node: &Followed) -> (Cost, Amount) {
        let (document, read) = (&self.graph.nodes[node.place], &self.checked.nodes[node.place]);
        let Some(node_type) = read.node_type else { return (Cost::default(), Amount::exactly(1)) };
        let pause_s = match read.metadata.plain("seconds") {
            Some(seconds) => seconds.as_f64(),
            None => document.metadata.get("seconds").and_then(Value::as_f64),
        };
        let own = cost::of(document, node_type, &read.metadata, pause_s);
        match (node_type.control(), &read.body) {
            (Some(Control::ForEach), Some(body)) => {
                let items = node.items.unwrap_or(Amount { min: 0, max: None });
                let most =
                    items.max.unwrap_or(crate::nodes::MAX_ITEMS as u64).min(crate::nodes::MAX_ITEMS as u64);
                let items = Amount { min: items.min.min(most), max: Some(most) };
                let (inner, wide) =
                    Part { graph: body, checked: &check_body(body), nodes: &node.body, known: self.known }
                        .cost();
                let cut = Cut::of(&read.metadata, body.nodes.len());
                let chunks = |items: u64| u64::from(cut.chunks(usize::try_from(items).unwrap_or(usize::MAX)));
                let children = Amount::between(chunks(items.min), chunks(most));
                let all = own.plus(inner.times(items));
                let latency_ms = if document.timeout_s.is_some() {
                    own.latency_ms
                } else {
                    items_latency(items, inner.latency_ms)
                };
                (started(Cost { latency_ms, ..all }, children), items.times(wide))
            }
            (Some(Control::Workflow), _) => {
                (started(self.of_workflow(own, read), Amount::exactly(1)), Amount::exactly(1))
            }
            _ => (own, Amount::exactly(1)),
        }
    }

    /// What the version that the node runs takes; nothing bounds one that is not known.
    fn of_workflow(&self, own: Cost, read: &crate::validate::CheckedNode) -> Cost {
        let open = Amount { min: 1, max: None };
        let version = workflow::of(&read.metadata)
            .and_then(|(id, number): (WorkflowId, _)| self.known.version(id, number));
        let Some(version) = version else {
            let unknown = Amount { min: 0, max: None };
            return Cost {
                steps: open,
                calls: unknown,
                messages: open,
                tokens: unknown,
                busy_ms: unknown,
                ..own
            };
        };
        let known = Known::inputs(&version.input_params);
        let (graph, shape) = (&version.graph, known.inputs_shape());
        let (checked, scene) = (check_body(graph), Scene::of_run(shape.clone()));
        let start = Start { value: shape.mock(), is_exact: false, is_item: false };
        let part = follow(graph, &checked, &mut Walk::new(&known), &scene, &start);
        let (inner, _) = Part { graph, checked: &checked, nodes: &part, known: &known }.cost();
        Cost { latency_ms: inner.latency_ms, ..own.plus(inner) }
    }

    /// How many branches a node starts at once.
    fn branches(&self, node: &Followed) -> Amount {
        let edges = self.checked.topology.outgoing(node.place);
        let mut by_label: HashMap<Option<&str>, u64> = HashMap::new();
        for edge in edges {
            *by_label.entry(self.graph.edges[*edge].label.as_deref()).or_default() += 1;
        }
        let node_type = self.checked.nodes[node.place].node_type;
        let labels = node_type.map(|found| found.labels(&self.graph.nodes[node.place].metadata));
        let is_choice = matches!(labels, Some(crate::nodes::Labels::Choice(_)));
        let most = if is_choice { by_label.values().max().copied() } else { Some(edges.len() as u64) };
        Amount::between(1, most.unwrap_or(1).max(1))
    }

    /// The longest way through the graph.
    fn latency(&self, alone: &HashMap<usize, Amount>) -> Amount {
        let mut ends: HashMap<usize, Amount> = HashMap::new();
        let mut all = Amount::default();
        let mut by_rank: Vec<_> = self.nodes.iter().collect();
        by_rank.sort_by_key(|node| node.rank);
        for node in by_rank {
            let Some(own) = alone.get(&node.place) else { continue };
            let parents = self.checked.topology.incoming(node.place).iter();
            let parents = parents.filter_map(|edge| ends.get(&self.checked.topology.ends(*edge)?.0));
            let before = parents.fold(Amount::default(), |all, end| all.beside(*end));
            let is_sure = node.runs == Runs::Always;
            let end = before.plus(own.perhaps_if(!is_sure));
            // A way that is not taken takes no time.
            let end = end.perhaps_if(!is_sure);
            ends.insert(node.place, end);
            all = all.beside(end);
        }
        all
    }
}

/// One item after the other is the longest that they may take.
fn items_latency(items: Amount, one: Amount) -> Amount {
    let all = one.times(items);
    Amount { min: if items.min > 0 { one.min } else { 0 }, ..all }
}

/// Each child is started and told of by messages, and is a run with commits of its own.
fn started(cost: Cost, children: Amount) -> Cost {
    let per_child = Amount::between(1, 4);
    cost.plus(Cost {
        children,
        messages: per_child.times(children),
        commits: Amount::between(1, 3).times(children),
        ..Cost::default()
    })
}
