//! Asking people into a team.

use app::ports::Mail;
use chrono::TimeDelta;
use domain::Role;
use heddle_http::testing::Answer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Person, UNKNOWN, World, pointers};

impl World {
    async fn invite(&self, who: &Person, email: &str, role: &str) -> Answer {
        self.send(who, "POST", &self.path("/invite"), &json!({"email": email, "role": role})).await
    }

    /// The token of the one mail that was sent since the last call.
    fn token(&self) -> String {
        let mails = self.mailer.take();
        assert_eq!(mails.len(), 1);
        token_in(&mails[0])
    }

    async fn accept(&self, who: &Person, token: &str) -> Answer {
        self.send(who, "POST", &format!("invitations/{token}/accept"), &Value::Null).await
    }
}

fn token_in(mail: &Mail) -> String {
    mail.text().lines().find_map(|line| line.strip_prefix("    ")).unwrap().to_owned()
}

#[tokio::test]
async fn ten_07_who_is_invited_gets_a_mail_and_joins_by_its_token() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    let bob = world.person("bob").await;
    let invited = world.invite(&admin, "Bob@Example.com", "editor").await;
    assert_eq!(
        (invited.code(), &invited.body["email"], &invited.body["role"]),
        (201, &json!("bob@example.com"), &json!("editor"))
    );
    let mails = world.mailer.take();
    assert_eq!((mails.len(), mails[0].to().as_str()), (1, "Bob@Example.com"));
    assert!(
        mails[0].text().contains("\"Looms\"") && mails[0].text().contains("an editor"),
        "{}",
        mails[0].text()
    );
    let token = token_in(&mails[0]);
    assert_eq!(token.len(), 43);
    assert!(!invited.body.to_string().contains(&token), "only the mail has it");

    let mine = world.get(&bob, "invitations").await;
    assert_eq!(mine.body["items"], json!([invited.body]));
    assert!(!mine.body.to_string().contains(&token));
    let joined = world.accept(&bob, &token).await;
    assert_eq!(
        (joined.code(), &joined.body["team_id"], &joined.body["role"]),
        (200, &json!(world.team), &json!("editor"))
    );
    assert_eq!(joined.body["member_id"], json!(bob.id));
    assert_eq!(world.role_of(&bob, &bob).await, "editor");
    assert_eq!(world.get(&bob, "invitations").await.body["items"], json!([]));
    assert_eq!(world.accept(&bob, &token).await.body, joined.body, "once more is the same");
    let stored = "select token_hash from invitations";
    let stored: Vec<u8> = sqlx::query_scalar(stored).fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(stored, Sha256::digest(&token).to_vec());
}

#[tokio::test]
async fn nobody_but_the_invited_address_joins_by_a_token() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    let (bob, eve) = (world.person("bob").await, world.person("eve").await);
    world.invite(&admin, &bob.email, "admin").await;
    let token = world.token();
    let stolen = world.accept(&eve, &token).await;
    let unknown = world.accept(&eve, &"A".repeat(43)).await;
    assert_eq!((stolen.code(), stolen.problem().detail), (404, unknown.problem().detail));
    assert_eq!(world.get(&eve, "invitations").await.body["items"], json!([]));
    assert_eq!(world.accept(&bob, &token).await.code(), 200);
    assert_eq!(world.accept(&eve, &token).await.code(), 404);
}

#[tokio::test]
async fn invitations_are_shown_to_a_proved_address_only() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    let bob = world.person("bob").await;
    world.invite(&admin, &bob.email, "viewer").await;
    world.sql("update members set email_verified_at = null").await;
    assert_eq!(world.get(&bob, "invitations").await.body["items"], json!([]));
    assert_eq!(world.accept(&bob, &world.token()).await.code(), 200, "the token proves it");
}

#[tokio::test]
async fn an_invitation_that_is_over_taken_back_or_replaced_is_none() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    let bob = world.person("bob").await;
    let first = world.invite(&admin, &bob.email, "viewer").await;
    let replaced = world.token();
    let second = world.invite(&admin, &bob.email, "viewer").await;
    let taken_back = world.token();
    assert_eq!(world.accept(&bob, &replaced).await.code(), 404);
    let path = |invitation: &Answer| {
        world.path(&format!("/invitations/{}", invitation.body["id"].as_str().unwrap()))
    };
    assert_eq!(world.send(&admin, "DELETE", &path(&first), &Value::Null).await.code(), 404);
    assert_eq!(world.send(&admin, "DELETE", &path(&second), &Value::Null).await.code(), 204);
    assert_eq!(world.accept(&bob, &taken_back).await.code(), 404);

    world.invite(&admin, &bob.email, "viewer").await;
    let expired = world.token();
    world.clock.advance(TimeDelta::days(7));
    // The tokens of people have expired too.
    let bob = world.again(&bob).await;
    assert_eq!(world.accept(&bob, &expired).await.code(), 404);
    assert_eq!(world.get(&bob, "invitations").await.body["items"], json!([]));
    let admin = world.again(&admin).await;
    let listed = world.get(&admin, &world.path("/invitations")).await.body;
    assert_eq!((&listed["total"], &listed["items"][0]["email"]), (&json!(1), &json!(bob.email)));
}

#[tokio::test]
async fn of_two_who_accept_at_the_same_moment_both_get_the_same_place() {
    for _ in 0..5 {
        let world = World::new().await;
        let admin = world.joined("admin", Role::Admin).await;
        let bob = world.person("bob").await;
        world.invite(&admin, &bob.email, "viewer").await;
        let token = world.token();
        let (one, two) = futures::future::join(world.accept(&bob, &token), world.accept(&bob, &token)).await;
        assert_eq!((one.code(), two.code()), (200, 200));
        assert_eq!(one.body, two.body);
        assert_eq!(world.get(&admin, &world.path("/members")).await.body["total"], 2);
    }
}

#[tokio::test]
async fn nobody_invites_above_their_own_role_or_who_is_in_already() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    assert_eq!(world.invite(&admin, "eve@example.com", "owner").await.code(), 403);
    assert!(world.mailer.take().is_empty());
    let open = world.invite(&owner, "eve@example.com", "owner").await;
    assert_eq!(open.code(), 201);
    assert_eq!(world.invite(&admin, "eve@example.com", "viewer").await.code(), 403, "nor in place of one");
    let path = world.path(&format!("/invitations/{}", open.body["id"].as_str().unwrap()));
    assert_eq!(world.send(&admin, "DELETE", &path, &Value::Null).await.code(), 403);
    let member = world.invite(&admin, "OWNER@example.com", "viewer").await;
    assert_eq!((member.code(), member.problem_code().as_str()), (409, "taken"));
    let unknown = world.path(&format!("/invitations/{UNKNOWN}"));
    assert_eq!(world.send(&admin, "DELETE", &unknown, &Value::Null).await.code(), 404);
}

#[tokio::test]
async fn what_is_wrong_with_an_invitation_is_told_at_once() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    for (body, expected) in [
        (json!({}), vec!["/email", "/role"]),
        (json!({"email": "ada", "role": "viewer"}), vec!["/email"]),
        (json!({"email": "a@example.com\r\nBcc: b@example.com", "role": "viewer"}), vec!["/email"]),
        (json!({"email": 7, "role": "king", "token": "x"}), vec!["/email", "/role", "/token"]),
    ] {
        let answer = world.send(&admin, "POST", &world.path("/invite"), &body).await;
        let mut found = pointers(&answer);
        found.sort();
        assert_eq!(
            (answer.code(), found),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    assert!(world.mailer.take().is_empty());
}

#[tokio::test]
async fn nobody_mails_to_strangers_without_end() {
    let world = World::new().await;
    let admin = world.joined("admin", Role::Admin).await;
    for number in 0..50 {
        assert_eq!(world.invite(&admin, &format!("user{number}@example.com"), "viewer").await.code(), 201);
    }
    let refused = world.invite(&admin, "user50@example.com", "viewer").await;
    assert_eq!((refused.code(), refused.problem_code().as_str()), (429, "rate_limited"));
    assert_eq!(world.mailer.take().len(), 50);
}
