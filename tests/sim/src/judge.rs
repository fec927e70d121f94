//! Watches everything from outside: what the store accepted, which calls were made, what clients were told. Believes nothing that
//! the code under test says of itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::ports::{Clock as _, LoadedRun};
use chrono::SecondsFormat;
use domain::{Failure, NodeKey, RunId, RunStatus};
use engine::{Call, MAX_CRASHES, NodeState, Run, StepRecord};
use serde_json::Value;

use crate::{
    flows::Flow,
    graphs::Temper,
    invariants::{
        OPEN, Rule, Violation, attempts,
        calls::{self, Began, Claims, End},
        commits, endings,
    },
    network::Network,
    reference::Facts,
};

/// The judge of a seed.
pub struct Judge {
    network: Arc<Network>,
    flows: Vec<Arc<Flow>>,
    is_strict: bool,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    runs: BTreeMap<RunId, Book>,
    /// By the keys of starts: the run that was given for one, and what it was asked for with.
    starts: BTreeMap<String, (RunId, Value)>,
    /// By the keys of calls: whose they are.
    effects: BTreeMap<String, (RunId, NodeKey)>,
    found: Vec<Violation>,
}

/// What is known of a run.
struct Book {
    flow: Arc<Flow>,
    facts: Facts,
    claims: Claims,
    calls: Vec<Began>,
    /// Of attempts that were committed.
    records: Vec<StepRecord>,
    /// Workers that were lost while they advanced it.
    lost: u32,
    /// When a client was told that it is cancelled.
    cancelled_on: Option<Duration>,
}

impl Judge {
    /// A judge of runs of these workflows. Only a strict one enforces the rules that are known not to hold yet.
    pub fn new(network: Arc<Network>, flows: Vec<Arc<Flow>>, is_strict: bool) -> Self {
        Self { network, flows, is_strict, books: Mutex::default() }
    }

    /// Reports a rule that does not hold.
    pub fn objects(&self, violation: Violation) {
        self.network.note(|| format!("VIOLATION {violation}"));
        match OPEN.iter().find(|(rule, _)| *rule == violation.rule) {
            Some((_, what)) if !self.is_strict => self.network.count(what),
            _ => self.books().found.push(violation),
        }
    }

    /// What was found so far.
    pub fn found(&self) -> Vec<Violation> {
        self.books().found.clone()
    }

    /// Whether anything was found.
    pub fn has_found(&self) -> bool {
        !self.books().found.is_empty()
    }

    /// The store has a new run.
    pub fn created(&self, run: &Run, inputs: &Value) {
        let Some(flow) = self.flows.iter().find(|flow| flow.version.id == run.version_id) else {
            return self.objects(Violation::new(
                Rule::ControlState,
                format!("a run of an unknown version: {run:?}"),
            ));
        };
        let facts = Facts {
            inputs: inputs.clone(),
            id: run.id.to_string(),
            time: run.created_on.to_rfc3339_opts(SecondsFormat::Millis, true),
        };
        let book = Book {
            flow: Arc::clone(flow),
            facts,
            claims: Claims::new(),
            calls: Vec::new(),
            records: Vec::new(),
            lost: 0,
            cancelled_on: None,
        };
        self.books().runs.insert(run.id, book);
    }

    /// The store has accepted a commit.
    pub fn committed(&self, before: &Run, after: &Run, records: &[StepRecord]) {
        for violation in commits::check(before, after, records) {
            self.objects(violation);
        }
        let mut books = self.books();
        let Some(book) = books.runs.get_mut(&after.id) else { return };
        for (key, state) in &after.nodes {
            if let NodeState::Running { attempt, lease_until, .. } = state {
                book.claims.insert((key.clone(), *attempt), *lease_until);
            }
        }
        book.records.extend_from_slice(records);
    }

    /// A worker was lost while it advanced this run.
    pub fn worker_lost(&self, run: RunId) {
        if let Some(book) = self.books().runs.get_mut(&run) {
            book.lost += 1;
        }
    }

    /// A client was told that its start was accepted.
    pub fn accepted(&self, run: RunId, key: Option<&str>, inputs: &Value) {
        let mut books = self.books();
        let is_known = books.runs.contains_key(&run);
        let first = key
            .map(|key| books.starts.entry(key.to_owned()).or_insert_with(|| (run, inputs.clone())).clone());
        drop(books);
        if !is_known || first.is_some_and(|first| first != (run, inputs.clone())) {
            self.objects(Violation::new(
                Rule::SameKeySameRun,
                format!("the key {key:?} gave {run} for {inputs}"),
            ));
        }
    }

    /// A client was told that its key was used for another start.
    pub fn refused(&self, key: Option<&str>, inputs: &Value) {
        let first = key.and_then(|key| self.books().starts.get(key).cloned());
        if let Some((run, _)) = first.filter(|(_, asked)| asked == inputs) {
            self.objects(Violation::new(
                Rule::SameKeySameRun,
                format!("{key:?} was refused and had given {run}"),
            ));
        }
    }

    /// A client was told that its run is cancelled.
    pub fn cancelled(&self, run: RunId) {
        let now = self.network.clock.elapsed();
        if let Some(book) = self.books().runs.get_mut(&run) {
            book.cancelled_on.get_or_insert(now);
        }
    }

    /// A call begins. The answer is to be told how it ends; dropped without, the call was cut off.
    pub fn call_begins(self: &Arc<Self>, call: &Call) -> AtWork {
        let (now, elapsed) = (self.network.clock.now(), self.network.clock.elapsed());
        let mut books = self.books();
        let mut number = 0;
        let owner = (call.run_id, call.node.clone());
        let first = books.effects.entry(call.idempotency_key.clone()).or_insert_with(|| owner.clone());
        let mut found = Vec::new();
        if *first != owner {
            found.push(Violation::new(Rule::OneKey, format!("{first:?} had the key of {owner:?}")));
        }
        if let Some(book) = books.runs.get_mut(&call.run_id) {
            found.extend(calls::check(call, book.flow.call(&call.node), &book.calls, &book.claims, now));
            if let Some(cancelled_on) = book.cancelled_on {
                let story = format!(
                    "attempt {} of {} began after the answer at {cancelled_on:?}",
                    call.attempt, call.node
                );
                found.push(Violation::new(Rule::NothingAfterCancel, story));
            }
            number = book.calls.len();
            book.calls.push(Began {
                node: call.node.clone(),
                attempt: call.attempt,
                idempotency_key: call.idempotency_key.clone(),
                config: call.config.clone(),
                began: elapsed,
                in_time: calls::is_in_time(call, &book.claims, now),
                end: None,
            });
        }
        drop(books);
        for violation in found {
            self.objects(violation);
        }
        self.network.count("calls");
        AtWork { judge: Arc::clone(self), run: call.run_id, number }
    }

    /// How the other side of a call answers.
    pub fn temper(&self, call: &Call) -> Temper {
        let books = self.books();
        let shape = books.runs.get(&call.run_id).and_then(|book| book.flow.call(&call.node));
        shape.map_or(Temper::Steady, |shape| shape.temper)
    }

    /// A run as the store has it at the end.
    pub fn ended(&self, stored: &LoadedRun) {
        let found = match self.books().runs.get(&stored.run.id) {
            None => vec![Violation::new(Rule::ControlState, "a run that was never created")],
            Some(book) => book.check(stored),
        };
        for violation in found {
            self.objects(violation);
        }
    }

    /// All runs that were created.
    pub fn runs(&self) -> Vec<(RunId, Arc<Flow>)> {
        self.books().runs.iter().map(|(id, book)| (*id, Arc::clone(&book.flow))).collect()
    }

    fn call_ended(&self, run: RunId, number: usize, end: End) {
        let now = self.network.clock.elapsed();
        let mut books = self.books();
        let call = books.runs.get_mut(&run).and_then(|book| book.calls.get_mut(number));
        if let Some(call) = call.filter(|call| call.end.is_none()) {
            call.end = Some((now, end));
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn check(&self, stored: &LoadedRun) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut answers = BTreeMap::new();
        for (key, call) in self.flow.calls() {
            let mut records: Vec<_> = self.records.iter().filter(|record| record.node == key).collect();
            records.sort_by_key(|record| record.attempt);
            let calls: Vec<_> = self.calls.iter().filter(|call| call.node == key).collect();
            let (answer, broken) = attempts::check(call, &records, &calls);
            found.extend(broken);
            answers.extend(answer.map(|answer| (key, answer)));
        }
        self.check_records(stored, &mut found);
        let blames_workers =
            stored.run.error.as_ref().is_some_and(|error| error.failure.code == "workers_lost");
        if blames_workers && self.lost < MAX_CRASHES {
            let story = format!("it failed by the loss of its workers, of which {} were lost", self.lost);
            found.push(Violation::new(Rule::BlameIsTrue, story));
        }
        if self.cancelled_on.is_some() && stored.run.status != RunStatus::Cancelled {
            let story = format!("a client was told that it is cancelled, and it is {:?}", stored.run.status);
            found.push(Violation::new(Rule::EndsOnce, story));
        }
        found.extend(endings::check(&self.flow, &self.facts, stored, &answers, &self.calls));
        found
    }

    /// What can be read in the end is what was committed. Workers that race for one commit with the same result write one record, and the
    /// one that loses may leave its own times in it, which are a moment apart.
    fn check_records(&self, stored: &LoadedRun, found: &mut Vec<Violation>) {
        let names = |record: &StepRecord| {
            (record.node.clone(), record.attempt, record.digest.clone(), record.settled_at)
        };
        let stored: BTreeMap<_, _> = stored.records.iter().map(|record| (names(record), record)).collect();
        for record in &self.records {
            match stored.get(&names(record)) {
                Some(same) if is_same(same, record) => {}
                Some(other) => {
                    let story = format!("what was committed was overwritten: {record:?} by {other:?}");
                    found.push(Violation::new(Rule::RecordsStay, story));
                }
                None => {
                    found.push(Violation::new(Rule::SettlesOnce, format!("a record is missing: {record:?}")));
                }
            }
        }
        if stored.len() != self.records.len() {
            let story = format!("{} records were committed: {:?}", self.records.len(), stored.keys());
            found.push(Violation::new(Rule::SettlesOnce, story));
        }
    }
}

/// A call at work.
pub struct AtWork {
    judge: Arc<Judge>,
    run: RunId,
    number: usize,
}

impl AtWork {
    /// Its worker was told this.
    pub fn ends(self, outcome: Result<Value, Failure>) {
        self.judge.call_ended(self.run, self.number, End::Answered(outcome));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.judge.call_ended(self.run, self.number, End::Dropped);
    }
}

/// Whether two records tell the same, their times aside.
fn is_same(one: &StepRecord, other: &StepRecord) -> bool {
    let StepRecord { started_on, finished_on, .. } = *other;
    StepRecord { started_on, finished_on, ..one.clone() } == *other
}
