//! Memberships, the last owner, invitations.

use app::ports::{Ids as _, Seats as _};
use catalog::{MemberPatch, NewInvitation, TeamPatch};
use domain::{MemberId, Role, TeamId, Timestamp};
use serde_json::{Map, json};

use crate::support::{World, is_not_found, rule};

const LAST_OWNER: &str = "ck_team_members_owner";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl World {
    async fn joined(&self, email: &str, role: Role) -> MemberId {
        let member = self.member(email).await;
        self.catalog.team_join(self.ours, member, role, self.ids.next()).await.unwrap();
        member
    }

    fn invitation(&self, email: &str, token: u8) -> NewInvitation {
        NewInvitation {
            id: self.ids.next().into(),
            email: email.into(),
            role: Role::Editor,
            token_sha256: [token; 32],
            expires_at: at("2026-01-08T00:00:00Z"),
            invited_by: None,
        }
    }
}

#[tokio::test]
async fn a_team_is_founded_with_its_owner_and_changed() {
    let world = World::new().await;
    let ada = world.member("ada@example.com").await;
    let id = TeamId::new(world.ids.next());

    let team = world.catalog.team_found(id, "New", "", (ada, world.ids.next())).await.unwrap();
    assert_eq!(world.catalog.team_member(id, ada).await.unwrap().role, Role::Owner);
    let settings = Map::from_iter([("retention_days".to_owned(), json!(30))]);
    let patch = TeamPatch { settings: Some(settings.clone()), ..TeamPatch::default() };
    let changed = world.catalog.team_update(id, &patch).await.unwrap();
    assert_eq!((changed.name, changed.settings), (team.name, settings));

    let nobody = world.ids.next().into();
    let refused = world.catalog.team_found(world.ids.next().into(), "N", "", (nobody, nobody.uuid())).await;
    assert_eq!(rule(refused), "fk_team_members_member_id");
}

#[tokio::test]
async fn a_member_gets_another_role_and_leaves_and_only_their_own_team_has_them() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Editor).await;
    let may = Map::from_iter([("run".to_owned(), json!(false))]);

    catalog.team_member_update(*ours, ada, Some(Role::Admin), None).await.unwrap();
    catalog.team_member_update(*ours, ada, None, Some(&may)).await.unwrap();
    let member = catalog.team_member(*ours, ada).await.unwrap();
    assert_eq!((member.role, member.permissions), (Role::Admin, may));

    assert!(is_not_found(&catalog.team_member(*theirs, ada).await));
    assert!(is_not_found(&catalog.team_member_update(*theirs, ada, Some(Role::Owner), None).await));
    assert!(is_not_found(&catalog.team_leave(*theirs, ada).await));
    catalog.team_leave(*ours, ada).await.unwrap();
    assert!(is_not_found(&catalog.team_leave(*ours, ada).await));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Owner).await;
    world.joined("bob@example.com", Role::Admin).await;

    assert_eq!(rule(catalog.team_leave(*ours, ada).await), LAST_OWNER);
    assert_eq!(rule(catalog.team_member_update(*ours, ada, Some(Role::Admin), None).await), LAST_OWNER);
    assert_eq!(rule(catalog.member_delete(ada).await), LAST_OWNER);
    catalog.team_member_update(*ours, ada, Some(Role::Owner), None).await.unwrap();

    world.joined("eve@example.com", Role::Owner).await;
    catalog.team_leave(*ours, ada).await.unwrap();
}

#[tokio::test]
async fn of_two_owners_who_leave_at_the_same_moment_one_stays() {
    for _ in 0..10 {
        let world = World::new().await;
        let World { catalog, ours, .. } = &world;
        let ada = world.joined("ada@example.com", Role::Owner).await;
        let eve = world.joined("eve@example.com", Role::Owner).await;

        let (left, demoted) = futures::future::join(
            catalog.team_leave(*ours, ada),
            catalog.team_member_update(*ours, eve, Some(Role::Viewer), None),
        )
        .await;

        let refused: Vec<String> = [left, demoted].into_iter().filter(Result::is_err).map(rule).collect();
        assert_eq!(refused, [LAST_OWNER]);
        let members = catalog.team_members(*ours).await.unwrap();
        assert_eq!(members.iter().filter(|member| member.role == Role::Owner).count(), 1);
    }
}

#[tokio::test]
async fn a_person_s_teams_are_known_before_any_is_and_are_their_own() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Owner).await;
    let bob = world.joined("bob@example.com", Role::Viewer).await;
    catalog.team_join(*theirs, ada, Role::Viewer, ids.next()).await.unwrap();

    let seats = async |member| {
        let seats = catalog.seats(member).await.unwrap();
        seats.into_iter().map(|seat| (seat.team_id, seat.team_name, seat.role)).collect::<Vec<_>>()
    };
    let our_team = |role| (*ours, "Ours".to_owned(), role);
    assert_eq!(seats(ada).await, [our_team(Role::Owner), (*theirs, "Theirs".to_owned(), Role::Viewer)]);
    assert_eq!(seats(bob).await, [our_team(Role::Viewer)]);
    assert_eq!(seats(ids.next().into()).await, []);

    let patch = MemberPatch { is_active: Some(false), ..MemberPatch::default() };
    catalog.member_update(bob, &patch).await.unwrap();
    assert_eq!(seats(bob).await, []);
}

#[tokio::test]
async fn an_invitation_is_seen_by_its_token_and_its_address_and_accepted_once() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let bob = world.member("bob@example.com").await;
    catalog.invitation_insert(*ours, &world.invitation("Bob@Example.com", 1)).await.unwrap();

    let seen = catalog.invitation_by_token([1; 32]).await.unwrap();
    assert_eq!((seen.team_id, seen.team_name.as_str(), seen.role), (*ours, "Ours", Role::Editor));
    assert_eq!(catalog.invitations_of("BOB@example.com").await.unwrap(), std::slice::from_ref(&seen));
    assert_eq!(catalog.invitation_list(*ours).await.unwrap(), std::slice::from_ref(&seen));
    assert_eq!(catalog.invitation_list(*theirs).await.unwrap(), []);
    assert!(is_not_found(&catalog.invitation_by_token([2; 32]).await));

    let now = at("2026-01-02T00:00:00Z");
    let accept = || catalog.invitation_accept(&seen, (bob, ids.next()), now);
    let (one, two) = futures::future::join(accept(), accept()).await;
    assert!(one.is_ok() != two.is_ok() && (is_not_found(&one) || is_not_found(&two)), "{one:?} {two:?}");
    let member = catalog.team_member(*ours, bob).await.unwrap();
    assert_eq!((member.role, member.joined_at), (Role::Editor, now));
    assert_eq!(catalog.invitation_by_token([1; 32]).await.unwrap().accepted_at, Some(now));
    assert_eq!(catalog.invitations_of("bob@example.com").await.unwrap(), []);
}

#[tokio::test]
async fn an_invitation_that_is_over_replaced_or_taken_back_is_accepted_by_nobody() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let bob = world.member("bob@example.com").await;
    let (first, second) = (world.invitation("bob@example.com", 1), world.invitation("bob@example.com", 2));
    catalog.invitation_insert(*ours, &first).await.unwrap();
    let seen = catalog.invitation_by_token([1; 32]).await.unwrap();

    let late = catalog.invitation_accept(&seen, (bob, ids.next()), seen.expires_at).await;
    assert!(is_not_found(&late));
    catalog.invitation_insert(*ours, &second).await.unwrap();
    assert!(is_not_found(&catalog.invitation_by_token([1; 32]).await));
    assert_eq!(catalog.invitation_list(*ours).await.unwrap().len(), 1);

    assert!(is_not_found(&catalog.invitation_delete(*theirs, second.id).await));
    catalog.invitation_delete(*ours, second.id).await.unwrap();
    let now = at("2026-01-02T00:00:00Z");
    assert!(is_not_found(&catalog.invitation_accept(&seen, (bob, ids.next()), now).await));
    assert!(!format!("{first:?}").contains("[1, 1"));
}
