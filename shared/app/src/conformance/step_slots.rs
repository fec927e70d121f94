//! Rules of slots for calls.

use chrono::TimeDelta;
use domain::{TeamId, Timestamp};
use futures::future::join_all;

use crate::{
    fakes::team,
    ports::{SlotWish, Slots, StepSlots},
};

/// When slots come back by themselves, after the present of these tests.
const LIFE: TimeDelta = TimeDelta::seconds(60);

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn name(holder: u32) -> String {
    format!("{holder:016x}")
}

async fn take_at(
    slots: &impl StepSlots,
    team: TeamId,
    holder: u32,
    wanted: u32,
    limit: u32,
    now: Timestamp,
) -> u32 {
    let wish = SlotWish { holder: name(holder), wanted, until: now + LIFE };
    match slots.take(team, &wish, limit, now).await.unwrap() {
        Slots::Held(held) => held,
        Slots::None { look_again } => {
            assert!(look_again >= now + TimeDelta::seconds(1), "{look_again}");
            0
        }
    }
}

async fn take(slots: &impl StepSlots, team: TeamId, holder: u32, wanted: u32, limit: u32) -> u32 {
    take_at(slots, team, holder, wanted, limit, now()).await
}

pub async fn as_many_slots_are_handed_out_as_are_left(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 1, 2, 5).await, 2);
    assert_eq!(take(slots, ours, 2, 9, 5).await, 3);
    assert_eq!(take(slots, ours, 3, 1, 5).await, 0);
}

pub async fn who_asks_again_has_what_it_had(slots: &impl StepSlots) {
    let ours = team();
    for _ in 0..2 {
        assert_eq!(take(slots, ours, 1, 2, 3).await, 2);
    }
    assert_eq!(take(slots, ours, 1, 3, 3).await, 3, "and more if there are some left");
    assert_eq!(take(slots, ours, 1, 1, 3).await, 3, "and never fewer");
    assert_eq!(take(slots, ours, 2, 1, 3).await, 0);
}

pub async fn what_is_given_back_is_there_for_others(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 1, 4, 4).await, 4);
    slots.give_back(ours, &name(1), 4, 3).await.unwrap();
    assert_eq!(take(slots, ours, 2, 4, 4).await, 1);
    slots.give_back(ours, &name(1), 3, 0).await.unwrap();
    assert_eq!(take(slots, ours, 3, 4, 4).await, 3);
}

pub async fn what_is_given_back_twice_is_given_back_once(slots: &impl StepSlots) {
    let ours = team();
    slots.give_back(ours, &name(1), 2, 0).await.unwrap();
    assert_eq!(take(slots, ours, 1, 2, 3).await, 2);
    assert_eq!(take(slots, ours, 2, 1, 3).await, 1);
    for _ in 0..3 {
        slots.give_back(ours, &name(1), 2, 0).await.unwrap();
    }
    assert_eq!(take(slots, ours, 3, 3, 3).await, 2);
    slots.give_back(ours, &name(3), 2, 2).await.unwrap();
    assert_eq!(take(slots, ours, 4, 1, 3).await, 0);
}

pub async fn slots_are_given_back_by_who_does_not_know_how_many_it_has(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 1, 3, 3).await, 3);
    slots.give_back(ours, &name(1), 1, 0).await.unwrap();
    assert_eq!(take(slots, ours, 2, 3, 3).await, 3);
}

pub async fn slots_come_back_when_their_time_is_over(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 1, 3, 3).await, 3);
    let later = now() + TimeDelta::seconds(30);
    assert_eq!(take_at(slots, ours, 2, 1, 3, later).await, 0);
    assert_eq!(take_at(slots, ours, 2, 2, 3, now() + LIFE).await, 2);
    // Late, but not wrong.
    slots.give_back(ours, &name(1), 3, 0).await.unwrap();
    assert_eq!(take_at(slots, ours, 3, 3, 3, now() + LIFE).await, 1);
    assert_eq!(take_at(slots, ours, 4, 3, 3, now() + LIFE + LIFE).await, 3, "those of all others");
}

pub async fn a_lower_limit_takes_nothing_away(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 1, 4, 4).await, 4);
    assert_eq!(take(slots, ours, 1, 4, 2).await, 4);
    assert_eq!(take(slots, ours, 2, 1, 2).await, 0);
    slots.give_back(ours, &name(1), 4, 2).await.unwrap();
    assert_eq!(take(slots, ours, 2, 1, 2).await, 0);
    slots.give_back(ours, &name(1), 2, 1).await.unwrap();
    assert_eq!(take(slots, ours, 2, 2, 2).await, 1);
}

pub async fn teams_do_not_wait_for_each_others_calls(slots: &impl StepSlots) {
    let (ours, theirs) = (team(), team());
    assert_eq!(take(slots, ours, 1, 1, 1).await, 1);
    assert_eq!(take(slots, theirs, 1, 1, 1).await, 1);
    slots.give_back(theirs, &name(1), 1, 0).await.unwrap();
    assert_eq!(take(slots, ours, 2, 1, 1).await, 0);
}

pub async fn those_who_wait_take_turns_to_look(slots: &impl StepSlots) {
    let ours = team();
    assert_eq!(take(slots, ours, 0, 1, 1).await, 1);
    let wishes = (1..=8).map(|holder| SlotWish { holder: name(holder), wanted: 1, until: now() + LIFE });
    let wishes: Vec<_> = wishes.collect();
    let answers = join_all(wishes.iter().map(|wish| slots.take(ours, wish, 1, now()))).await;
    let looks = answers.into_iter().map(|answer| match answer.unwrap() {
        Slots::None { look_again } => (look_again - now()).num_seconds(),
        Slots::Held(held) => panic!("{held}"),
    });
    let mut looks: Vec<_> = looks.collect();
    looks.sort_unstable();
    assert_eq!(looks, [1, 2, 3, 4, 5, 6, 7, 8]);
}

pub async fn of_many_at_once_no_more_have_slots_than_there_are(slots: &impl StepSlots) {
    let ours = team();
    for _ in 0..3 {
        let all = 1..=10;
        let held = join_all(all.clone().map(|holder| take(slots, ours, holder, 1 + holder % 3, 7))).await;
        assert_eq!(held.iter().sum::<u32>(), 7, "{held:?}");
        let given = all.zip(held).map(async |(holder, held)| {
            slots.give_back(ours, &name(holder), held, 0).await.unwrap();
        });
        join_all(given).await;
    }
    assert_eq!(take(slots, ours, 11, 100, 7).await, 7, "all of them have come back");
}
