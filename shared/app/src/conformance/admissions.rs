//! Rules of admissions.

use domain::{RunId, TeamId};
use futures::future::join_all;

use crate::{
    fakes::team,
    ports::{Admission, Admissions},
};

/// Runs of a team, in the order of their acceptance.
fn runs(count: usize) -> Vec<RunId> {
    // Drawn one after the other.
    (0..count).map(|_| RunId::new(team().uuid())).collect()
}

async fn admit(admissions: &impl Admissions, team: TeamId, run: RunId, limit: u32) -> Option<u32> {
    match admissions.admit(team, run, limit).await.unwrap() {
        Admission::Admitted => None,
        Admission::Waits { position, .. } => Some(position),
    }
}

pub async fn as_many_are_let_in_as_there_is_room_for(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(5));
    for (run, expected) in runs.iter().zip([None, None, Some(1), Some(2), Some(3)]) {
        assert_eq!(admit(admissions, ours, *run, 2).await, expected);
    }
    for (run, expected) in runs.iter().zip([None, None, Some(1), Some(2), Some(3)]) {
        assert_eq!(admissions.position(ours, *run).await.unwrap(), expected);
    }
    assert_eq!(admissions.position(ours, RunId::new(team().uuid())).await.unwrap(), None);
}

pub async fn who_waits_is_told_for_whom(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(4));
    for run in &runs[..3] {
        admit(admissions, ours, *run, 2).await;
    }
    let waits = admissions.admit(ours, runs[3], 2).await.unwrap();
    let Admission::Waits { position: 2, mut behind } = waits else { panic!("{waits:?}") };
    behind.sort();
    assert_eq!(behind, runs[..3]);
}

pub async fn what_is_in_is_let_in_again(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(3));
    for run in &runs {
        admit(admissions, ours, *run, 1).await;
    }
    for _ in 0..2 {
        assert_eq!(admit(admissions, ours, runs[0], 1).await, None);
        assert_eq!(admit(admissions, ours, runs[1], 1).await, Some(1));
        assert_eq!(admit(admissions, ours, runs[2], 1).await, Some(2));
    }
}

pub async fn who_leaves_makes_room_for_the_first_in_line(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(3));
    for run in &runs {
        admit(admissions, ours, *run, 1).await;
    }
    for _ in 0..2 {
        assert_eq!(admissions.leave(ours, runs[0]).await.unwrap(), Some(runs[1]));
    }
    assert_eq!(admit(admissions, ours, runs[2], 1).await, Some(2), "another one is before it");
    assert_eq!(admit(admissions, ours, runs[1], 1).await, None);
    assert_eq!(admissions.position(ours, runs[1]).await.unwrap(), None);
    assert_eq!(admissions.position(ours, runs[2]).await.unwrap(), Some(1));
    assert_eq!(admissions.leave(ours, runs[1]).await.unwrap(), Some(runs[2]));
    assert_eq!(admit(admissions, ours, runs[2], 1).await, None);
    assert_eq!(admissions.leave(ours, runs[2]).await.unwrap(), None);
}

pub async fn who_comes_later_waits_behind_the_others(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(4));
    for run in [runs[0], runs[2], runs[1]] {
        admit(admissions, ours, run, 1).await;
    }
    assert_eq!(admissions.leave(ours, runs[0]).await.unwrap(), Some(runs[1]));
    assert_eq!(admit(admissions, ours, runs[3], 1).await, Some(3));
    assert_eq!(admit(admissions, ours, runs[3], 2).await, Some(3), "room for those before it alone");
    assert_eq!(admit(admissions, ours, runs[3], 3).await, None);
}

pub async fn who_leaves_the_line_lets_the_others_move_up(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(4));
    for run in &runs {
        admit(admissions, ours, *run, 1).await;
    }
    assert_eq!(admissions.leave(ours, runs[1]).await.unwrap(), Some(runs[2]));
    assert_eq!(admissions.position(ours, runs[2]).await.unwrap(), Some(1));
    assert_eq!(admissions.position(ours, runs[3]).await.unwrap(), Some(2));
    assert_eq!(admit(admissions, ours, runs[2], 1).await, Some(1), "nobody who is in has left");
}

pub async fn a_lower_limit_sends_nobody_out(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(4));
    for run in &runs[..3] {
        assert_eq!(admit(admissions, ours, *run, 3).await, None);
    }
    assert_eq!(admit(admissions, ours, runs[2], 1).await, None);
    for gone in &runs[..2] {
        assert_eq!(admit(admissions, ours, runs[3], 1).await, Some(1));
        admissions.leave(ours, *gone).await.unwrap();
    }
    assert_eq!(admit(admissions, ours, runs[3], 1).await, Some(1));
    admissions.leave(ours, runs[2]).await.unwrap();
    assert_eq!(admit(admissions, ours, runs[3], 1).await, None);
}

pub async fn teams_do_not_wait_for_each_other(admissions: &impl Admissions) {
    let (ours, theirs, runs) = (team(), team(), runs(4));
    assert_eq!(admit(admissions, ours, runs[0], 1).await, None);
    assert_eq!(admit(admissions, ours, runs[1], 1).await, Some(1));
    assert_eq!(admit(admissions, theirs, runs[2], 1).await, None);
    assert_eq!(admit(admissions, theirs, runs[3], 1).await, Some(1));
    assert_eq!(admissions.position(theirs, runs[1]).await.unwrap(), None);
    assert_eq!(admissions.leave(theirs, runs[0]).await.unwrap(), Some(runs[3]));
    assert_eq!(admit(admissions, ours, runs[1], 1).await, Some(1));
}

pub async fn of_many_at_once_no_more_are_let_in_than_there_is_room_for(admissions: &impl Admissions) {
    let (ours, runs) = (team(), runs(12));
    let answers = join_all(runs.iter().map(|run| admit(admissions, ours, *run, 3))).await;
    assert!(answers.iter().filter(|answer| answer.is_none()).count() <= 3, "{answers:?}");
    // However they met, all of them have their turn.
    let (mut waiting, mut ended) = (runs, 0);
    while !waiting.is_empty() {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for run in waiting {
            let answer = admit(admissions, ours, run, 3).await;
            if answer.is_none() { inside.push(run) } else { outside.push(run) }
        }
        assert!((1..=3).contains(&inside.len()), "{inside:?}");
        for run in &inside {
            admissions.leave(ours, *run).await.unwrap();
        }
        ended += inside.len();
        waiting = outside;
    }
    assert_eq!(ended, 12);
}
