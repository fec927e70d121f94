//! Members of a team.

use catalog::{Membership, MembershipPatch};
use domain::{FieldError, Holder, MemberId, Permission, Permissions, Role, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::RoleDoc;

/// A person's place in a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberView {
    #[schema(value_type = Uuid)]
    member_id: MemberId,
    #[schema(example = "Ada")]
    first_name: String,
    #[schema(example = "Lovelace")]
    last_name: String,
    #[schema(example = "ada@example.com")]
    email: String,
    #[schema(value_type = RoleDoc)]
    role: Role,
    /// In what they are an exception from their role: permissions that were given or taken.
    #[schema(value_type = Object)]
    exceptions: Map<String, Value>,
    /// What they may do, all in all.
    #[schema(example = json!(["workflows:view"]))]
    permissions: Vec<&'static str>,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
}

impl From<Membership> for MemberView {
    fn from(place: Membership) -> Self {
        let permissions = Permissions::of_member(place.role, &place.permissions);
        Self {
            member_id: place.member_id,
            first_name: place.first_name,
            last_name: place.last_name,
            email: place.email,
            role: place.role,
            exceptions: place.permissions,
            permissions: permissions.iter().map(Permission::as_str).collect(),
            joined_at: place.joined_at,
        }
    }
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMember {
    #[schema(value_type = Option<RoleDoc>)]
    role: Option<Role>,
    /// All of their exceptions: permissions by their word, `true` for one given and `false` for one taken.
    #[schema(value_type = Option<Object>)]
    exceptions: Option<Map<String, Value>>,
}

impl UpdateMember {
    /// The change that is meant, or every mistake.
    pub(crate) fn check(self) -> Result<MembershipPatch, Vec<FieldError>> {
        let wrong = self.exceptions.iter().flatten().filter_map(|(word, is_given)| misfit(word, is_given));
        let mistakes: Vec<FieldError> = wrong.take(20).collect();
        if mistakes.is_empty() {
            Ok(MembershipPatch { role: self.role, permissions: self.exceptions })
        } else {
            Err(mistakes)
        }
    }
}

fn misfit(word: &str, is_given: &Value) -> Option<FieldError> {
    let (code, detail) = match Permission::parse(word) {
        None => ("unknown_permission", "There is no such permission."),
        Some(permission) if !permission.is_held_by(Holder::Member(Role::Admin)) => {
            ("owners_only", "Only owners may do this: it can't be given or taken.")
        }
        Some(_) if !is_given.is_boolean() => ("invalid_type", "True to give it, false to take it."),
        Some(_) => return None,
    };
    let pointer = format!("/exceptions/{}", word.replace('~', "~0").replace('/', "~1"));
    Some(FieldError::new(&pointer, code, detail))
}
