//! What the judge has written down of each run, and how runs belong together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{NodeKey, RunId, TriggerKind};
use engine::{Call, NodeState, RetryFrom, Run, StepRecord};
use serde_json::Value;

use crate::{
    flows::Task,
    invariants::{
        Rule, Violation,
        calls::{Began, Claims},
    },
};

/// What is known of all runs.
#[derive(Default)]
pub struct Books {
    /// By their ids.
    pub runs: BTreeMap<RunId, Book>,
    /// By the nodes that started them: the children, by their numbers.
    pub children: BTreeMap<(RunId, NodeKey), BTreeMap<u32, RunId>>,
    /// By the runs that ended badly: those that were started to tell of it.
    pub errors: BTreeMap<RunId, Vec<RunId>>,
    /// By the keys of starts: the run that was given for one, and what it was asked for with.
    pub starts: BTreeMap<String, (RunId, Value)>,
    /// By the keys of calls: whose they are.
    pub effects: BTreeMap<String, (RunId, NodeKey)>,
    /// The rules that did not hold.
    pub found: Vec<Violation>,
}

/// What is known of a run.
pub struct Book {
    /// What it is to do.
    pub task: Task,
    /// As it was committed last.
    pub run: Run,
    /// What it was started with.
    pub inputs: Arc<Value>,
    /// Until when each claim holds.
    pub claims: Claims,
    /// Calls that began.
    pub calls: Vec<Began>,
    /// Of attempts that were committed.
    pub records: Vec<StepRecord>,
    /// Workers that were lost while they advanced it.
    pub lost: u32,
    /// When a client was told that it is cancelled.
    pub cancelled_on: Option<Duration>,
    /// Nodes that it keeps of the run that it retries.
    pub kept: BTreeSet<NodeKey>,
    /// What people said to it.
    pub said: Vec<Said>,
}

/// What one person said about an approval.
#[derive(Debug, Clone)]
pub struct Said {
    /// The approval.
    pub node: NodeKey,
    /// Who.
    pub by: String,
    /// Whether they approve.
    pub approves: bool,
    /// Whether they were told that it counts.
    pub counts: bool,
}

impl Book {
    /// The book of a run that nobody has begun.
    pub fn new(task: Task, run: &Run, inputs: &Value) -> Self {
        Self {
            task,
            run: run.clone(),
            inputs: Arc::new(inputs.clone()),
            claims: Claims::new(),
            calls: Vec::new(),
            records: Vec::new(),
            lost: 0,
            cancelled_on: None,
            kept: BTreeSet::new(),
            said: Vec::new(),
        }
    }

    /// The record of the attempt that settled a node, if one did.
    pub fn settling(&self, node: &NodeKey) -> Option<&StepRecord> {
        self.records.iter().find(|record| record.node == *node && !record.retried)
    }

    /// Items that are in work: some of their nodes have begun, and not all have ended.
    fn items_in_work(&self) -> usize {
        let open = self.run.nodes.iter().filter(|(_, state)| !state.is_settled());
        let items: BTreeSet<_> =
            open.filter_map(|(key, _)| key.as_str().split_once('.').map(|parts| parts.1)).collect();
        items.len()
    }
}

impl Books {
    /// Writes a new run down.
    pub fn open(&mut self, task: Task, run: &Run, inputs: &Value) -> Vec<Violation> {
        let mut found = Vec::new();
        if let Some(parent) = &run.parent {
            self.children
                .entry((parent.run_id, parent.node.clone()))
                .or_default()
                .insert(parent.child, run.id);
            let is_like = self.runs.get(&parent.run_id).is_some_and(|above| {
                above.run.priority == run.priority
                    && run.deadline <= above.run.deadline
                    && run.deadline.is_some()
            });
            if !is_like {
                found
                    .push(Violation::new(Rule::ControlState, format!("a child unlike its parent: {run:#?}")));
            }
        }
        if run.trigger.kind == TriggerKind::Error {
            let about = run.trigger.by.as_ref().and_then(|by| by.parse().ok());
            self.errors.entry(about.unwrap_or(run.id)).or_default().push(run.id);
        }
        self.runs.insert(run.id, Book::new(task, run, inputs));
        found
    }

    /// The run and those that it is a child of, the nearest first.
    pub fn line(&self, run: RunId) -> impl Iterator<Item = &Book> {
        std::iter::successors(self.runs.get(&run), |book| self.runs.get(&book.run.parent.as_ref()?.run_id))
    }

    /// When a client was told that the run, or one above it, is cancelled.
    pub fn cancelled_on(&self, call: &Call) -> Option<Duration> {
        self.line(call.run_id).filter_map(|book| book.cancelled_on).min()
    }

    /// Whether more items are in work than the `for_each` of this run allows.
    pub fn check_items(&self, run: RunId) -> Option<Violation> {
        let book = self.runs.get(&run)?;
        let (each, parent) = (book.task.each()?, book.run.parent.as_ref()?);
        let siblings = self.children.get(&(parent.run_id, parent.node.clone()))?;
        let in_work: usize =
            siblings.values().filter_map(|id| self.runs.get(id)).map(Book::items_in_work).sum();
        let story =
            || format!("{in_work} items of {} are in work, and {} are allowed", parent.node, each.at_once());
        (in_work > each.at_once()).then(|| Violation::new(Rule::ItemsAtOnce, story()))
    }

    /// The nodes that a run keeps of the one that it retries: those that came to their end well, not where it starts again nor after, with
    /// nothing before them that is done again.
    pub fn kept(&self, run: RunId) -> BTreeSet<NodeKey> {
        self.keeps(run).unwrap_or_default()
    }

    fn keeps(&self, run: RunId) -> Option<BTreeSet<NodeKey>> {
        let book = self.runs.get(&run)?;
        let retry = book.run.retry_of.as_ref().filter(|retry| retry.from != RetryFrom::Start)?;
        let earlier = self.runs.get(&retry.run_id)?;
        if book.run.parent.is_some() && !is_same_work(book, earlier) {
            return None;
        }
        let mut kept = BTreeSet::new();
        for item in book.task.copies() {
            for (i, shape) in book.task.shapes().iter().enumerate() {
                let key = book.task.key(i, item);
                let ended_well = matches!(
                    earlier.run.nodes.get(&key),
                    Some(
                        NodeState::Succeeded { .. }
                            | NodeState::Failed { handled: true, .. }
                            | NodeState::Skipped { .. }
                    )
                );
                let starts_here = matches!(&retry.from, RetryFrom::Node(node) if *node == key);
                let mut parents = shape.edges.iter().map(|(parent, _)| book.task.key(*parent, item));
                if ended_well && !starts_here && parents.all(|parent| kept.contains(&parent)) {
                    kept.insert(key);
                }
            }
        }
        Some(kept)
    }
}

/// Whether a child was given what the one that it retries was given.
fn is_same_work(book: &Book, earlier: &Book) -> bool {
    if book.run.is_chunk() {
        let given = |book: &Book| (book.inputs["items"].clone(), book.inputs["base"]["nodes"].clone());
        given(book) == given(earlier)
    } else {
        book.inputs == earlier.inputs
    }
}
