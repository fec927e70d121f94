//! Refresh tokens in Postgres.

use std::time::Duration;

use app::{
    conformance::sessions::SessionWorld,
    ports::{Ids as _, NewToken, Rotation, Sessions as _},
};
use catalog::{Catalog, MemberPatch};
use domain::{MemberId, SessionId, Timestamp, UserId};

use crate::support::World;

async fn user(world: &World, email: &str) -> (MemberId, UserId) {
    let member = world.member(email).await;
    (member, world.catalog.login_of(member, world.ids.next().into()).await.unwrap().id)
}

async fn with_two_users() -> SessionWorld<Catalog, World> {
    let world = World::new().await;
    let users = [user(&world, "ada@example.com").await.1, user(&world, "bob@example.com").await.1];
    SessionWorld { sessions: Catalog::new(world.pool().clone()), users, keep: world }
}

app::sessions_suite!(with_two_users());

/// A moment so many seconds after the sign-in.
fn after(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000 + seconds, 0).unwrap()
}

fn token(world: &World, number: u8) -> NewToken {
    let (id, expires_at) = (world.ids.next(), after(7 * 86_400));
    NewToken { id, sha256: [number; 32], expires_at, ip: None, user_agent: None }
}

#[tokio::test]
async fn a_token_of_someone_who_may_not_sign_in_is_refused() {
    let world = World::new().await;
    let (member, user) = user(&world, "ada@example.com").await;
    let session = SessionId::new(world.ids.next());
    world.catalog.begin(user, session, &token(&world, 0), after(0)).await.unwrap();
    let patch = MemberPatch { is_active: Some(false), ..MemberPatch::default() };
    world.catalog.member_update(member, &patch).await.unwrap();
    let next = token(&world, 1);
    let rotation = world.catalog.rotate([0; 32], &next, after(1), Duration::from_secs(10)).await.unwrap();
    assert_eq!(rotation, Rotation::Refused);
}

#[tokio::test]
async fn tokens_are_forgotten_when_they_are_over() {
    let world = World::new().await;
    let (_, user) = user(&world, "ada@example.com").await;
    for number in 0..3 {
        let session = SessionId::new(world.ids.next());
        world.catalog.begin(user, session, &token(&world, number), after(0)).await.unwrap();
    }
    assert_eq!(world.catalog.forget(after(7 * 86_400)).await.unwrap(), 0);
    assert_eq!(world.catalog.forget(after(7 * 86_400 + 1)).await.unwrap(), 3);
    assert!(!format!("{:?}", token(&world, 5)).contains("[5, 5"));
}
