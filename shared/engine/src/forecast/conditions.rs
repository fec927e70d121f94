//! On which choices it depends whether a node runs. Branches that exclude each other are not paid for both.

use std::{collections::BTreeSet, rc::Rc};

use domain::{Graph, OnError};

use super::{Runs, edges::liveness, follow::Followed};
use crate::{
    nodes::{ERROR, Labels},
    validate::Checked,
};

/// A node that chooses, and what it chose: a label, [`ERROR`], or success where that is one of two ways.
pub(super) type Condition = (usize, String);

const SUCCESS: &str = "";

/// How deep choices are looked through for whether all their ways meet again.
const MAX_DEPTH: usize = 6;

/// When a node runs.
#[derive(Debug, Clone, Default)]
pub(super) struct When {
    /// All of these have to hold.
    pub(super) only_if: Rc<BTreeSet<Condition>>,
    /// Whether it runs whenever they do.
    pub(super) is_certain: bool,
}

/// When each node runs, by its place.
pub(super) struct Conditions<'a> {
    graph: &'a Graph,
    checked: &'a Checked<'a>,
    pub(super) when: Vec<When>,
}

impl<'a> Conditions<'a> {
    pub(super) fn of(graph: &'a Graph, checked: &'a Checked<'a>, part: &[Followed]) -> Self {
        let mut conditions = Self { graph, checked, when: vec![When::default(); graph.nodes.len()] };
        let mut by_place: Vec<Option<&Followed>> = vec![None; graph.nodes.len()];
        for node in part {
            by_place[node.place] = Some(node);
        }
        for place in checked.topology.order() {
            let when = conditions.node(place, &by_place);
            conditions.when[place] = when;
        }
        conditions
    }

    /// Whether a node runs whatever is chosen.
    pub(super) fn is_certain(&self, place: usize) -> bool {
        self.when[place].is_certain && self.when[place].only_if.is_empty()
    }

    fn node(&self, place: usize, by_place: &[Option<&Followed>]) -> When {
        let edges = self.checked.topology.incoming(place);
        if edges.is_empty() {
            return When { is_certain: true, ..When::default() };
        }
        let ways: Vec<When> = edges
            .iter()
            .filter_map(|edge| {
                let (parent, _) = self.checked.topology.ends(*edge)?;
                let runs = liveness(self.graph, self.checked, *edge, by_place[parent]?);
                (runs != Runs::Never).then(|| self.way(*edge, parent, by_place[parent]))
            })
            .collect();
        let mut sets = ways.iter().map(|way| Rc::clone(&way.only_if));
        let both = |all: Rc<BTreeSet<_>>, set: Rc<BTreeSet<_>>| Rc::new(&*all & &*set);
        let only_if = sets.next().map(|first| sets.fold(first, both)).unwrap_or_default();
        let is_certain = self.covers(&ways, &only_if, 0);
        When { only_if, is_certain }
    }

    /// When an edge is live: when its parent ran and chose it. What an exactly known node chooses is no condition.
    fn way(&self, edge: usize, parent: usize, followed: Option<&Followed>) -> When {
        let mut way = self.when[parent].clone();
        if followed.is_some_and(|parent| parent.is_exact) {
            return way;
        }
        let label = self.graph.edges[edge].label.as_deref();
        match (label, self.outcomes(parent).len()) {
            (_, 1) => {}
            (Some(label), _) if self.outcomes(parent).iter().any(|outcome| outcome == label) => {
                Rc::make_mut(&mut way.only_if).insert((parent, label.to_owned()));
            }
            _ => drop(Rc::make_mut(&mut way.only_if).insert((parent, SUCCESS.to_owned()))),
        }
        way
    }

    /// The ways that a node may choose; only one where it does not.
    pub(super) fn outcomes(&self, place: usize) -> Vec<String> {
        let node = &self.graph.nodes[place];
        let labels = self.checked.nodes[place].node_type.map(|found| found.labels(&node.metadata));
        let mut outcomes = match labels {
            Some(Labels::Choice(labels)) => labels,
            _ => vec![SUCCESS.to_owned()],
        };
        if node.node_type == "if_else"
            && node.metadata.contains_key("cases")
            && !node.metadata.contains_key("default")
        {
            outcomes.push("no case".to_owned());
        }
        if node.on_error == OnError::Branch {
            outcomes.push(ERROR.to_owned());
        }
        outcomes
    }

    /// Whether one of the ways is open whenever these conditions hold.
    fn covers(&self, ways: &[When], given: &BTreeSet<Condition>, depth: usize) -> bool {
        if ways.iter().any(|way| way.is_certain && way.only_if.is_subset(given)) {
            return true;
        }
        if depth == MAX_DEPTH {
            return false;
        }
        let open = ways.iter().flat_map(|way| way.only_if.iter()).map(|(choice, _)| *choice);
        let open: BTreeSet<_> =
            open.filter(|choice| !given.iter().any(|(known, _)| known == choice)).collect();
        let reached = open.into_iter().find(|choice| {
            let when = &self.when[*choice];
            when.is_certain && when.only_if.is_subset(given)
        });
        reached.is_some_and(|choice| {
            self.outcomes(choice).into_iter().all(|outcome| {
                let mut given = given.clone();
                given.insert((choice, outcome));
                self.covers(ways, &given, depth + 1)
            })
        })
    }
}
