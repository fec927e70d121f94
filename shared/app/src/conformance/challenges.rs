//! Rules of one-time codes that wait for an answer.

use chrono::{DurationRound as _, TimeDelta};
use domain::Timestamp;
use futures::future::join_all;
use uuid::Uuid;

use crate::ports::{Challenge, Challenges};

fn noon() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).unwrap().duration_trunc(TimeDelta::hours(1)).unwrap()
}

fn challenge(number: u8) -> Challenge {
    Challenge {
        id: Uuid::from_u128(u128::from(number)),
        mac: [number; 32],
        purpose: "login".to_owned(),
        expires_at: noon() + TimeDelta::minutes(5),
        ip: Some("2001:db8::7".parse().unwrap()),
        user_agent: Some("Netscape/4.0 (ä)".to_owned()),
    }
}

/// A try with five allowed.
async fn attempt(challenges: &impl Challenges, key: &str) -> Option<Challenge> {
    challenges.attempt(key, 5, noon()).await.unwrap()
}

pub async fn a_challenge_is_answered_as_it_was_put(challenges: &impl Challenges) {
    let bare = Challenge { ip: None, user_agent: None, ..challenge(2) };
    for (key, challenge) in [("a", challenge(1)), ("b ä#\u{1F600}", bare)] {
        challenges.put(key, &challenge).await.unwrap();
        assert_eq!(attempt(challenges, key).await, Some(challenge));
    }
    assert_eq!(attempt(challenges, "c").await, None);
}

pub async fn another_challenge_takes_the_place_of_the_first(challenges: &impl Challenges) {
    challenges.put("a", &challenge(1)).await.unwrap();
    for _ in 0..5 {
        attempt(challenges, "a").await;
    }
    challenges.put("a", &challenge(2)).await.unwrap();
    assert_eq!(attempt(challenges, "a").await, Some(challenge(2)), "its tries begin anew");
    assert!(!challenges.take("a", challenge(1).id).await.unwrap());
    assert!(challenges.take("a", challenge(2).id).await.unwrap());
}

pub async fn a_challenge_is_over_at_its_time(challenges: &impl Challenges) {
    let end = challenge(1).expires_at;
    challenges.put("a", &challenge(1)).await.unwrap();
    let early = challenges.attempt("a", 5, end - TimeDelta::milliseconds(1)).await.unwrap();
    assert_eq!(early, Some(challenge(1)));
    assert_eq!(challenges.attempt("a", 5, end).await.unwrap(), None);
}

pub async fn of_tries_at_once_no_more_are_answered_than_allowed(challenges: &impl Challenges) {
    challenges.put("a", &challenge(1)).await.unwrap();
    let answers = join_all((0..20).map(|_| attempt(challenges, "a"))).await;
    assert_eq!(answers.iter().flatten().count(), 5);
    assert_eq!(attempt(challenges, "a").await, None);
}

pub async fn of_takers_at_once_one_wins_and_it_is_gone(challenges: &impl Challenges) {
    challenges.put("a", &challenge(1)).await.unwrap();
    challenges.put("b", &challenge(1)).await.unwrap();
    let takes = join_all((0..20).map(|_| challenges.take("a", challenge(1).id))).await;
    assert_eq!(takes.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
    assert_eq!(attempt(challenges, "a").await, None);
    assert_eq!(attempt(challenges, "b").await, Some(challenge(1)), "another key's is its own");
}
