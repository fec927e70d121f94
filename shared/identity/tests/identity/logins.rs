//! Signing in by password.

use app::ports::Accounts as _;
use identity::{Argon2Params, SignInError};

use crate::world::{ADA, CHEAP, PASSWORD, World, is_refused};

#[tokio::test]
async fn the_right_password_signs_in_and_nothing_else_does() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let signed_in = world.login("ADA@example.com", PASSWORD).await.unwrap();
    assert_ne!(signed_in.session_id, signed_up.session_id, "a session of its own");
    for (email, password) in [
        (ADA, "wrong horse battery"),
        (ADA, ""),
        (ADA, "correct horse battery "),
        ("nobody@example.com", PASSWORD),
    ] {
        assert!(is_refused(&world.login(email, password).await), "{email} {password}");
    }
    world.accounts.set_active(signed_up.account.member_id, false).unwrap();
    assert!(is_refused(&world.login(ADA, PASSWORD).await), "deactivated");
}

#[tokio::test]
async fn who_has_no_password_signs_in_by_none() {
    let world = World::new();
    let code = crate::world::code_in(&world.ask(ADA, identity::Purpose::Signup).await);
    world.answer(ADA, &code).await.unwrap();
    for password in ["", PASSWORD] {
        assert!(is_refused(&world.login(ADA, password).await));
    }
}

#[tokio::test]
async fn a_hash_of_another_cost_is_replaced_by_the_next_login() {
    let world = World::new();
    let dearer = Argon2Params { memory_kib: 16, passes: 2, lanes: 1 };
    let user = world.signed_up(ADA).await.account.user_id;
    let entropy = std::sync::Arc::new(app::fakes::SequentialEntropy::default());
    let old = identity::Passwords::new(dearer, entropy).hash(PASSWORD.to_owned()).await.unwrap();
    world.accounts.set_password(user, &old).await.unwrap();
    world.login(ADA, PASSWORD).await.unwrap();
    let new = world.accounts.by_email(ADA).await.unwrap().password_hash.unwrap();
    assert!(new.contains(&format!("$m={},t={},p={}$", CHEAP.memory_kib, CHEAP.passes, CHEAP.lanes)), "{new}");
    world.login(ADA, PASSWORD).await.unwrap();
    assert_eq!(world.accounts.by_email(ADA).await.unwrap().password_hash, Some(new), "once");
}

#[tokio::test]
async fn passwords_are_tried_ten_times_in_a_quarter_of_an_hour() {
    let world = World::new();
    world.signed_up(ADA).await;
    for _ in 0..10 {
        assert!(is_refused(&world.login(ADA, "wrong horse battery").await));
    }
    let refused = world.login(ADA, PASSWORD).await;
    assert!(matches!(refused, Err(SignInError::TooMany { .. })), "{refused:?}");
}
