//! Rules of starting with a key, and of lists.

use chrono::TimeDelta;
use domain::{ErrorClass, Failure, RunId, RunStatus, TeamId, Trigger, TriggerKind, WorkflowId};
use engine::{Digest, Run, RunError};
use futures::future::join_all;
use serde_json::json;

use super::run_store::morning;
use crate::{
    fakes::{a_run, team},
    ports::{Created, IdempotencyKey, RunFilter, RunStore, SUMMARY_MESSAGE_MAX, Search, StoreError},
};

fn key(key: &str, request: &str) -> IdempotencyKey {
    let expires_on = morning() + TimeDelta::hours(1);
    IdempotencyKey { key: key.to_owned(), request: Digest::of(request), expires_on }
}

/// What creating a new run of the team comes to, and its id.
async fn create(store: &dyn RunStore, team: TeamId, key: &IdempotencyKey, after_s: i64) -> (Created, RunId) {
    let run = a_run(team, morning() + TimeDelta::seconds(after_s));
    (store.create(&run, &json!({}), Some(key)).await.unwrap(), run.id)
}

pub async fn a_key_gives_the_same_run_for_the_same_request(store: &dyn RunStore) {
    let ours = team();
    let (created, id) = create(store, ours, &key("k", "one"), 0).await;
    assert!(created.is_new(), "{created:?}");
    let (repeated, unused) = create(store, ours, &key("k", "one"), 1).await;
    assert_eq!(repeated, Created::Existing(id));
    assert!(matches!(store.load(ours, unused).await, Err(StoreError::NotFound)));
    assert_eq!(create(store, ours, &key("k", "two"), 1).await.0, Created::KeyReused);
    assert!(create(store, ours, &key("l", "two"), 1).await.0.is_new());
    assert!(create(store, team(), &key("k", "two"), 1).await.0.is_new(), "keys are a team's own");
}

pub async fn an_expired_key_may_be_used_again(store: &dyn RunStore) {
    let ours = team();
    let used = key("k", "one");
    create(store, ours, &used, 0).await;
    let later = IdempotencyKey { expires_on: morning() + TimeDelta::hours(3), ..key("k", "two") };
    let (created, id) = create(store, ours, &later, 3600).await;
    assert!(created.is_new(), "{created:?}");
    assert_eq!(create(store, ours, &later, 3601).await.0, Created::Existing(id));
}

pub async fn starts_at_once_with_one_key_create_one_run(store: &dyn RunStore) {
    let ours = team();
    let key = key("k", "one");
    let outcomes = join_all((0..8).map(|_| create(store, ours, &key, 0))).await;
    let new: Vec<_> = outcomes.iter().filter(|(created, _)| created.is_new()).collect();
    assert_eq!(new.len(), 1, "{outcomes:?}");
    let winner = new[0].1;
    assert_eq!(outcomes.iter().filter(|(created, _)| *created == Created::Existing(winner)).count(), 7);
    let listed = store.list(ours, &RunFilter::default(), None, 10).await.unwrap();
    assert_eq!(listed.items.iter().map(|run| run.id).collect::<Vec<_>>(), [winner]);
}

/// `count` runs of the team, one every `every_s` seconds, oldest first; all of one workflow.
async fn many(store: &dyn RunStore, team: TeamId, count: usize, every_s: usize) -> Vec<Run> {
    let workflow_id = a_run(team, morning()).workflow_id;
    let mut runs = Vec::new();
    for n in 0..count {
        let after = TimeDelta::seconds(i64::try_from(n * every_s).unwrap());
        let run = Run { workflow_id, ..a_run(team, morning() + after) };
        store.create(&run, &json!({}), None).await.unwrap();
        runs.push(run);
    }
    runs
}

/// Every page of a list, as ids.
async fn pages(store: &dyn RunStore, team: TeamId, filter: &RunFilter, limit: u32) -> Vec<Vec<RunId>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = store.list(team, filter, cursor.as_deref(), limit).await.unwrap();
        pages.push(page.items.iter().map(|run| run.id).collect());
        cursor = page.next_cursor;
        if cursor.is_none() {
            return pages;
        }
    }
}

pub async fn pages_are_newest_first_and_complete(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 7, 60).await;
    let newest_first: Vec<_> = runs.iter().rev().map(|run| run.id).collect();
    for limit in [1, 3, 7, 100] {
        let pages = pages(store, ours, &RunFilter::default(), limit).await;
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit as usize), "{limit}: {pages:?}");
        assert_eq!(pages.concat(), newest_first);
    }
}

pub async fn runs_of_one_instant_are_not_lost_between_pages(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 5, 0).await;
    let listed = pages(store, ours, &RunFilter::default(), 2).await.concat();
    assert_eq!(listed, runs.iter().rev().map(|run| run.id).collect::<Vec<_>>());
}

async fn end(store: &dyn RunStore, run: &Run) {
    end_with(store, run, RunStatus::Failed, None).await;
}

async fn end_with(store: &dyn RunStore, run: &Run, status: RunStatus, failure: Option<Failure>) {
    let finished_on = Some(run.created_on + TimeDelta::seconds(5));
    let error = failure.map(|failure| RunError { node: Some("a".into()), failure });
    let ended = Run { revision: 1, status, finished_on, error, next_check_on: None, ..run.clone() };
    store.commit(&ended, &[]).await.unwrap();
}

pub async fn a_page_is_filled_although_few_runs_match(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 30, 60).await;
    for n in [2, 17, 29] {
        end(store, &runs[n]).await;
    }
    let failed = RunFilter { statuses: vec![RunStatus::Failed], ..RunFilter::default() };
    let found = pages(store, ours, &failed, 2).await;
    assert_eq!(found, [vec![runs[29].id, runs[17].id], vec![runs[2].id]]);
}

pub async fn lists_show_the_last_commit(store: &dyn RunStore) {
    let ours = team();
    let run = many(store, ours, 1, 1).await.remove(0);
    end(store, &run).await;
    let item = store.list(ours, &RunFilter::default(), None, 1).await.unwrap().items.remove(0);
    assert_eq!(
        (item.status, item.finished_on),
        (RunStatus::Failed, Some(run.created_on + TimeDelta::seconds(5)))
    );
    assert_eq!((item.id, item.workflow_id, item.version_id), (run.id, run.workflow_id, run.version_id));
    assert_eq!((item.trigger, item.created_on), (run.trigger.kind, run.created_on));
}

pub async fn lists_show_why_a_run_failed(store: &dyn RunStore) {
    let ours = team();
    let run = many(store, ours, 1, 1).await.remove(0);
    let message = "ä".repeat(SUMMARY_MESSAGE_MAX + 1);
    let failure = Failure {
        retry_after_s: Some(3),
        ..Failure::new(ErrorClass::Transient, "http_status", message.clone())
    };
    end_with(store, &run, RunStatus::Failed, Some(failure)).await;
    let item = store.list(ours, &RunFilter::default(), None, 1).await.unwrap().items.remove(0);
    let cut: String = message.chars().take(SUMMARY_MESSAGE_MAX).collect();
    assert_eq!(item.error, Some(Failure::new(ErrorClass::Transient, "http_status", cut)));
}

/// What a filter shows, newest first, page by page.
async fn shown(store: &dyn RunStore, team: TeamId, filter: RunFilter) -> Vec<RunId> {
    pages(store, team, &filter, 2).await.concat()
}

pub async fn a_filter_takes_several_statuses(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 4, 60).await;
    let ends = [RunStatus::Failed, RunStatus::Cancelled, RunStatus::Succeeded];
    for (run, status) in runs.iter().zip(ends) {
        end_with(store, run, status, None).await;
    }
    let statuses = vec![RunStatus::Cancelled, RunStatus::Failed];
    let found = shown(store, ours, RunFilter { statuses, ..RunFilter::default() }).await;
    assert_eq!(found, [runs[1].id, runs[0].id]);
}

pub async fn a_filter_knows_what_started_a_run(store: &dyn RunStore) {
    let ours = team();
    let mut scheduled = Vec::new();
    for n in 0..6 {
        let run = a_run(ours, morning() + TimeDelta::seconds(n));
        let kind = if n % 3 == 0 { TriggerKind::Schedule } else { TriggerKind::Api };
        let run = Run { trigger: Trigger { kind, by: None }, ..run };
        store.create(&run, &json!({}), None).await.unwrap();
        if kind == TriggerKind::Schedule {
            scheduled.insert(0, run.id);
        }
    }
    let trigger = Some(TriggerKind::Schedule);
    assert_eq!(shown(store, ours, RunFilter { trigger, ..RunFilter::default() }).await, scheduled);
}

pub async fn a_span_of_time_begins_with_its_first_instant_and_ends_before_its_last(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 9, 60).await;
    let newest_first = |runs: &[Run]| runs.iter().rev().map(|run| run.id).collect::<Vec<_>>();
    let of_workflow = Some(runs[0].workflow_id);
    for workflow_id in [None, of_workflow] {
        for (first, last) in [(2, 7), (2, 3), (3, 3), (7, 2)] {
            let (from, to) = (Some(runs[first].created_on), Some(runs[last].created_on));
            let expected = newest_first(runs.get(first..last).unwrap_or_default());
            for filter in [
                RunFilter { workflow_id, from, to, ..RunFilter::default() },
                RunFilter {
                    workflow_id,
                    from,
                    to,
                    statuses: vec![RunStatus::Pending],
                    ..RunFilter::default()
                },
            ] {
                assert_eq!(shown(store, ours, filter).await, expected, "{first} to {last}");
            }
        }
        let from = RunFilter { workflow_id, from: Some(runs[4].created_on), ..RunFilter::default() };
        assert_eq!(shown(store, ours, from).await, newest_first(&runs[4..]));
        let to = RunFilter { workflow_id, to: Some(runs[4].created_on), ..RunFilter::default() };
        assert_eq!(shown(store, ours, to).await, newest_first(&runs[..4]));
    }
}

pub async fn a_search_finds_ids_errors_and_workflows(store: &dyn RunStore) {
    let ours = team();
    let runs = many(store, ours, 3, 60).await;
    let timeout =
        Failure::new(ErrorClass::Transient, "timeout", "No answer from API.example.com within 30 s");
    end_with(store, &runs[0], RunStatus::Failed, Some(timeout)).await;
    let refused = Failure::new(ErrorClass::Permanent, "egress_refused", "10.0.0.7 is a private address");
    end_with(store, &runs[1], RunStatus::Failed, Some(refused)).await;
    let other = a_run(ours, morning());
    store.create(&other, &json!({}), None).await.unwrap();

    let search = async |text: &str, workflows: &[WorkflowId]| {
        let search = Some(Search::new(text, workflows.to_vec()));
        shown(store, ours, RunFilter { search, ..RunFilter::default() }).await
    };
    assert_eq!(search("timeout", &[]).await, [runs[0].id]);
    assert_eq!(search("FROM api.Example", &[]).await, [runs[0].id]);
    assert_eq!(search("refused 10.0", &[]).await, [runs[1].id]);
    assert_eq!(search(&runs[2].id.to_string(), &[]).await, [runs[2].id]);
    assert_eq!(search(&runs[2].id.to_string()[..30], &[]).await.len(), 4, "ids that begin alike");
    assert_eq!(search("nothing of this", &[]).await, []);
    assert_eq!(search("nothing of this", &[other.workflow_id]).await, [other.id]);
    assert_eq!(search("timeout", &[other.workflow_id]).await, [other.id, runs[0].id]);
    let failed_only = RunFilter {
        statuses: vec![RunStatus::Failed],
        search: Some(Search::new(&other.id.to_string(), Vec::new())),
        ..RunFilter::default()
    };
    assert_eq!(shown(store, ours, failed_only).await, []);
}

pub async fn a_filter_never_shows_another_teams_runs(store: &dyn RunStore) {
    let (ours, theirs) = (team(), team());
    let run = many(store, theirs, 3, 1).await.remove(0);
    many(store, ours, 1, 1).await;
    let filter = RunFilter { workflow_id: Some(run.workflow_id), ..RunFilter::default() };
    assert_eq!(pages(store, theirs, &filter, 2).await.concat().len(), 3);
    assert!(pages(store, ours, &filter, 2).await.concat().is_empty());
    let foreign = store.list(theirs, &RunFilter::default(), None, 1).await.unwrap().next_cursor;
    let page = store.list(ours, &filter, foreign.as_deref(), 10).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn a_forged_cursor_is_refused(store: &dyn RunStore) {
    for forged in ["", "x", "eyJhIjoxfQ", "ä", "../../etc"] {
        let answer = store.list(team(), &RunFilter::default(), Some(forged), 1).await;
        assert!(
            matches!(&answer, Err(StoreError::Violates(rule)) if rule == "cursor"),
            "{forged}: {answer:?}"
        );
    }
}
