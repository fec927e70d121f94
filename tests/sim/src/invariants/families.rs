//! Rules of runs that others start: they are started with what they should be, and a node comes to what they came to.

use std::{collections::BTreeMap, rc::Rc};

use app::ports::LoadedRun;
use chrono::TimeDelta;
use domain::{Failure, NodeKey, RunStatus};
use engine::StepRecord;
use serde_json::{Value, json};

use super::{
    Rule, Violation,
    endings::{Played, copy_of, failed_in},
};
use crate::{
    books::Book,
    graphs::{Does, Each, ItemError},
    reference::{Settled, blanked},
};

/// A run that another one started.
pub struct Child<'a> {
    /// What was written down of it.
    pub book: &'a Book,
    /// As it is stored.
    pub stored: LoadedRun,
    /// What the reference makes of it.
    pub played: Rc<Vec<Played>>,
}

/// The children of a run, by their nodes and numbers.
pub type Children<'a> = BTreeMap<NodeKey, BTreeMap<u32, Child<'a>>>;

/// Every rule that the nodes of a run break which other runs work for.
pub fn check(book: &Book, played: &[Played], children: &Children<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let childless = BTreeMap::new();
    for (key, shape) in book.task.nodes() {
        if !matches!(shape.does, Does::Run(_) | Does::Each(_)) {
            continue;
        }
        let asked = copy_of(book, played, &key)
            .and_then(|(i, copy)| copy.ending.requests.get(&book.task.names().key(i)).cloned().flatten());
        let node = Node { does: &shape.does, asked, children: children.get(&key).unwrap_or(&childless) };
        let record = book.settling(&key).filter(|_| !book.kept.contains(&key));
        let problems = node.wrong_starts().chain(record.and_then(|record| node.wrong_end(record)));
        found.extend(problems.map(|story| Violation::new(Rule::ChildrenAreTrue, format!("{key}: {story}"))));
    }
    found
}

struct Node<'a> {
    does: &'a Does,
    /// What its children must be started with; None if there must be none.
    asked: Option<Value>,
    children: &'a BTreeMap<u32, Child<'a>>,
}

impl Node<'_> {
    fn wrong_starts(&self) -> impl Iterator<Item = String> {
        self.children.iter().filter_map(|(number, child)| {
            let given = blanked(&child.book.inputs);
            let is_right = match (&self.asked, child.book.task.copies().first()) {
                (None, _) | (_, None) => false,
                (Some(inputs), Some(None)) => given == blanked(inputs),
                (Some(items), Some(Some(first))) => {
                    let (first, count) = (*first as usize, child.book.task.copies().len());
                    items.as_array().and_then(|items| items.get(first..first + count)).map(|part| json!(part))
                        == given.get("items").cloned()
                }
            };
            (!is_right)
                .then(|| format!("child {number} was given {given}, and {:?} was to be done", self.asked))
        })
    }

    fn wrong_end(&self, record: &StepRecord) -> Option<String> {
        let wrong = if let Some(failure) = &record.error {
            (!self.fails_so(record, failure)).then(|| format!("it failed by {failure:?}"))
        } else {
            let (is, expected) = (record.output.as_deref(), self.result());
            let is_right = expected.as_ref().map(blanked) == is.map(blanked);
            (!is_right).then(|| format!("it came to {is:?}, and its children to {expected:?}"))
        };
        wrong.map(|story| format!("{story}; {:?}", self.ends()))
    }

    /// Whether it may fail by this: since it took too long, since nothing could be started, or as a child did.
    fn fails_so(&self, record: &StepRecord, failure: &Failure) -> bool {
        let patience = match self.does {
            Does::Run(sub) => sub.timeout_s,
            Does::Each(each) => each.timeout_s,
            _ => None,
        };
        let is_late = failure.code == "timeout"
            && patience.is_some_and(|seconds| {
                record.finished_on - record.started_on >= TimeDelta::seconds(seconds.into())
            });
        let is_refused = failure.code == "invalid_inputs" && self.asked.is_none() && self.children.is_empty();
        let failed_so = |child: &Child<'_>| match (child.stored.run.status, &child.stored.run.error) {
            (RunStatus::Cancelled, _) => failure.code == "child_cancelled",
            (RunStatus::Failed, Some(error)) => {
                (error.failure.class, &error.failure.code) == (failure.class, &failure.code)
                    && failure.message.ends_with(&error.failure.message)
            }
            _ => false,
        };
        is_late || is_refused || self.children.values().any(failed_so)
    }

    /// What it comes to if all its children ended well; None if they did not, or some were never started.
    fn result(&self) -> Option<Value> {
        let has_all =
            self.children.keys().copied().eq(0..u32::try_from(self.children.len()).unwrap_or_default());
        let ended_well = |child: &Child<'_>| child.stored.run.status == RunStatus::Succeeded;
        if !has_all || !self.children.values().all(ended_well) {
            return None;
        }
        match self.does {
            Does::Each(each) => {
                let items = self.asked.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
                let worked_on: usize = self.children.values().map(|child| child.played.len()).sum();
                let results = self.children.values().flat_map(|child| of_items(each, child));
                (worked_on == items || items == 0).then(|| results.collect())
            }
            _ => self.children.get(&0)?.played.first()?.ending.result.clone(),
        }
    }

    fn ends(&self) -> Vec<(u32, RunStatus)> {
        self.children.iter().map(|(number, child)| (*number, child.stored.run.status)).collect()
    }
}

/// What the items of a chunk come to.
fn of_items(each: &Each, child: &Child<'_>) -> Vec<Value> {
    let of_item = |copy: &Played| {
        let Some(failed) = failed_in(child.book, &child.stored, copy.item) else {
            return Some(copy.ending.result.clone().unwrap_or_default());
        };
        match (each.on_item_error, copy.ending.nodes.get(failed)) {
            (ItemError::Collect, Some(Settled::Error(error))) => Some(json!({"error": error})),
            _ => None,
        }
    };
    child.played.iter().filter_map(of_item).collect()
}
