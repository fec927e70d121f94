//! Rules of runs that have ended, and of the files that they leave in.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{RunStatus, TeamId, Timestamp};
use engine::Run;
use serde_json::json;

use super::run_store::morning;
use crate::{
    fakes::{a_run, team},
    ports::{EndedRuns, Exports, RunFilter, RunStore, StoreError},
};

/// A store as retention needs it.
pub trait Store: RunStore + EndedRuns {}

impl<S: RunStore + EndedRuns> Store for S {}

/// A run that was accepted so many hours after the morning and ended so many hours later.
async fn ended(store: &dyn Store, team: TeamId, accepted: i64, took: i64) -> Run {
    let run = open(store, team, accepted).await;
    let run = Run {
        revision: 1,
        status: RunStatus::Succeeded,
        finished_on: Some(hours(accepted + took)),
        next_check_on: None,
        ..run
    };
    store.commit(&run, &[]).await.unwrap();
    run
}

async fn open(store: &dyn Store, team: TeamId, accepted: i64) -> Run {
    let run = a_run(team, hours(accepted));
    store.create(&run, &json!({"n": 1}), None).await.unwrap();
    run
}

fn hours(hours: i64) -> Timestamp {
    morning() + TimeDelta::hours(hours)
}

fn is_conflict<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Conflict))
}

pub async fn runs_are_found_by_their_end_and_the_first_accepted_comes_first(store: &dyn Store) {
    let (ours, theirs) = (team(), team());
    let late = ended(store, ours, 3, 1).await;
    let early = ended(store, ours, 0, 1).await;
    let long = ended(store, ours, 1, 9).await;
    open(store, ours, 0).await;
    ended(store, theirs, 0, 1).await;

    let found = async |before: i64, limit| store.ended_before(ours, hours(before), limit).await.unwrap();
    assert_eq!(found(10, 100).await, [early.id, late.id], "an end at that time is not before it");
    assert_eq!(found(11, 100).await, [early.id, long.id, late.id]);
    assert_eq!(found(11, 2).await, [early.id, long.id]);
    assert_eq!(found(1, 100).await, []);
}

pub async fn an_export_is_noted_for_good_and_for_its_team_alone(store: &dyn Store) {
    let (ours, theirs) = (team(), team());
    let (run, other) = (ended(store, ours, 0, 1).await, ended(store, ours, 0, 1).await);
    let ids = [run.id, other.id];
    assert_eq!(store.exported(ours, &ids).await.unwrap(), BTreeSet::new());
    assert_eq!(store.exported(ours, &[]).await.unwrap(), BTreeSet::new());
    store.mark_exported(theirs, run.id).await.unwrap();
    assert_eq!(store.exported(ours, &ids).await.unwrap(), BTreeSet::new());
    for _ in 0..2 {
        store.mark_exported(ours, run.id).await.unwrap();
        assert_eq!(store.exported(ours, &ids).await.unwrap(), BTreeSet::from([run.id]));
    }
    assert_eq!(store.exported(theirs, &ids).await.unwrap(), BTreeSet::new());
    assert_eq!(store.load(ours, run.id).await.unwrap().run, run, "the run is as it was");
    assert_eq!(store.ended_before(ours, hours(2), 9).await.unwrap().len(), 2, "and is found as before");
}

pub async fn an_open_run_is_neither_noted_nor_deleted(store: &dyn Store) {
    let ours = team();
    let run = open(store, ours, 0).await;
    assert!(is_conflict(&store.mark_exported(ours, run.id).await));
    assert!(is_conflict(&store.purge(ours, run.id).await));
    assert_eq!(store.exported(ours, &[run.id]).await.unwrap(), BTreeSet::new());
    assert_eq!(store.load(ours, run.id).await.unwrap().run, run);
}

pub async fn a_deleted_run_is_gone_and_others_are_not(store: &dyn Store) {
    let ours = team();
    let (run, other) = (ended(store, ours, 0, 1).await, ended(store, ours, 0, 1).await);
    store.purge(team(), run.id).await.unwrap();
    assert_eq!(store.load(ours, run.id).await.unwrap().run, run, "it was another team that asked");
    store.mark_exported(ours, run.id).await.unwrap();
    for _ in 0..2 {
        store.purge(ours, run.id).await.unwrap();
        store.mark_exported(ours, run.id).await.unwrap();
        assert!(matches!(store.load(ours, run.id).await, Err(StoreError::NotFound)));
        assert!(matches!(store.load_control(ours, run.id).await, Err(StoreError::NotFound)));
    }
    assert_eq!(store.exported(ours, &[run.id]).await.unwrap(), BTreeSet::new());
    assert_eq!(store.ended_before(ours, hours(2), 9).await.unwrap(), [other.id]);
    let listed = store.list(ours, &RunFilter::default(), None, 9).await.unwrap().items;
    assert_eq!(listed.iter().map(|run| run.id).collect::<Vec<_>>(), [other.id]);
    assert_eq!(store.load(ours, other.id).await.unwrap().run, other);
}

pub async fn a_file_is_read_back_by_its_team_alone(exports: &dyn Exports) {
    let (ours, theirs) = (team(), team());
    let name = "runs/2026-02-02/abc.jsonl";
    for bytes in [b"one\n".to_vec(), vec![b'x'; 5_000_000]] {
        exports.put_export(ours, name, bytes.clone()).await.unwrap();
        assert!(exports.export(ours, name).await.unwrap() == bytes, "{} bytes", bytes.len());
    }
    for (team, name) in [(theirs, name), (ours, "runs/2026-02-02/abd.jsonl")] {
        let answer = exports.export(team, name).await;
        assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
    }
}
