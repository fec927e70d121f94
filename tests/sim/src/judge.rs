//! Watches everything from outside: what the store accepted, which calls were made, what clients were told. Believes nothing that
//! the code under test says of itself.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{Clock as _, LoadedRun};
use domain::{Failure, NodeKey, RunId, RunStatus};
use engine::{Awaited, Call, NodeState, Run, StepRecord};
use serde_json::Value;

use crate::{
    books::{Book, Books, Said},
    flows::{Flow, Task},
    graphs::Temper,
    invariants::{
        OPEN, Rule, Violation,
        calls::{self, Began, End},
        commits, retries,
    },
    network::Network,
    verdict::Verdict,
};

/// The judge of a seed.
pub struct Judge {
    network: Arc<Network>,
    flows: Vec<Arc<Flow>>,
    is_strict: bool,
    books: Mutex<Books>,
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
        let flow = self.flows.iter().find(|flow| flow.version.id == run.version_id);
        let Some(task) = flow.and_then(|flow| Task::of(flow, run)) else {
            return self.objects(Violation::new(
                Rule::ControlState,
                format!("a run of an unknown version: {run:?}"),
            ));
        };
        let found = self.books().open(task, run, inputs);
        self.object_to(found);
    }

    /// The store has accepted a commit.
    pub fn committed(&self, before: &Run, after: &Run, records: &[StepRecord]) {
        let mut books = self.books();
        let begins = before.status == RunStatus::Pending && after.status != RunStatus::Pending;
        let takes_over = begins && !retries::ends_at_once(after);
        let kept = if takes_over { books.kept(after.id) } else { BTreeSet::new() };
        let mut found = commits::check(before, after, records, &kept);
        if let Some(earlier) = after.retry_of.as_ref().and_then(|retry| books.runs.get(&retry.run_id)) {
            found.extend(retries::check(after, records, earlier, &kept));
        }
        let Some(book) = books.runs.get_mut(&after.id) else { return };
        for (key, state) in &after.nodes {
            if let NodeState::Running { attempt, lease_until, .. } = state {
                book.claims.insert((key.clone(), *attempt), *lease_until);
            }
        }
        book.records.extend_from_slice(records);
        book.kept.extend(kept);
        book.run.clone_from(after);
        found.extend(books.check_items(after.id));
        drop(books);
        self.object_to(found);
    }

    /// The approvals that wait for people.
    pub fn asked(&self) -> Vec<(RunId, NodeKey)> {
        let books = self.books();
        let open = books.runs.values().filter(|book| !book.run.status.is_terminal());
        let asked = open.flat_map(|book| {
            let waits =
                |state: &NodeState| matches!(state, NodeState::Waiting { on: Awaited::Approval { .. }, .. });
            let nodes = book.run.nodes.iter().filter(move |(_, state)| waits(state));
            nodes.map(|(key, _)| (book.run.id, key.clone()))
        });
        asked.collect()
    }

    /// A person is about to decide. Answers whether they have not been told before that their decision counts.
    pub fn says(&self, run: RunId, said: Said) -> bool {
        let mut books = self.books();
        let Some(book) = books.runs.get_mut(&run) else { return false };
        let is_news =
            !book.said.iter().any(|other| other.counts && (&other.node, &other.by) == (&said.node, &said.by));
        book.said.push(said);
        is_news
    }

    /// A person was told that their decision counts.
    pub fn counts(&self, run: RunId, said: &Said) {
        if let Some(book) = self.books().runs.get_mut(&run) {
            book.said.push(Said { counts: true, ..said.clone() });
        }
    }

    /// A person was told a second time that their decision counts.
    pub fn counted_twice(&self, run: RunId, said: &Said) {
        self.objects(Violation::new(Rule::DecisionsCount, format!("{run}: {said:?} counts once more")));
    }

    /// Runs that a client could find: those that are no part of a `for_each`, with whether they have ended.
    pub fn listed(&self) -> Vec<(RunId, bool)> {
        let books = self.books();
        let listed = books.runs.values().filter(|book| !book.run.is_chunk());
        listed.map(|book| (book.run.id, book.run.status.is_terminal())).collect()
    }

    /// Whether a run that this one has started has started another, which is under way.
    pub fn has_grandchild(&self, run: RunId) -> bool {
        let books = self.books();
        let is_below = |book: &Book| books.line(book.run.id).skip(2).any(|above| above.run.id == run);
        books.runs.values().any(|book| book.run.status == RunStatus::Running && is_below(book))
    }

    /// The keys of the nodes of a run.
    pub fn nodes(&self, run: RunId) -> Vec<NodeKey> {
        let books = self.books();
        books.runs.get(&run).map(|book| book.task.nodes().map(|(key, _)| key).collect()).unwrap_or_default()
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

    /// A client was told that its run is cancelled: so are those that it has started, if they had begun.
    pub fn cancelled(&self, run: RunId) {
        let now = self.network.clock.elapsed();
        let mut books = self.books();
        if let Some(book) = books.runs.get_mut(&run) {
            book.cancelled_on.get_or_insert(now);
        }
        let goes_on = |book: &&Book| matches!(book.run.status, RunStatus::Running | RunStatus::Waiting);
        let is_below = |book: &Book| books.line(book.run.id).skip(1).any(|above| above.run.id == run);
        let found = books.runs.values().filter(goes_on).filter(|book| is_below(book)).map(|book| {
            let story =
                format!("{} was started by what was cancelled, and goes on", crate::short(book.run.id));
            Violation::new(Rule::NothingAfterCancel, story)
        });
        let found = found.collect();
        drop(books);
        self.object_to(found);
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
        let cancelled_on = books.cancelled_on(call);
        if let Some(book) = books.runs.get_mut(&call.run_id) {
            found.extend(calls::check(call, book.task.call(&call.node), &book.calls, &book.claims, now));
            if book.kept.contains(&call.node) {
                found.push(Violation::new(Rule::KeptIsKept, format!("{} is called again", call.node)));
            }
            if let Some(cancelled_on) = cancelled_on {
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
        let shape = books.runs.get(&call.run_id).and_then(|book| book.task.call(&call.node));
        shape.map_or(Temper::Steady, |shape| shape.temper)
    }

    /// All is over: `stored` says how the store has each run at the end.
    pub fn closes(&self, stored: impl Fn(RunId) -> Option<LoadedRun>, seed: u64) {
        let found = Verdict::of(&self.books(), stored, seed);
        self.object_to(found);
    }

    /// The sum of this over all runs that were created.
    pub fn sum(&self, of: impl Fn(&Task) -> u64) -> u64 {
        self.books().runs.values().map(|book| of(&book.task)).sum()
    }

    fn object_to(&self, found: Vec<Violation>) {
        for violation in found {
            self.objects(violation);
        }
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
