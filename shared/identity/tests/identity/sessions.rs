//! Sessions and their refresh tokens.

use app::ports::StoreError;
use chrono::TimeDelta;
use domain::SessionId;
use futures::future::join_all;
use identity::{Client, SignInError};
use uuid::Uuid;

use crate::world::{ADA, World, is_refused};

#[tokio::test]
async fn a_refresh_gives_other_tokens_of_the_same_session() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    world.clock.advance(TimeDelta::minutes(15));
    let second = world.refresh(&first.refresh_token).await.unwrap();
    assert_eq!((second.session_id, &second.account.email), (first.session_id, &first.account.email));
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.access_token, first.access_token);
    let claims = world.identity.verifier().verify(&second.access_token).await.unwrap();
    assert_eq!(claims.session_id, first.session_id);
    world.refresh(&second.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_two_at_once_get_the_same() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    let answers = join_all((0..5).map(|_| world.refresh(&first.refresh_token))).await;
    let tokens: Vec<String> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    world.clock.advance(TimeDelta::seconds(9));
    assert_eq!(world.refresh(&first.refresh_token).await.unwrap().refresh_token, tokens[0]);
    world.refresh(&tokens[0]).await.unwrap();
}

#[tokio::test]
async fn a_stolen_token_that_is_used_again_ends_the_session_for_both() {
    let world = World::new();
    let other = world.signed_up(ADA).await;
    let first = world.login(ADA, crate::world::PASSWORD).await.unwrap();
    let thief = world.refresh(&first.refresh_token).await.unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    assert!(is_refused(&world.refresh(&first.refresh_token).await));
    assert!(is_refused(&world.refresh(&thief.refresh_token).await));
    world.refresh(&other.refresh_token).await.unwrap();
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let world = World::new();
    let signed_in = world.signed_up(ADA).await;
    let unknown = "A".repeat(43);
    for bad in ["", "x", &unknown, &signed_in.access_token, &signed_in.csrf_token] {
        assert!(is_refused(&world.refresh(bad).await), "{bad}");
    }
    world.clock.advance(TimeDelta::days(7));
    assert!(is_refused(&world.refresh(&signed_in.refresh_token).await), "over");
}

#[tokio::test]
async fn a_page_of_another_session_refreshes_nothing() {
    let world = World::new();
    let signed_in = world.signed_up(ADA).await;
    let page = SessionId::new(Uuid::from_u128(1));
    let refused = world.identity.refresh(&signed_in.refresh_token, Some(page), &Client::default()).await;
    assert!(is_refused(&refused));
    let page = world.identity.verifier().csrf_session(&signed_in.csrf_token).await.unwrap();
    assert_eq!(page, Some(signed_in.session_id));
    world.identity.refresh(&signed_in.refresh_token, page, &Client::default()).await.unwrap();
}

#[tokio::test]
async fn who_logs_out_is_out_and_only_there() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    let second = world.login(ADA, crate::world::PASSWORD).await.unwrap();
    let who = world.identity.verifier().verify(&first.access_token).await.unwrap();
    let listed = world.identity.sessions(&who).await.unwrap();
    let current: Vec<_> = listed.iter().map(|own| (own.session.id, own.is_current)).collect();
    assert_eq!(current, [(second.session_id, false), (first.session_id, true)]);
    world.identity.logout(&who).await.unwrap();
    world.identity.logout(&who).await.unwrap();
    assert!(is_refused(&world.refresh(&first.refresh_token).await));
    world.refresh(&second.refresh_token).await.unwrap();
}

#[tokio::test]
async fn one_ends_ones_own_sessions_only() {
    let world = World::new();
    let ada = world.signed_up(ADA).await;
    let bob = world.signed_up("bob@example.com").await;
    let who = world.identity.verifier().verify(&bob.access_token).await.unwrap();
    for session in [ada.session_id, SessionId::new(Uuid::from_u128(1))] {
        let refused = world.identity.end_session(&who, session).await;
        assert!(matches!(refused, Err(SignInError::Store(StoreError::NotFound))), "{refused:?}");
    }
    world.refresh(&ada.refresh_token).await.unwrap();
}

#[tokio::test]
async fn who_was_deactivated_is_out_at_the_next_refresh() {
    let world = World::new();
    let signed_in = world.signed_up(ADA).await;
    let who = world.identity.verifier().verify(&signed_in.access_token).await.unwrap();
    world.accounts.set_active(who.member_id, false).unwrap();
    assert!(is_refused(&world.identity.account(&who).await));
    assert!(is_refused(&world.refresh(&signed_in.refresh_token).await));
}
