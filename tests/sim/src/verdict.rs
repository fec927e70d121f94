//! The judgement of all runs once they have ended: each is held against the reference, those above it and those that it goes on from first.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use app::ports::LoadedRun;
use chrono::SecondsFormat;
use domain::{NodeKey, RunId, RunStatus, TriggerKind};
use engine::{MAX_CRASHES, StepRecord};

use crate::{
    books::{Book, Books},
    chance::Dice,
    graphs::Does,
    invariants::{
        Rule, Violation, attempts,
        endings::{self, Played},
        families, people, replays,
    },
    reference::{Answer, Facts, Settled, Told, play},
};

/// A judgement under way.
pub struct Verdict<'a> {
    books: &'a Books,
    stored: BTreeMap<RunId, LoadedRun>,
    answers: BTreeMap<RunId, Rc<BTreeMap<NodeKey, Answer>>>,
    played: BTreeMap<RunId, Rc<Vec<Played>>>,
    found: Vec<Violation>,
}

impl<'a> Verdict<'a> {
    /// Everything that is wrong with runs as they are stored at the end.
    pub fn of(books: &'a Books, stored: impl Fn(RunId) -> Option<LoadedRun>, seed: u64) -> Vec<Violation> {
        let stored = books.runs.keys().filter_map(|id| Some((*id, stored(*id)?))).collect();
        let (answers, played) = (BTreeMap::new(), BTreeMap::new());
        let mut verdict = Self { books, stored, answers, played, found: Vec::new() };
        let dice = Dice::of(seed, "verdict");
        for (id, book) in &books.runs {
            verdict.judge(*id, book, &dice);
        }
        verdict.found
    }

    fn judge(&mut self, id: RunId, book: &Book, dice: &Dice) {
        let played = self.played(id);
        let of_children = self.of_children(id);
        let Some(stored) = self.stored.get(&id) else {
            return self.found.push(Violation::new(Rule::ControlState, format!("{id} is not stored")));
        };
        let mut found = endings::check(book, stored, &played);
        found.extend(families::check(book, &played, &of_children));
        found.extend(people::check(book));
        found.extend(replays::check(book, stored, dice));
        check_records(book, stored, &mut found);
        check_blame(book, stored, &mut found);
        self.check_errors(id, book, &mut found);
        let named = |violation: Violation| Violation {
            story: format!("{}: {}", crate::short(id), violation.story),
            ..violation
        };
        self.found.extend(found.into_iter().map(named));
    }

    /// The children of a run by their nodes, with what the reference makes of them.
    fn of_children(&mut self, id: RunId) -> families::Children<'a> {
        let books = self.books;
        let of_run =
            books.children.range((id, NodeKey::from(""))..).take_while(|((parent, _), _)| *parent == id);
        let mut children = families::Children::new();
        for ((_, node), numbered) in of_run {
            for (number, child) in numbered {
                let (Some(book), Some(stored)) = (books.runs.get(child), self.stored.get(child).cloned())
                else {
                    continue;
                };
                let played = self.played(*child);
                children
                    .entry(node.clone())
                    .or_default()
                    .insert(*number, families::Child { book, stored, played });
            }
        }
        children
    }

    /// What the nodes of a run that ask the outside were answered.
    fn answers(&mut self, id: RunId) -> Rc<BTreeMap<NodeKey, Answer>> {
        if let Some(known) = self.answers.get(&id) {
            return Rc::clone(known);
        }
        let mut answers = BTreeMap::new();
        if let Some(book) = self.books.runs.get(&id) {
            for (key, shape) in book.task.nodes().filter(|(key, _)| !book.kept.contains(key)) {
                let answer = match &shape.does {
                    Does::Call(call) => {
                        let mut records: Vec<_> =
                            book.records.iter().filter(|record| record.node == key).collect();
                        records.sort_by_key(|record| record.attempt);
                        let calls: Vec<_> = book.calls.iter().filter(|call| call.node == key).collect();
                        let (answer, broken) = attempts::check(call, &records, &calls);
                        self.found.extend(broken);
                        answer
                    }
                    Does::Run(_) | Does::Each(_) | Does::Ask(_) => book.settling(&key).map(told_by),
                    _ => None,
                };
                answers.extend(answer.map(|answer| (key, answer)));
            }
        }
        let answers = Rc::new(answers);
        self.answers.insert(id, Rc::clone(&answers));
        answers
    }

    /// What the reference makes of a run.
    fn played(&mut self, id: RunId) -> Rc<Vec<Played>> {
        if let Some(known) = self.played.get(&id) {
            return Rc::clone(known);
        }
        let mut played = Vec::new();
        if let Some(book) = self.books.runs.get(&id) {
            let answers = self.answers(id);
            let facts = self.facts(book);
            let earlier = book.run.retry_of.as_ref().filter(|_| !book.kept.is_empty());
            let earlier = earlier.map(|retry| self.played(retry.run_id)).unwrap_or_default();
            for item in book.task.copies() {
                let told = told(book, item, &answers, &earlier);
                let facts = Facts { item, ..facts.clone() };
                let ending = play(book.task.names(), book.task.shapes(), &facts, &told);
                played.push(Played { item, facts, ending });
            }
        }
        let played = Rc::new(played);
        self.played.insert(id, Rc::clone(&played));
        played
    }

    /// What a run is about; a chunk is about what the run is of which it works on items.
    fn facts(&mut self, book: &Book) -> Facts {
        let own = Facts {
            inputs: (*book.inputs).clone(),
            id: book.run.id.to_string(),
            time: book.run.created_on.to_rfc3339_opts(SecondsFormat::Millis, true),
            item: None,
            around: BTreeMap::new(),
        };
        let Some(parent) = book.run.parent.as_ref().filter(|_| book.run.is_chunk()) else { return own };
        let Some(above) = self.books.runs.get(&parent.run_id) else { return own };
        let played = self.played(parent.run_id);
        let Some((_, copy)) = endings::copy_of(above, &played, &parent.node) else { return own };
        let names = above.task.names();
        let nodes = copy.ending.nodes.iter().enumerate().map(|(i, settled)| (names.key(i), settled.clone()));
        let mut facts = copy.facts.clone();
        facts.around.extend(nodes);
        facts
    }

    /// What failed or was cancelled is told of once, where its workflow names somebody to tell.
    fn check_errors(&self, id: RunId, book: &Book, found: &mut Vec<Violation>) {
        let run = &book.run;
        let is_told = matches!(run.status, RunStatus::Failed | RunStatus::Cancelled)
            && !run.is_chunk()
            && run.trigger.kind != TriggerKind::Error
            && book.task.flow.version.settings.error_workflow_id.is_some();
        let told = self.books.errors.get(&id).map_or(0, Vec::len);
        if told != usize::from(is_told) {
            let story = format!("it is {:?} and {told} runs were started for that", run.status);
            found.push(Violation::new(Rule::FailuresAreTold, story));
        }
    }
}

/// What a record says of its attempt.
fn told_by(record: &StepRecord) -> Answer {
    match &record.error {
        Some(failure) => Answer::Failure(failure.clone()),
        None => Answer::Output(record.output.as_deref().cloned().unwrap_or_default()),
    }
}

fn told(book: &Book, item: Option<u32>, answers: &BTreeMap<NodeKey, Answer>, earlier: &[Played]) -> Told {
    let names = book.task.names();
    let before = earlier.iter().find(|copy| copy.item == item);
    let mut told = Told::default();
    for i in 0..book.task.shapes().len() {
        let key = book.task.key(i, item);
        if let Some(answer) = answers.get(&key) {
            told.answers.insert(names.key(i), answer.clone());
        }
        if let Some(before) = before.filter(|_| book.kept.contains(&key)) {
            let settled = before.ending.nodes.get(i).cloned().unwrap_or(Settled::Unknown);
            told.kept.insert(names.key(i), settled);
        }
    }
    told
}

fn check_blame(book: &Book, stored: &LoadedRun, found: &mut Vec<Violation>) {
    let error = stored.run.error.as_ref();
    let blames_workers =
        error.is_some_and(|error| error.node.is_none() && error.failure.code == "workers_lost");
    if blames_workers && book.lost < MAX_CRASHES {
        let story = format!("it failed by the loss of its workers, of which {} were lost", book.lost);
        found.push(Violation::new(Rule::BlameIsTrue, story));
    }
    if book.cancelled_on.is_some() && stored.run.status != RunStatus::Cancelled {
        let story = format!("a client was told that it is cancelled, and it is {:?}", stored.run.status);
        found.push(Violation::new(Rule::EndsOnce, story));
    }
}

/// What can be read in the end is what was committed. Workers that race for one commit with the same result write one record, and the
/// one that loses may leave its own times in it, which are a moment apart.
fn check_records(book: &Book, stored: &LoadedRun, found: &mut Vec<Violation>) {
    let names =
        |record: &StepRecord| (record.node.clone(), record.attempt, record.digest.clone(), record.settled_at);
    let kept: BTreeMap<_, _> = stored.records.iter().map(|record| (names(record), record)).collect();
    for record in &book.records {
        match kept.get(&names(record)) {
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
    let committed: BTreeSet<_> = book.records.iter().map(names).collect();
    if kept.len() != committed.len() {
        let story = format!("{} records were committed: {:?}", book.records.len(), kept.keys());
        found.push(Violation::new(Rule::SettlesOnce, story));
    }
}

/// Whether two records tell the same, their times aside.
fn is_same(one: &StepRecord, other: &StepRecord) -> bool {
    let StepRecord { started_on, finished_on, .. } = *other;
    StepRecord { started_on, finished_on, ..one.clone() } == *other
}
