//! What callers may do (TEN-04 … TEN-06): the one table that routes, documents and tests read.

use std::fmt;

use serde_json::{Map, Value};

use crate::Role;

/// Something that takes a right. Its word stands in documents, overrides and audit entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See workflows, what they are made of (experts, collections, tools), and their runs.
    WorkflowsView,
    /// Make such things.
    WorkflowsCreate,
    /// Change and publish them.
    WorkflowsEdit,
    /// Delete them.
    WorkflowsDelete,
    /// Start runs, and cancel, retry, replay, annotate and decide about them.
    WorkflowsExecute,
    /// See how much is used, and how well it goes.
    AnalyticsView,
    /// See the team, who is in it and what they did lately.
    TeamView,
    /// Change the team's name and settings.
    TeamEdit,
    /// Delete the team with all it owns.
    TeamDelete,
    /// Invite people.
    MembersInvite,
    /// Take people out.
    MembersRemove,
    /// Give people another role, or exceptions from it.
    MembersChangeRoles,
    /// See services, their segments and end users.
    ServicesView,
    /// Make and change them, and issue their keys.
    ServicesManage,
    /// Find the end user that a segment key means.
    EndUsersResolve,
    /// See which secrets there are. Nobody sees what is in them.
    SecretsView,
    /// Put, rotate and delete secrets.
    SecretsManage,
    /// Read the audit log.
    AuditView,
}

/// Whose rights are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A member in this role.
    Member(Role),
    /// A service, by its API key.
    Service,
}

/// A permission, its word, and who holds it: viewer, editor, admin, owner; service.
type Row = (Permission, &'static str, [bool; 4], bool);

const YES: bool = true;
const NO: bool = false;

const MATRIX: [Row; 18] = {
    use Permission as P;
    [
        //                                                    viewer editor admin owner   service
        (P::WorkflowsView, "workflows:view", [YES, YES, YES, YES], YES),
        (P::WorkflowsCreate, "workflows:create", [NO, YES, YES, YES], YES),
        (P::WorkflowsEdit, "workflows:edit", [NO, YES, YES, YES], YES),
        (P::WorkflowsDelete, "workflows:delete", [NO, YES, YES, YES], NO),
        (P::WorkflowsExecute, "workflows:execute", [NO, YES, YES, YES], YES),
        (P::AnalyticsView, "analytics:view", [YES, YES, YES, YES], YES),
        (P::TeamView, "team:view", [YES, YES, YES, YES], NO),
        (P::TeamEdit, "team:edit", [NO, NO, YES, YES], NO),
        (P::TeamDelete, "team:delete", [NO, NO, NO, YES], NO),
        (P::MembersInvite, "members:invite", [NO, NO, YES, YES], NO),
        (P::MembersRemove, "members:remove", [NO, NO, YES, YES], NO),
        (P::MembersChangeRoles, "members:change_roles", [NO, NO, YES, YES], NO),
        (P::ServicesView, "services:view", [YES, YES, YES, YES], NO),
        (P::ServicesManage, "services:manage", [NO, NO, YES, YES], NO),
        (P::EndUsersResolve, "end_users:resolve", [NO, NO, YES, YES], YES),
        (P::SecretsView, "secrets:view", [NO, YES, YES, YES], NO),
        (P::SecretsManage, "secrets:manage", [NO, NO, YES, YES], NO),
        (P::AuditView, "audit:view", [NO, NO, YES, YES], NO),
    ]
};

impl Permission {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        MATRIX.into_iter().map(|(permission, ..)| permission)
    }

    /// Its word, such as `workflows:edit`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The permission with this word.
    pub fn parse(word: &str) -> Option<Self> {
        MATRIX.into_iter().find(|(_, known, ..)| *known == word).map(|(permission, ..)| permission)
    }

    /// Whether `holder` has it by what they are.
    pub fn is_held_by(self, holder: Holder) -> bool {
        let (_, _, [viewer, editor, admin, owner], service) = self.row();
        match holder {
            Holder::Member(Role::Viewer) => viewer,
            Holder::Member(Role::Editor) => editor,
            Holder::Member(Role::Admin) => admin,
            Holder::Member(Role::Owner) => owner,
            Holder::Service => service,
        }
    }

    /// Whether a member in `role` may do it, after the exceptions that were made for them (TEN-06): permissions by their word, `true` for
    /// one given and `false` for one taken. No exception touches an owner, and none gives away what only owners may do.
    pub fn is_allowed(self, role: Role, exceptions: &Map<String, Value>) -> bool {
        let own = self.is_held_by(Holder::Member(role));
        if role == Role::Owner || !self.is_held_by(Holder::Member(Role::Admin)) {
            return own;
        }
        exceptions.get(self.as_str()).and_then(Value::as_bool).unwrap_or(own)
    }

    fn row(self) -> Row {
        MATRIX[self as usize]
    }
}

/// All that somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// Those of a member in `role` with these exceptions.
    pub fn of_member(role: Role, exceptions: &Map<String, Value>) -> Self {
        Self::those(|permission| permission.is_allowed(role, exceptions))
    }

    /// Those of every service.
    pub fn of_service() -> Self {
        Self::those(|permission| permission.is_held_by(Holder::Service))
    }

    /// Whether `permission` is one of them.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Those that `others` do not have.
    pub const fn beyond(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether `others` have all of them.
    pub const fn is_within(self, others: Self) -> bool {
        self.beyond(others).0 == 0
    }

    /// Each of them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.contains(*permission))
    }

    fn those(is_one: impl Fn(Permission) -> bool) -> Self {
        let bit = |permission: Permission| u32::from(is_one(permission)) << permission as u32;
        Self(Permission::all().map(bit).fold(0, |all, bit| all | bit))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLES: [Role; 4] = [Role::Viewer, Role::Editor, Role::Admin, Role::Owner];

    fn allowed(permission: Permission, role: Role, exceptions: &Value) -> bool {
        permission.is_allowed(role, exceptions.as_object().unwrap())
    }

    #[test]
    fn the_table_is_in_the_order_of_the_permissions() {
        for (place, permission) in Permission::all().enumerate() {
            assert_eq!(permission as usize, place);
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
        }
        assert_eq!(Permission::parse("workflows:fly"), None);
    }

    #[test]
    fn ten_05_a_higher_role_may_all_that_a_lower_one_may() {
        for permission in Permission::all() {
            let held = ROLES.map(|role| permission.is_held_by(Holder::Member(role)));
            assert!(held.is_sorted(), "{permission}: {held:?}");
            assert!(held[3], "an owner may {permission}");
        }
    }

    #[test]
    fn ten_05_viewers_only_read_editors_leave_people_alone_and_only_owners_delete_the_team() {
        let of =
            |role| Permission::all().filter(move |permission| permission.is_held_by(Holder::Member(role)));
        assert!(of(Role::Viewer).all(|permission| permission.as_str().ends_with(":view")));
        assert!(of(Role::Viewer).any(|permission| permission == Permission::AnalyticsView));
        assert!(of(Role::Editor).all(|permission| !permission.as_str().starts_with("members:")));
        assert!(!Permission::TeamDelete.is_held_by(Holder::Member(Role::Admin)));
    }

    #[test]
    fn ten_06_exceptions_give_and_take_but_leave_owners_and_what_is_theirs() {
        let exceptions = json!({
            "members:invite": true, "workflows:delete": false, "team:delete": true, "team:edit": "yes", "audit:view": null,
        });
        assert!(allowed(Permission::MembersInvite, Role::Editor, &exceptions));
        assert!(!allowed(Permission::WorkflowsDelete, Role::Admin, &exceptions));
        assert!(!allowed(Permission::TeamDelete, Role::Admin, &exceptions));
        assert!(allowed(Permission::WorkflowsDelete, Role::Owner, &exceptions));
        assert!(!allowed(Permission::TeamEdit, Role::Editor, &exceptions), "only true is given");
        assert!(!allowed(Permission::AuditView, Role::Viewer, &exceptions));
        assert!(allowed(Permission::WorkflowsView, Role::Viewer, &json!({})));

        let editor = Permissions::of_member(Role::Editor, exceptions.as_object().unwrap());
        assert!(editor.contains(Permission::MembersInvite) && !editor.contains(Permission::WorkflowsDelete));
        assert!(editor.iter().all(|permission| allowed(permission, Role::Editor, &exceptions)));
        assert_eq!(Permissions::of_member(Role::Owner, &Map::new()).iter().count(), MATRIX.len());
        assert!(Permissions::of_service().contains(Permission::EndUsersResolve));
    }
}
