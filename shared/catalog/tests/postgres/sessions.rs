//! Refresh tokens: rotation, reuse, and the answer that got lost.

use std::time::Duration;

use app::ports::Ids as _;
use catalog::{MemberPatch, NewToken, Rotation};
use domain::{MemberId, SessionId, Timestamp, UserId};

use crate::support::{World, is_not_found};

const GRACE: Duration = Duration::from_secs(10);

/// A moment so many seconds after the sign-in.
fn after(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000 + seconds, 0).unwrap()
}

/// A person with one session, whose first token is 0.
struct SignedIn {
    world: World,
    member: MemberId,
    user: UserId,
    session: SessionId,
}

impl SignedIn {
    async fn new() -> Self {
        let world = World::new().await;
        let member = world.member("ada@example.com").await;
        let user = world.catalog.login_of(member, world.ids.next().into()).await.unwrap().id;
        let session = SessionId::new(world.ids.next());
        let signed_in = Self { world, member, user, session };
        signed_in.begin(session, 0).await;
        signed_in
    }

    async fn begin(&self, session: SessionId, token: u8) {
        let token = self.token(token);
        self.world.catalog.session_insert(self.user, session, &token, after(0)).await.unwrap();
    }

    fn token(&self, number: u8) -> NewToken {
        NewToken {
            id: self.world.ids.next(),
            sha256: [number; 32],
            expires_at: after(7 * 86_400),
            ip: Some("2001:db8::1".parse().unwrap()),
            user_agent: Some("x".repeat(600)),
        }
    }

    async fn rotate(&self, from: u8, to: u8, seconds: i64) -> Rotation {
        let next = self.token(to);
        self.world.catalog.session_rotate([from; 32], &next, after(seconds), GRACE).await.unwrap()
    }

    fn rotated(&self) -> Rotation {
        Rotation::Rotated { user_id: self.user, session_id: self.session }
    }

    fn reused(&self) -> Rotation {
        Rotation::Reused { user_id: self.user, session_id: self.session }
    }
}

#[tokio::test]
async fn a_token_gives_way_to_the_next_and_the_session_stays_the_same() {
    let ada = SignedIn::new().await;
    assert_eq!(ada.rotate(0, 1, 900).await, ada.rotated());
    assert_eq!(ada.rotate(1, 2, 1800).await, ada.rotated());

    let sessions = ada.world.catalog.session_list(ada.user, after(1800)).await.unwrap();
    assert_eq!(sessions.len(), 1);
    let session = &sessions[0];
    assert_eq!(
        (session.id, session.created_on, session.last_activity_at),
        (ada.session, after(0), after(1800))
    );
    assert_eq!(session.ip, Some("2001:db8::1".parse().unwrap()));
    assert_eq!(session.user_agent.as_ref().unwrap().len(), 500);
}

#[tokio::test]
async fn a_token_that_was_replaced_long_ago_ends_the_session_for_whoever_holds_it() {
    let ada = SignedIn::new().await;
    ada.rotate(0, 1, 900).await;
    assert_eq!(ada.rotate(0, 9, 900 + 10).await, ada.reused());
    assert_eq!(ada.rotate(1, 2, 920).await, Rotation::Refused);
    assert_eq!(ada.rotate(0, 2, 920).await, Rotation::Refused);
    assert_eq!(ada.rotate(9, 2, 920).await, Rotation::Refused);
    assert_eq!(ada.world.catalog.session_list(ada.user, after(920)).await.unwrap(), []);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_given_again_and_the_lost_one_is_worth_nothing_later() {
    let ada = SignedIn::new().await;
    ada.rotate(0, 1, 900).await;
    assert_eq!(ada.rotate(0, 2, 903).await, ada.rotated());
    assert_eq!(ada.rotate(0, 3, 906).await, ada.rotated());
    assert_eq!(ada.rotate(3, 4, 1800).await, ada.rotated());
    assert_eq!(ada.rotate(1, 9, 1801).await, ada.reused());
    assert_eq!(ada.rotate(4, 5, 1802).await, Rotation::Refused);
}

#[tokio::test]
async fn within_the_grace_a_token_whose_successor_was_used_is_a_copy() {
    let ada = SignedIn::new().await;
    ada.rotate(0, 1, 900).await;
    ada.rotate(1, 2, 901).await;
    assert_eq!(ada.rotate(0, 9, 902).await, ada.reused());
}

#[tokio::test]
async fn two_who_show_a_token_at_the_same_moment_leave_one_that_holds() {
    let ada = SignedIn::new().await;
    let both = futures::future::join(ada.rotate(0, 1, 900), ada.rotate(0, 2, 900)).await;
    assert_eq!(both, (ada.rotated(), ada.rotated()));
    assert_eq!(ada.world.catalog.session_list(ada.user, after(900)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_over_unknown_or_of_someone_who_may_not_sign_in_is_refused() {
    let ada = SignedIn::new().await;
    assert_eq!(ada.rotate(7, 8, 0).await, Rotation::Refused);
    assert_eq!(ada.rotate(0, 8, 7 * 86_400).await, Rotation::Refused);
    let patch = MemberPatch { is_active: Some(false), ..MemberPatch::default() };
    ada.world.catalog.member_update(ada.member, &patch).await.unwrap();
    assert_eq!(ada.rotate(0, 8, 1).await, Rotation::Refused);
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_or_all_but_one_and_forgotten_in_the_end() {
    let ada = SignedIn::new().await;
    let catalog = &ada.world.catalog;
    let [second, third] = [10, 20].map(|_| SessionId::new(ada.world.ids.next()));
    ada.begin(second, 10).await;
    ada.begin(third, 20).await;
    let live = async || {
        let sessions = catalog.session_list(ada.user, after(1)).await.unwrap();
        sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(live().await, [third, second, ada.session]);

    let stranger = UserId::new(ada.world.ids.next());
    assert!(is_not_found(&catalog.session_revoke(stranger, second, after(1)).await));
    catalog.session_revoke(ada.user, second, after(1)).await.unwrap();
    assert!(is_not_found(&catalog.session_revoke(ada.user, second, after(1)).await));
    assert_eq!(ada.rotate(10, 11, 2).await, Rotation::Refused);
    catalog.session_revoke_all(ada.user, Some(third), after(1)).await.unwrap();
    assert_eq!(live().await, [third]);

    assert_eq!(catalog.session_forget(after(7 * 86_400)).await.unwrap(), 0);
    assert_eq!(catalog.session_forget(after(7 * 86_400 + 1)).await.unwrap(), 3);
    assert!(!format!("{:?}", ada.token(5)).contains("[5, 5"));
}
