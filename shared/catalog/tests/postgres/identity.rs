//! People and their logins.

use app::ports::Ids as _;
use catalog::{Member, MemberPatch, NewMember};
use domain::{MemberId, Timestamp, UserId};

use crate::support::{World, is_not_found, rule};

impl World {
    /// A person with this address.
    pub(crate) async fn member(&self, email: &str) -> MemberId {
        let id = MemberId::new(self.ids.next());
        let new =
            NewMember { id, first_name: "Ada".into(), last_name: "Lovelace".into(), email: email.into() };
        self.catalog.member_insert(&new).await.unwrap();
        id
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_person_is_recorded_found_by_any_case_of_their_address_changed_and_forgotten() {
    let World { catalog, .. } = &World::new().await;
    let world = World::new().await;
    let id = world.member("Ada@Example.com").await;

    let ada = world.catalog.member_get(id).await.unwrap();
    assert_eq!((ada.email.as_str(), ada.is_active, ada.email_verified_at), ("ada@example.com", true, None));
    assert_eq!(world.catalog.member_by_email("ADA@example.COM").await.unwrap(), ada);
    assert!(is_not_found(&catalog.member_get(id).await), "another database");

    let patch = MemberPatch {
        bio: Some("Counts".into()),
        avatar_url: Some("https://example.com/ada.png".into()),
        ..MemberPatch::default()
    };
    let changed = world.catalog.member_update(id, &patch).await.unwrap();
    let expected = Member {
        bio: "Counts".into(),
        avatar_url: Some("https://example.com/ada.png".into()),
        updated_on: changed.updated_on,
        ..ada
    };
    assert_eq!(changed, expected);
    let patch = MemberPatch { avatar_url: Some(String::new()), ..MemberPatch::default() };
    assert_eq!(world.catalog.member_update(id, &patch).await.unwrap().avatar_url, None);

    world.catalog.member_delete(id).await.unwrap();
    assert!(is_not_found(&world.catalog.member_get(id).await));
    assert!(is_not_found(&world.catalog.member_delete(id).await));
}

#[tokio::test]
async fn an_address_is_proven_by_the_first_sign_in_by_mail() {
    let world = World::new().await;
    let id = world.member("ada@example.com").await;
    let seen = async |when: &str, is_by_mail: bool| {
        world.catalog.member_signed_in(id, at(when), is_by_mail).await.unwrap();
        let member = world.catalog.member_get(id).await.unwrap();
        (member.last_login_at.unwrap(), member.email_verified_at)
    };
    let [one, two, three] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];
    assert_eq!(seen(one, false).await, (at(one), None));
    assert_eq!(seen(two, true).await, (at(two), Some(at(two))));
    assert_eq!(seen(three, true).await, (at(three), Some(at(two))));
    let nobody = world.catalog.member_signed_in(world.ids.next().into(), at(one), true).await;
    assert!(is_not_found(&nobody));
}

#[tokio::test]
async fn a_person_has_one_login_whoever_asks_first() {
    let world = World::new().await;
    let catalog = &world.catalog;
    let ada = world.member("ada@example.com").await;
    let (one, two) = (UserId::new(world.ids.next()), UserId::new(world.ids.next()));

    let (first, second) = futures::future::join(catalog.login_of(ada, one), catalog.login_of(ada, two)).await;

    let login = first.unwrap();
    assert_eq!(login, second.unwrap());
    assert_eq!((login.member_id, login.password_hash.as_deref(), login.is_active), (ada, None, true));
    assert_eq!(catalog.login_by_email("ADA@example.com").await.unwrap(), login);
    assert_eq!(catalog.login_get(login.id).await.unwrap(), login);
    assert!(is_not_found(&catalog.login_by_email("eve@example.com").await));
    assert_eq!(rule(catalog.login_of(world.ids.next().into(), two).await), "fk_users_member_id");
}

#[tokio::test]
async fn a_password_is_set_and_taken_away_and_never_printed() {
    let world = World::new().await;
    let ada = world.member("ada@example.com").await;
    let login = world.catalog.login_of(ada, world.ids.next().into()).await.unwrap();
    let phc = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA";

    world.catalog.login_set_password(login.id, Some(phc)).await.unwrap();
    let with = world.catalog.login_get(login.id).await.unwrap();
    assert_eq!(with.password_hash.as_deref(), Some(phc));
    assert!(!format!("{with:?}").contains("argon2id"));

    world.catalog.login_set_password(login.id, None).await.unwrap();
    assert_eq!(world.catalog.login_get(login.id).await.unwrap(), login);
    let plain = world.catalog.login_set_password(login.id, Some("hunter2")).await;
    assert_eq!(rule(plain), "ck_users_password_hash");
    assert!(is_not_found(&world.catalog.login_set_password(world.ids.next().into(), None).await));
}
