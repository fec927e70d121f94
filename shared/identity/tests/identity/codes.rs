//! One-time codes.

use app::ports::Accounts as _;
use chrono::TimeDelta;
use futures::future::join_all;
use identity::{CODE_LIFE, Client, CodeAnswer, Purpose, SignInError};

use crate::world::{ADA, PASSWORD, World, address, client, code_in, is_refused};

#[tokio::test]
async fn a_code_opens_an_account_and_signs_in() {
    let world = World::new();
    let mail = world.ask("Ada@Example.com", Purpose::Signup).await;
    assert_eq!(mail.to().as_str(), "Ada@Example.com");
    assert_eq!(world.member(ADA).await, None, "not before the address is proved");
    let code = code_in(&mail);
    assert!(!mail.subject().contains(&code), "subjects are shown on locked screens");
    let answer = CodeAnswer { code, first_name: "Ada".to_owned(), ..CodeAnswer::default() };
    let signed_in = world.identity.verify_code(&address(ADA), answer, &client(ADA)).await.unwrap();
    let claims = world.identity.verifier().verify(&signed_in.access_token).await.unwrap();
    assert_eq!((claims.email.as_str(), Some(claims.member_id)), (ADA, world.member(ADA).await));
    let account = world.accounts.by_email(ADA).await.unwrap();
    assert_eq!(account.first_name, "Ada");
    assert!(account.email_verified_at.is_some() && account.last_login_at.is_some());
}

#[tokio::test]
async fn who_signs_up_again_is_signed_in_to_the_same_account() {
    let world = World::new();
    let first = world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Signup).await);
    let answer = CodeAnswer { code, first_name: "Eve".to_owned(), ..CodeAnswer::default() };
    let again = world.identity.verify_code(&address(ADA), answer, &client(ADA)).await.unwrap();
    assert_eq!(again.account.member_id, first.account.member_id);
    assert_eq!(again.account.first_name, "Ada", "nothing of it changes");
    assert_ne!(again.session_id, first.session_id);
}

#[tokio::test]
async fn whether_an_address_is_known_shows_in_its_own_mailbox_only() {
    let world = World::new();
    world.signed_up(ADA).await;
    for purpose in [Purpose::Login, Purpose::Reset] {
        let mail = world.ask("nobody@example.com", purpose).await;
        assert!(!mail.text().bytes().any(|byte| byte.is_ascii_digit()), "{}", mail.text());
        code_in(&world.ask(ADA, purpose).await);
        // As if it were a code that was sent.
        assert!(is_refused(&world.answer("nobody@example.com", "123456").await));
    }
    assert_eq!(world.member("nobody@example.com").await, None);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_address() {
    let world = World::new();
    world.signed_up(ADA).await;
    world.signed_up("bob@example.com").await;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    assert!(is_refused(&world.answer("bob@example.com", &code).await));
    world.answer("ADA@example.com", &code).await.unwrap();
    assert!(is_refused(&world.answer(ADA, &code).await), "twice");
}

#[tokio::test]
async fn another_code_takes_the_place_of_the_first() {
    let world = World::new();
    world.signed_up(ADA).await;
    let first = code_in(&world.ask(ADA, Purpose::Login).await);
    let second = code_in(&world.ask(ADA, Purpose::Login).await);
    assert_ne!(first, second);
    assert!(is_refused(&world.answer(ADA, &first).await));
    world.answer(ADA, &second).await.unwrap();
}

#[tokio::test]
async fn a_code_is_over_after_five_minutes() {
    let world = World::new();
    world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    world.clock.advance(CODE_LIFE);
    assert!(is_refused(&world.answer(ADA, &code).await));
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    world.clock.advance(CODE_LIFE - TimeDelta::seconds(1));
    world.answer(ADA, &code).await.unwrap();
}

#[tokio::test]
async fn a_code_takes_five_guesses() {
    let world = World::new();
    world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert!(is_refused(&world.answer(ADA, wrong).await));
    }
    assert!(is_refused(&world.answer(ADA, &code).await), "even the right one");
    // Another one may be asked for, and takes as many.
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    world.answer(ADA, &code).await.unwrap();
}

#[tokio::test]
async fn of_answers_at_once_one_is_signed_in() {
    let world = World::new();
    world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    let answers = join_all((0..5).map(|_| world.answer(ADA, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| is_refused(answer)).count(), 4);
}

#[tokio::test]
async fn a_code_to_sign_in_sets_no_password_and_is_not_used_up_by_the_try() {
    let world = World::new();
    world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    let answer = CodeAnswer {
        code: code.clone(),
        password: Some("another password".to_owned()),
        ..CodeAnswer::default()
    };
    let answer = world.identity.verify_code(&address(ADA), answer, &client(ADA)).await;
    assert!(matches!(answer, Err(SignInError::NoPassword)), "{answer:?}");
    world.answer(ADA, &code).await.unwrap();
    world.login(ADA, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_reset_changes_the_password_and_ends_every_session() {
    let world = World::new();
    let before = world.signed_up(ADA).await;
    let code = code_in(&world.ask(ADA, Purpose::Reset).await);
    let answer = CodeAnswer { code, password: Some("another password".to_owned()), ..CodeAnswer::default() };
    let after = world.identity.verify_code(&address(ADA), answer, &client(ADA)).await.unwrap();
    assert!(is_refused(&world.refresh(&before.refresh_token).await));
    world.refresh(&after.refresh_token).await.unwrap();
    assert!(is_refused(&world.login(ADA, PASSWORD).await));
    world.login(ADA, "another password").await.unwrap();
}

#[tokio::test]
async fn who_was_deactivated_gets_no_code_and_no_session() {
    let world = World::new();
    let member = world.signed_up(ADA).await.account.member_id;
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    world.accounts.set_active(member, false).unwrap();
    assert!(is_refused(&world.answer(ADA, &code).await), "a code from before");
    for purpose in Purpose::ALL {
        let mail = world.ask(ADA, purpose).await;
        assert!(!mail.text().bytes().any(|byte| byte.is_ascii_digit()), "{}", mail.text());
    }
}

#[tokio::test]
async fn codes_are_asked_for_five_times_in_a_quarter_of_an_hour_by_address_and_by_place() {
    let world = World::new();
    let ask = async |email: &str, ip: [u8; 4]| {
        let client = Client { ip: Some(ip.into()), user_agent: None };
        world.identity.request_code(&address(email), Purpose::Login, &client).await
    };
    for n in 0..5 {
        ask(ADA, [192, 0, 2, n]).await.unwrap();
    }
    let refused = ask("ADA@example.com", [192, 0, 2, 9]).await;
    let Err(SignInError::TooMany { until }) = refused else { panic!("{refused:?}") };
    for n in 0..5 {
        ask(&format!("user{n}@example.com"), [198, 51, 100, 1]).await.unwrap();
    }
    let refused = ask("user9@example.com", [198, 51, 100, 1]).await;
    assert!(matches!(refused, Err(SignInError::TooMany { .. })), "{refused:?}");
    assert_eq!(world.mailer.take().len(), 10, "no mail for the refused ones");
    world.clock.advance_to(until);
    ask(ADA, [192, 0, 2, 9]).await.unwrap();
}

#[tokio::test]
async fn who_is_refused_by_place_does_not_lock_an_address() {
    let world = World::new();
    let eve = Client { ip: Some([198, 51, 100, 1].into()), user_agent: None };
    for n in 0..5 {
        let other = address(&format!("user{n}@example.com"));
        world.identity.request_code(&other, Purpose::Login, &eve).await.unwrap();
    }
    for _ in 0..20 {
        let refused = world.identity.request_code(&address(ADA), Purpose::Signup, &eve).await;
        assert!(matches!(refused, Err(SignInError::TooMany { .. })), "{refused:?}");
    }
    world.mailer.take();
    world.signed_up(ADA).await;
}

#[tokio::test]
async fn answers_are_tried_ten_times_in_a_quarter_of_an_hour() {
    let world = World::new();
    world.signed_up(ADA).await; // one
    for _ in 0..9 {
        assert!(is_refused(&world.answer(ADA, "000000").await));
    }
    let code = code_in(&world.ask(ADA, Purpose::Login).await);
    let refused = world.answer(ADA, &code).await;
    assert!(matches!(refused, Err(SignInError::TooMany { .. })), "{refused:?}");
}
