//! Rules of sessions. Each is given the sessions with two users that may have some.

use std::time::Duration;

use domain::{SessionId, Timestamp, UserId};
use futures::future::join_all;
use uuid::Uuid;

use crate::ports::{NewToken, Rotation, Sessions, StoreError};

/// Sessions, and two users that exist.
pub struct SessionWorld<S, K> {
    /// The sessions.
    pub sessions: S,
    /// Who may have some.
    pub users: [UserId; 2],
    /// What has to outlive them.
    pub keep: K,
}

const GRACE: Duration = Duration::from_secs(10);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000 + seconds, 0).unwrap()
}

fn token(number: u8) -> NewToken {
    NewToken {
        id: Uuid::from_u128(0x1000 + u128::from(number)),
        sha256: [number; 32],
        expires_at: at(7 * 86_400),
        ip: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some(format!("agent {number}")),
    }
}

const fn session(number: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(number))
}

impl<S: Sessions, K> SessionWorld<S, K> {
    async fn begin(&self, user: usize, id: SessionId, number: u8) {
        self.sessions.begin(self.users[user], id, &token(number), at(0)).await.unwrap();
    }

    async fn rotate(&self, from: u8, to: u8, seconds: i64) -> Rotation {
        self.sessions.rotate([from; 32], &token(to), at(seconds), GRACE).await.unwrap()
    }

    fn rotated(&self, id: SessionId) -> Rotation {
        Rotation::Rotated { user_id: self.users[0], session_id: id }
    }

    fn reused(&self, id: SessionId) -> Rotation {
        Rotation::Reused { user_id: self.users[0], session_id: id }
    }

    async fn held(&self, user: usize, seconds: i64) -> Vec<SessionId> {
        let list = self.sessions.list(self.users[user], at(seconds)).await.unwrap();
        list.into_iter().map(|session| session.id).collect()
    }
}

pub async fn a_token_is_replaced_by_the_next_one<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    assert_eq!(world.rotate(1, 2, 60).await, world.rotated(session(1)));
    assert_eq!(world.rotate(2, 3, 120).await, world.rotated(session(1)));
    let list = world.sessions.list(world.users[0], at(130)).await.unwrap();
    let [only] = &list[..] else { panic!("{list:?}") };
    assert_eq!((only.id, only.created_on, only.last_activity_at), (session(1), at(0), at(120)));
    assert_eq!(only.expires_at, token(3).expires_at);
    assert_eq!((only.ip, only.user_agent.as_deref()), (token(3).ip, Some("agent 3")));
}

pub async fn what_is_no_token_is_refused<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    assert_eq!(world.rotate(9, 2, 1).await, Rotation::Refused);
    assert_eq!(world.rotate(1, 2, 7 * 86_400).await, Rotation::Refused, "over");
    world.sessions.revoke(world.users[0], session(1), at(2)).await.unwrap();
    assert_eq!(world.rotate(1, 2, 3).await, Rotation::Refused, "revoked");
    assert_eq!(world.held(0, 3).await, []);
}

pub async fn a_lost_answer_is_given_again_and_changes_nothing<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    for seconds in [60_i64, 61, 69] {
        // A row of its own each time, were one made.
        let next = NewToken { id: Uuid::from_u128(0x2000 + u128::from(seconds.unsigned_abs())), ..token(2) };
        let again = world.sessions.rotate([1; 32], &next, at(seconds), GRACE).await.unwrap();
        assert_eq!(again, world.rotated(session(1)), "{seconds}");
    }
    assert_eq!(world.held(0, 70).await, [session(1)]);
    assert_eq!(world.rotate(2, 3, 71).await, world.rotated(session(1)));
}

pub async fn a_token_that_is_used_again_later_ends_its_session<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    world.begin(0, session(2), 8).await;
    world.rotate(1, 2, 60).await;
    assert_eq!(world.rotate(1, 2, 70).await, world.reused(session(1)), "the grace is over");
    assert_eq!(world.rotate(2, 3, 71).await, Rotation::Refused, "the one with the newer token is out too");
    assert_eq!(world.held(0, 72).await, [session(2)], "no other session is");
}

pub async fn a_token_whose_successor_was_used_has_no_grace<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    world.rotate(1, 2, 60).await;
    world.rotate(2, 3, 61).await;
    assert_eq!(world.rotate(1, 2, 62).await, world.reused(session(1)));
    assert_eq!(world.held(0, 63).await, []);
}

pub async fn rotations_at_once_come_to_one_token<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    let rotate = async |number: u128| {
        let next = NewToken { id: Uuid::from_u128(0x3000 + number), ..token(2) };
        world.sessions.rotate([1; 32], &next, at(60), GRACE).await.unwrap()
    };
    let answers = join_all((0..8).map(rotate)).await;
    assert!(answers.iter().all(|answer| *answer == world.rotated(session(1))), "{answers:?}");
    assert_eq!(world.held(0, 61).await, [session(1)]);
    assert_eq!(world.rotate(2, 3, 62).await, world.rotated(session(1)));
}

pub async fn sessions_are_listed_by_their_last_use<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    world.begin(0, session(2), 3).await;
    world.begin(1, session(3), 5).await;
    world.rotate(1, 2, 60).await;
    assert_eq!(world.held(0, 61).await, [session(1), session(2)]);
    assert_eq!(world.held(1, 61).await, [session(3)]);
    assert_eq!(world.held(0, 7 * 86_400).await, [], "over");
}

pub async fn nobody_ends_anothers_session<S: Sessions, K>(world: &SessionWorld<S, K>) {
    world.begin(0, session(1), 1).await;
    for (user, id) in [(1, session(1)), (0, session(7))] {
        let refused = world.sessions.revoke(world.users[user], id, at(1)).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    assert_eq!(world.held(0, 2).await, [session(1)]);
    world.sessions.revoke(world.users[0], session(1), at(2)).await.unwrap();
    let twice = world.sessions.revoke(world.users[0], session(1), at(3)).await;
    assert!(matches!(twice, Err(StoreError::NotFound)), "{twice:?}");
}

pub async fn all_but_one_are_ended_at_once<S: Sessions, K>(world: &SessionWorld<S, K>) {
    for (user, id, number) in [(0, 1, 1), (0, 2, 2), (0, 3, 3), (1, 4, 4)] {
        world.begin(user, session(id), number).await;
    }
    world.sessions.revoke_all(world.users[0], Some(session(2)), at(1)).await.unwrap();
    assert_eq!((world.held(0, 2).await, world.held(1, 2).await), (vec![session(2)], vec![session(4)]));
    world.sessions.revoke_all(world.users[0], None, at(3)).await.unwrap();
    assert_eq!(world.held(0, 4).await, []);
    world.sessions.revoke_all(world.users[0], None, at(5)).await.unwrap();
}

pub async fn a_long_name_of_a_program_is_cut<S: Sessions, K>(world: &SessionWorld<S, K>) {
    let long = NewToken { user_agent: Some("ä".repeat(600)), ip: None, ..token(1) };
    world.sessions.begin(world.users[0], session(1), &long, at(0)).await.unwrap();
    let list = world.sessions.list(world.users[0], at(1)).await.unwrap();
    assert_eq!(list[0].user_agent.as_deref(), Some(&*"ä".repeat(500)));
}
