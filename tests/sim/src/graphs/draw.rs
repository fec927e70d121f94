//! Drawing graphs.

use super::shape::{Call, Condition, Does, Edge, Join, OnError, Shape, Temper};
use crate::chance::Dice;

/// Values double at every merge; from this many bytes on, nodes that forget their input are drawn.
const LARGE: usize = 2_000;

/// How far back a node looks for parents.
const REACH: usize = 6;

/// A graph of 1 to 25 nodes, small ones more often.
pub fn draw(dice: &Dice) -> Vec<Shape> {
    let most = dice.pick(&[3, 6, 6, 10, 10, 15, 25]);
    let count = 1 + dice.below(most);
    let effects = dice.pick(&[100, 300, 300, 600, 900]);
    let mut drawing = Drawing { dice, effects, shapes: Vec::new(), sizes: Vec::new() };
    for _ in 0..count {
        drawing.add();
    }
    drawing.end_branches();
    drawing.shapes
}

struct Drawing<'a> {
    dice: &'a Dice,
    /// How many nodes of a thousand are effects.
    effects: u32,
    shapes: Vec<Shape>,
    /// About how large each output is.
    sizes: Vec<usize>,
}

impl Drawing<'_> {
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
        if dice.hits(self.effects) {
            return Does::Call(self.call());
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

    #[test]
    fn every_graph_may_be_published() {
        for seed in 0..500 {
            let shapes = draw(&Dice::of(seed, "graph"));
            let violations = engine::validate_for_publish(&document(&shapes));
            let errors: Vec<_> =
                violations.iter().filter(|found| found.severity == engine::Severity::Error).collect();
            assert!(errors.is_empty(), "seed {seed}: {errors:#?}");
        }
    }

    /// Types that need people or runs of their own.
    const NOT_YET: &[&str] = &["approval", "workflow", "for_each"];

    #[test]
    fn every_type_that_can_be_run_is_drawn() {
        let types =
            |seed| document(&draw(&Dice::of(seed, "graph"))).nodes.into_iter().map(|node| node.node_type);
        let drawn: BTreeSet<_> = (0..300).flat_map(types).collect();
        let missing = |name: &&str| !drawn.contains(*name) && !NOT_YET.contains(name);
        let available = engine::nodes::TYPES.iter().filter(|node_type| node_type.is_available());
        let missing: Vec<_> = available.map(|node_type| node_type.name()).filter(missing).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
