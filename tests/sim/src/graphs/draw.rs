//! Drawing graphs.

use super::shape::{
    Ask, Call, Condition, Does, Each, Edge, ItemError, Join, OnError, Shape, Sub, Temper, Timeout,
};
use crate::chance::Dice;

/// Values double at every merge; from this many bytes on, nodes that forget their input are drawn.
const LARGE: usize = 2_000;

/// How far back a node looks for parents.
const REACH: usize = 6;

/// How deep bodies stand in each other.
const DEEPEST: usize = 2;

/// A workflow that a graph may run.
#[derive(Debug, Clone, Copy)]
pub struct Usable {
    /// Its number.
    pub flow: u32,
    /// Whether it asks for an object with a whole number `n`.
    pub is_typed: bool,
}

/// A graph of up to `most` nodes, small ones more often, that may run these workflows.
pub fn draw(dice: &Dice, most: usize, usable: &[Usable]) -> Vec<Shape> {
    let count = 1 + dice.below(most);
    let effects = dice.pick(&[100, 300, 300, 600, 900]);
    // What takes whole families of runs is in every second graph.
    let (families, people) = (dice.pick(&[0, 80, 200]), dice.pick(&[0, 0, 100]));
    let chances = Chances { effects, families, people };
    Drawing::new(dice, usable, chances, 0).nodes(count)
}

/// How many nodes of a thousand are what.
#[derive(Debug, Clone, Copy)]
struct Chances {
    effects: u32,
    families: u32,
    people: u32,
}

struct Drawing<'a> {
    dice: &'a Dice,
    usable: &'a [Usable],
    chances: Chances,
    /// How deep it stands in other graphs.
    depth: usize,
    /// Nodes of the outermost graph that come before it.
    around: Vec<usize>,
    shapes: Vec<Shape>,
    /// About how large each output is.
    sizes: Vec<usize>,
}

impl<'a> Drawing<'a> {
    fn new(dice: &'a Dice, usable: &'a [Usable], chances: Chances, depth: usize) -> Self {
        Self { dice, usable, chances, depth, around: Vec::new(), shapes: Vec::new(), sizes: Vec::new() }
    }

    fn nodes(mut self, count: usize) -> Vec<Shape> {
        for _ in 0..count {
            self.add();
        }
        self.end_branches();
        self.shapes
    }

    fn add(&mut self) {
        let edges = self.edges();
        let input = edges.iter().map(|(parent, _)| self.sizes[*parent] + 10).sum::<usize>().max(50);
        let does = self.does(&edges, input);
        let on_error = self.dice.pick(&[OnError::Fail, OnError::Continue, OnError::Branch, OnError::Branch]);
        self.sizes.push(self.size(&does, input));
        self.shapes.push(Shape { does, on_error, edges });
    }

    /// Edges from nodes before. Several only as long as what they carry together is small.
    fn edges(&self) -> Vec<Edge> {
        let nodes = self.shapes.len();
        let wanted = self.dice.pick(&[1, 1, 1, 1, 2, 2, 3, 4, 0]);
        let mut edges = Vec::new();
        let mut carried = 0;
        for _ in 0..wanted.min(nodes * 4) {
            let parent = nodes - 1 - self.dice.below(nodes.min(REACH));
            let Some(edge) = self.edge(parent) else { continue };
            carried += self.sizes[parent];
            if !edges.contains(&edge) && (edges.is_empty() || carried < LARGE) {
                edges.push(edge);
            }
        }
        edges
    }

    /// An edge from this parent; None if none may lead away from it.
    fn edge(&self, parent: usize) -> Option<Edge> {
        let shape = &self.shapes[parent];
        let labels = shape.does.labels();
        if labels.is_empty() {
            return None;
        }
        let branches = shape.on_error == OnError::Branch && self.dice.hits(300);
        Some((parent, if branches { Some("error") } else { self.dice.pick(labels) }))
    }

    fn does(&self, edges: &[Edge], input: usize) -> Does {
        let dice = self.dice;
        if edges.len() > 1 {
            return Does::Merge(dice.pick(&[Join::Object, Join::Append, Join::Any]));
        }
        // At the very beginning most runs are alive to see what comes of it.
        let families = if self.depth == 0 && self.shapes.is_empty() { 250 } else { self.chances.families };
        if input < LARGE && dice.hits(families) {
            return self.family(edges);
        }
        if dice.hits(self.chances.effects) {
            return Does::Call(self.call());
        }
        if self.depth == 0 && dice.hits(self.chances.people) {
            return Does::Ask(self.ask());
        }
        if self.depth > 0 && dice.hits(300) {
            return if dice.hits(500) { Does::Item } else { self.outer() };
        }
        let n = || i64::try_from(dice.below(10)).unwrap_or_default();
        match dice.below(if input > LARGE { 4 } else { 15 }) {
            0 => Does::Squares(n()),
            1 => Does::Above(n()),
            2 => Does::Batches(1 + dice.below(4)),
            3 => Does::Record,
            4 | 5 => Does::Choose(dice.pick(&[
                Condition::Is(true),
                Condition::Is(false),
                Condition::Above(n()),
                Condition::Above(n()),
            ])),
            6 => {
                let low = n();
                Does::Cases { low, mid: low + n(), has_default: dice.hits(500) }
            }
            7 => Does::Parts,
            8 => Does::Fail,
            9 if dice.hits(500) => Does::Mismatch,
            10 => self.ancestor(edges).map_or(Does::Pair, Does::Recall),
            11 => Does::Pair,
            13 => Does::Wait(dice.pick(&[0, 1, 5, 30, 300, 1_000])),
            12 if !edges.is_empty() => Does::Merge(dice.pick(&[Join::Object, Join::Append, Join::Any])),
            _ => Does::Wrap,
        }
    }

    fn call(&self) -> Call {
        let dice = self.dice;
        let tempers = [
            Temper::Steady,
            Temper::Steady,
            Temper::Steady,
            Temper::Flaky,
            Temper::Flaky,
            Temper::Down,
            Temper::Refusing,
            Temper::Slow,
            Temper::Deaf,
        ];
        Call {
            posts: dice.hits(500),
            temper: dice.pick(&tempers),
            timeout_s: dice.pick(&[None, None, Some(1), Some(2), Some(10), Some(60), Some(150)]),
            retry: dice.pick(&[
                None,
                None,
                Some((0, vec![1])),
                Some((1, vec![0])),
                Some((2, vec![3])),
                Some((5, vec![0, 1, 20])),
            ]),
            is_broken: dice.hits(30),
            mismatches: dice.hits(30),
        }
    }

    /// A node that has other runs do its work.
    fn family(&self, edges: &[Edge]) -> Does {
        match self.run() {
            Some(sub) if self.dice.hits(500) => Does::Run(sub),
            _ if self.depth < DEEPEST => Does::Each(self.each(edges)),
            _ => Does::Item,
        }
    }

    fn run(&self) -> Option<Sub> {
        let Usable { flow, is_typed } = *self.usable.get(self.dice.below(self.usable.len()))?;
        let is_fit = !is_typed || self.dice.hits(800);
        Some(Sub { flow, is_typed, is_fit, timeout_s: self.patience() })
    }

    fn each(&self, edges: &[Edge]) -> Each {
        let dice = self.dice;
        let chances = match dice.below(3) {
            // Many items, and nothing but data: several chunks at little cost.
            0 if self.depth == 0 => Chances { effects: 0, families: 0, people: 0 },
            _ => Chances { effects: dice.pick(&[300, 900]), families: 80, people: 0 },
        };
        let counts: &[_] = if chances.effects == 0 { &[26, 30, 55] } else { &[0, 1, 2, 2, 3, 5] };
        let run = self.run().filter(|_| chances.effects > 0 && dice.hits(300));
        let (is_workflow, body) = match run {
            Some(sub) => {
                let does = Does::Run(Sub { timeout_s: None, ..sub });
                (true, vec![Shape { does, on_error: OnError::Fail, edges: Vec::new() }])
            }
            None => (false, self.body(chances, edges)),
        };
        Each {
            count: (chances.effects == 0 || dice.hits(700)).then(|| dice.pick(counts)),
            max_concurrency: dice.pick(&[None, Some(1), Some(2), Some(3), Some(11), Some(25)]),
            on_item_error: dice.pick(&[ItemError::Fail, ItemError::Skip, ItemError::Collect]),
            body,
            is_workflow,
            timeout_s: self.patience(),
        }
    }

    fn body(&self, chances: Chances, edges: &[Edge]) -> Vec<Shape> {
        let mut inner = Drawing::new(self.dice, self.usable, chances, self.depth + 1);
        inner.around.clone_from(&self.around);
        if self.depth == 0 {
            inner.around.extend(self.ancestor(edges));
        }
        inner.nodes(1 + self.dice.below(3))
    }

    /// How long runs are waited for.
    fn patience(&self) -> Option<u32> {
        self.dice.pick(&[None, None, None, None, None, Some(2), Some(60), Some(300)])
    }

    fn outer(&self) -> Does {
        self.around.get(self.dice.below(self.around.len())).map_or(Does::Item, |outer| Does::Around(*outer))
    }

    fn ask(&self) -> Ask {
        let decisions = [None, Some(true), Some(false)];
        let timeout = self.dice.pick(&[None, None, Some(20), Some(120), Some(1_000)]);
        let timeout = timeout.map(|after_s| Timeout { after_s, approves: self.dice.pick(&decisions) });
        Ask { quorum: self.dice.pick(&[1, 2, 2]), timeout }
    }

    /// Some node from which the edges come, directly or not.
    fn ancestor(&self, edges: &[Edge]) -> Option<usize> {
        let mut at = edges.first()?.0;
        while self.dice.hits(600) {
            let parents = &self.shapes[at].edges;
            let Some((parent, _)) = parents.get(self.dice.below(parents.len())) else { break };
            at = *parent;
        }
        Some(at)
    }

    fn size(&self, does: &Does, input: usize) -> usize {
        match does {
            Does::Squares(_) | Does::Above(_) | Does::Batches(_) | Does::Record => 100,
            Does::Recall(ancestor) => self.sizes[*ancestor] + 10,
            Does::Call(_) => input + 120,
            Does::Run(_) => input + 500,
            Does::Each(each) => 200 * each.items(Some(10)) + 20,
            Does::Ask(_) => 300,
            _ => input + 20,
        }
    }

    /// Some of the nodes that nothing follows become `return`s.
    fn end_branches(&mut self) {
        for i in 0..self.shapes.len() {
            let goes_on = self.shapes.iter().any(|child| child.edges.iter().any(|(parent, _)| *parent == i));
            let is_plain = matches!(self.shapes[i].does, Does::Wrap | Does::Pair | Does::Recall(_));
            if !goes_on && is_plain && self.dice.hits(700) {
                self.shapes[i].does = Does::Return { is_object: self.dice.hits(500) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::graphs::document;

    const USABLE: &[Usable] = &[Usable { flow: 0, is_typed: false }, Usable { flow: 1, is_typed: true }];

    #[test]
    fn every_graph_may_be_published() {
        for seed in 0..1_000 {
            let shapes = draw(&Dice::of(seed, "graph"), 15, USABLE);
            let violations = engine::validate_for_publish(&document(&shapes));
            let errors: Vec<_> =
                violations.iter().filter(|found| found.severity == engine::Severity::Error).collect();
            assert!(errors.is_empty(), "seed {seed}: {errors:#?}");
        }
    }

    #[test]
    fn every_type_that_can_be_run_is_drawn() {
        let types = |seed| {
            let graph = document(&draw(&Dice::of(seed, "graph"), 15, USABLE));
            graph.nodes.into_iter().map(|node| node.node_type)
        };
        let drawn: BTreeSet<_> = (0..300).flat_map(types).collect();
        let missing = |name: &&str| !drawn.contains(*name);
        let available = engine::nodes::TYPES.iter().filter(|node_type| node_type.is_available());
        let missing: Vec<_> = available.map(|node_type| node_type.name()).filter(missing).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
