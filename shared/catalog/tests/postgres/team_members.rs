//! Memberships, the last owner, invitations.

use app::ports::{Act, Ids as _, Seats as _};
use catalog::{ALREADY_IN, LAST_OWNER, MemberPatch, MembershipPatch, NewInvitation, OUT_OF_REACH, TeamPatch};
use domain::{MemberId, Role, TeamId, Timestamp};
use serde_json::{Map, json};

use crate::support::{ALL, World, is_not_found, rule};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn role(role: Role) -> MembershipPatch {
    MembershipPatch { role: Some(role), permissions: None }
}

impl World {
    async fn joined(&self, email: &str, role: Role) -> MemberId {
        let member = self.member(email).await;
        self.catalog.team_join(self.ours, member, role, self.ids.next(), &self.act()).await.unwrap();
        member
    }

    fn invitation(&self, email: &str, token: u8) -> NewInvitation {
        NewInvitation {
            id: self.ids.next().into(),
            email: email.into(),
            role: Role::Editor,
            token_sha256: [token; 32],
            expires_at: at("2026-01-08T00:00:00Z"),
        }
    }

    fn act_at(&self, now: Timestamp) -> Act {
        Act { at: now, ..self.act() }
    }
}

#[tokio::test]
async fn a_team_is_founded_with_its_owner_and_changed() {
    let world = World::new().await;
    let ada = world.member("ada@example.com").await;
    let id = TeamId::new(world.ids.next());

    let team = world.catalog.team_found(id, "New", "", (ada, world.ids.next()), &world.act()).await.unwrap();
    assert_eq!(world.catalog.team_member(id, ada).await.unwrap().role, Role::Owner);
    let settings = Map::from_iter([("retention_days".to_owned(), json!(30))]);
    let patch = TeamPatch { settings: Some(settings.clone()), ..TeamPatch::default() };
    let changed = world.catalog.team_update(id, &patch, &world.act()).await.unwrap();
    assert_eq!((changed.name, changed.settings), (team.name, settings));

    let nobody = world.ids.next().into();
    let other = world.ids.next().into();
    let refused = world.catalog.team_found(other, "N", "", (nobody, nobody.uuid()), &world.act()).await;
    assert_eq!(rule(refused), "fk_team_members_member_id");
}

#[tokio::test]
async fn a_member_gets_another_role_and_leaves_and_only_their_own_team_has_them() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Editor).await;
    let may = Map::from_iter([("workflows:execute".to_owned(), json!(false))]);

    catalog.team_member_update(*ours, ada, &role(Role::Admin), &world.act()).await.unwrap();
    let exceptions = MembershipPatch { role: None, permissions: Some(may.clone()) };
    let member = catalog.team_member_update(*ours, ada, &exceptions, &world.act()).await.unwrap();
    assert_eq!(member, catalog.team_member(*ours, ada).await.unwrap());
    assert_eq!((member.role, member.permissions), (Role::Admin, may));

    assert!(is_not_found(&catalog.team_member(*theirs, ada).await));
    assert!(is_not_found(&catalog.team_member_update(*theirs, ada, &role(Role::Owner), &world.act()).await));
    assert!(is_not_found(&catalog.team_leave(*theirs, ada, &world.act()).await));
    catalog.team_leave(*ours, ada, &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.team_leave(*ours, ada, &world.act()).await));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Owner).await;
    world.joined("bob@example.com", Role::Admin).await;

    assert_eq!(rule(catalog.team_leave(*ours, ada, &world.act()).await), LAST_OWNER);
    assert_eq!(
        rule(catalog.team_member_update(*ours, ada, &role(Role::Admin), &world.act()).await),
        LAST_OWNER
    );
    assert_eq!(rule(catalog.member_delete(ada).await), LAST_OWNER);
    catalog.team_member_update(*ours, ada, &role(Role::Owner), &world.act()).await.unwrap();

    world.joined("eve@example.com", Role::Owner).await;
    catalog.team_leave(*ours, ada, &world.act()).await.unwrap();
}

#[tokio::test]
async fn of_two_owners_who_leave_at_the_same_moment_one_stays() {
    for _ in 0..10 {
        let world = World::new().await;
        let World { catalog, ours, .. } = &world;
        let ada = world.joined("ada@example.com", Role::Owner).await;
        let eve = world.joined("eve@example.com", Role::Owner).await;

        let acts = [world.act(), world.act()];
        let (left, demoted) = futures::future::join(catalog.team_leave(*ours, ada, &acts[0]), async {
            catalog.team_member_update(*ours, eve, &role(Role::Viewer), &acts[1]).await.map(drop)
        })
        .await;

        let refused: Vec<String> = [left, demoted].into_iter().filter(Result::is_err).map(rule).collect();
        assert_eq!(refused, [LAST_OWNER]);
        let members = catalog.team_members(*ours, ALL).await.unwrap().items;
        assert_eq!(members.iter().filter(|member| member.role == Role::Owner).count(), 1);
    }
}

#[tokio::test]
async fn a_person_s_teams_are_known_before_any_is_and_are_their_own() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let ada = world.joined("ada@example.com", Role::Owner).await;
    let bob = world.joined("bob@example.com", Role::Viewer).await;
    catalog.team_join(*theirs, ada, Role::Viewer, ids.next(), &world.act()).await.unwrap();

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
    let invited = catalog
        .invitation_insert(*ours, &world.invitation("Bob@Example.com", 1), &world.act())
        .await
        .unwrap();

    let seen = catalog.invitation_by_token([1; 32]).await.unwrap();
    assert_eq!((seen.team_id, seen.team_name.as_str(), seen.role), (*ours, "Ours", Role::Editor));
    assert_eq!(seen, invited);
    assert_eq!(catalog.invitations_of("BOB@example.com").await.unwrap(), std::slice::from_ref(&seen));
    assert_eq!(catalog.invitation_list(*ours, ALL).await.unwrap().items, std::slice::from_ref(&seen));
    assert_eq!(catalog.invitation_list(*theirs, ALL).await.unwrap().total, 0);
    assert!(is_not_found(&catalog.invitation_by_token([2; 32]).await));

    let now = at("2026-01-02T00:00:00Z");
    let acts = [world.act_at(now), world.act_at(now)];
    let accept = |act| catalog.invitation_accept(&seen, bob, ids.next(), act);
    let (one, two) = futures::future::join(accept(&acts[0]), accept(&acts[1])).await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one, two, "both got the same place");
    assert_eq!((one.role, one.joined_at), (Role::Editor, now));
    let log = catalog.audit_list(*ours, None, 10).await.unwrap();
    assert_eq!(log.iter().filter(|told| told.entry.action == "invitation.accept").count(), 1);
    assert_eq!(catalog.invitation_by_token([1; 32]).await.unwrap().accepted_at, Some(now));
    assert_eq!(catalog.invitations_of("bob@example.com").await.unwrap(), []);

    catalog.team_leave(*ours, bob, &world.act()).await.unwrap();
    let again = catalog.invitation_accept(&seen, bob, ids.next(), &world.act_at(now)).await;
    assert!(is_not_found(&again), "who left does not come back by it");
}

#[tokio::test]
async fn an_invitation_that_is_over_replaced_or_taken_back_is_accepted_by_nobody() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let bob = world.member("bob@example.com").await;
    let (first, second) = (world.invitation("bob@example.com", 1), world.invitation("bob@example.com", 2));
    catalog.invitation_insert(*ours, &first, &world.act()).await.unwrap();
    let seen = catalog.invitation_by_token([1; 32]).await.unwrap();

    let late = catalog.invitation_accept(&seen, bob, ids.next(), &world.act_at(seen.expires_at)).await;
    assert!(is_not_found(&late));
    catalog.invitation_insert(*ours, &second, &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.invitation_by_token([1; 32]).await));
    assert_eq!(catalog.invitation_list(*ours, ALL).await.unwrap().total, 1);

    assert!(is_not_found(&catalog.invitation_delete(*theirs, second.id, &world.act()).await));
    catalog.invitation_delete(*ours, second.id, &world.act()).await.unwrap();
    let now = world.act_at(at("2026-01-02T00:00:00Z"));
    assert!(is_not_found(&catalog.invitation_accept(&seen, bob, ids.next(), &now).await));
    assert!(!format!("{first:?}").contains("[1, 1"));
}

#[tokio::test]
async fn who_is_in_the_team_is_not_invited_and_an_old_invitation_does_not_raise_them() {
    let world = World::new().await;
    let World { catalog, ours, ids, .. } = &world;
    let open = NewInvitation { role: Role::Admin, ..world.invitation("bob@example.com", 1) };
    catalog.invitation_insert(*ours, &open, &world.act()).await.unwrap();
    let bob = world.joined("bob@example.com", Role::Viewer).await;
    let refused =
        catalog.invitation_insert(*ours, &world.invitation("BOB@example.com", 2), &world.act()).await;
    assert_eq!(rule(refused), ALREADY_IN);
    let seen = catalog.invitation_by_token([1; 32]).await.unwrap();
    let now = world.act_at(at("2026-01-02T00:00:00Z"));
    assert_eq!(catalog.invitation_accept(&seen, bob, ids.next(), &now).await.unwrap().role, Role::Viewer);
}

#[tokio::test]
async fn what_somebody_is_now_decides_what_they_may_do() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let owner = world.joined("owner@example.com", Role::Owner).await;
    let admin = world.joined("admin@example.com", Role::Admin).await;
    let viewer = world.joined("viewer@example.com", Role::Viewer).await;
    let by = |member| world.act_of(member);

    for (target, next) in [(viewer, Role::Owner), (owner, Role::Viewer), (admin, Role::Owner)] {
        let refused = catalog.team_member_update(*ours, target, &role(next), &by(admin)).await;
        assert_eq!(rule(refused), OUT_OF_REACH);
    }
    assert_eq!(rule(catalog.team_leave(*ours, owner, &by(admin)).await), OUT_OF_REACH);
    assert_eq!(rule(catalog.team_leave(*ours, admin, &by(viewer)).await), OUT_OF_REACH);
    let as_owner = NewInvitation { role: Role::Owner, ..world.invitation("eve@example.com", 1) };
    assert_eq!(rule(catalog.invitation_insert(*ours, &as_owner, &by(admin)).await), OUT_OF_REACH);
    catalog.invitation_insert(*ours, &as_owner, &by(owner)).await.unwrap();
    let in_its_place = world.invitation("eve@example.com", 2);
    assert_eq!(rule(catalog.invitation_insert(*ours, &in_its_place, &by(admin)).await), OUT_OF_REACH);
    assert_eq!(rule(catalog.invitation_delete(*ours, as_owner.id, &by(admin)).await), OUT_OF_REACH);
    let log = catalog.audit_list(*ours, None, 1).await.unwrap();
    assert_eq!(log[0].entry.outcome, app::ports::Outcome::Denied);

    // Their request may have come in when they still were more.
    catalog.team_member_update(*ours, admin, &role(Role::Editor), &by(owner)).await.unwrap();
    let late = catalog.team_member_update(*ours, viewer, &role(Role::Editor), &by(admin)).await;
    assert_eq!(rule(late), OUT_OF_REACH);
    catalog.team_leave(*ours, admin, &by(admin)).await.unwrap();
    let gone = catalog.team_member_update(*ours, viewer, &role(Role::Editor), &by(admin)).await;
    assert!(is_not_found(&gone));
}

#[tokio::test]
async fn of_two_admins_who_demote_each_other_one_does() {
    for _ in 0..10 {
        let world = World::new().await;
        let World { catalog, ours, .. } = &world;
        let ada = world.joined("ada@example.com", Role::Admin).await;
        let eve = world.joined("eve@example.com", Role::Admin).await;
        let (acts, viewer) = ([world.act_of(ada), world.act_of(eve)], role(Role::Viewer));
        let (one, other) = futures::future::join(
            catalog.team_member_update(*ours, eve, &viewer, &acts[0]),
            catalog.team_member_update(*ours, ada, &viewer, &acts[1]),
        )
        .await;
        let refused: Vec<String> = [one, other].into_iter().filter(Result::is_err).map(rule).collect();
        assert_eq!(refused, [OUT_OF_REACH]);
    }
}
