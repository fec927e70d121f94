//! Who may change whose place in a team (TEN-04 … TEN-06, TEN-09).

use serde_json::{Map, Value};

use crate::{Permission, Permissions, Role};

/// What somebody is in a team: their role, and in what they are an exception from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Their role.
    pub role: Role,
    /// Permissions by their word, `true` for one given and `false` for one taken.
    pub exceptions: Map<String, Value>,
}

impl Standing {
    /// Of somebody with a role and no exceptions.
    pub fn plain(role: Role) -> Self {
        Self { role, exceptions: Map::new() }
    }

    /// What they may do.
    pub fn permissions(&self) -> Permissions {
        Permissions::of_member(self.role, &self.exceptions)
    }

    /// Whether they may make `next` of somebody who is `present`: nobody above them is touched, nobody is put above them, and nothing is
    /// given that they don't have.
    pub fn may_regrade(&self, present: &Self, next: &Self) -> bool {
        let mine = self.permissions();
        let given = next.permissions().beyond(present.permissions());
        mine.contains(Permission::MembersChangeRoles)
            && present.role <= self.role
            && next.role <= self.role
            && given.is_within(mine)
    }

    /// Whether they may take somebody else out of the team.
    pub fn may_remove(&self, other: Role) -> bool {
        self.permissions().contains(Permission::MembersRemove) && other <= self.role
    }

    /// Whether they may ask somebody in as `role`.
    pub fn may_invite(&self, role: Role) -> bool {
        let mine = self.permissions();
        mine.contains(Permission::MembersInvite)
            && role <= self.role
            && Self::plain(role).permissions().is_within(mine)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLES: [Role; 4] = [Role::Viewer, Role::Editor, Role::Admin, Role::Owner];

    fn with(role: Role, exceptions: &Value) -> Standing {
        Standing { role, exceptions: exceptions.as_object().unwrap().clone() }
    }

    #[test]
    fn nobody_gives_a_role_above_their_own_or_touches_somebody_above_them() {
        for mine in ROLES {
            let me = Standing::plain(mine);
            for present in ROLES {
                assert_eq!(me.may_remove(present), mine >= Role::Admin && present <= mine);
                assert_eq!(me.may_invite(present), mine >= Role::Admin && present <= mine);
                for next in ROLES {
                    let may = me.may_regrade(&Standing::plain(present), &Standing::plain(next));
                    assert_eq!(
                        may,
                        mine >= Role::Admin && present.max(next) <= mine,
                        "{mine:?} {present:?} {next:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nobody_gives_what_they_do_not_have_and_anybody_keeps_what_they_had() {
        let admin = with(Role::Admin, &json!({"secrets:manage": false}));
        let viewer = Standing::plain(Role::Viewer);
        let given = |word: &str| with(Role::Viewer, &json!({word: true}));
        assert!(admin.may_regrade(&viewer, &given("workflows:edit")));
        assert!(!admin.may_regrade(&viewer, &given("secrets:manage")));
        assert!(!admin.may_regrade(&viewer, &Standing::plain(Role::Admin)), "which has it");
        assert!(!admin.may_regrade(&admin, &Standing::plain(Role::Admin)), "themselves included");
        assert!(!admin.may_invite(Role::Admin) && admin.may_invite(Role::Editor));
        let other = with(Role::Viewer, &json!({"secrets:manage": true}));
        let more = with(Role::Viewer, &json!({"secrets:manage": true, "workflows:edit": true}));
        assert!(admin.may_regrade(&other, &more) && admin.may_regrade(&other, &viewer));
    }

    #[test]
    fn exceptions_let_others_do_it_within_their_own_reach() {
        let editor = with(
            Role::Editor,
            &json!({"members:invite": true, "members:remove": true, "members:change_roles": true}),
        );
        assert!(editor.may_invite(Role::Editor) && !editor.may_invite(Role::Admin));
        assert!(editor.may_remove(Role::Editor) && !editor.may_remove(Role::Admin));
        assert!(editor.may_regrade(&Standing::plain(Role::Viewer), &Standing::plain(Role::Editor)));
        let admin = with(Role::Admin, &json!({"members:remove": false}));
        assert!(!admin.may_remove(Role::Viewer));
    }
}
