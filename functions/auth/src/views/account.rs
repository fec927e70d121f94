//! Who somebody is (AUT-11).

use app::ports::{Account, ProfilePatch, Seat};
use domain::{FieldError, MemberId, Permission, Permissions, Role, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::check_name;

const BIO_MAX: usize = 2000;
const URL_MAX: usize = 2000;

/// A member, as they see themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    #[schema(value_type = Uuid)]
    id: MemberId,
    #[schema(example = "ada@example.com")]
    email: String,
    #[schema(example = "Ada")]
    first_name: String,
    #[schema(example = "Lovelace")]
    last_name: String,
    #[schema(example = "https://pictures.example.com/ada.png")]
    avatar_url: Option<String>,
    #[schema(example = "Counts orders.")]
    bio: String,
    /// Whether the address was proved to be theirs.
    is_email_verified: bool,
    /// Whether they can sign in by password.
    has_password: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.member_id,
            email: account.email,
            first_name: account.first_name,
            last_name: account.last_name,
            avatar_url: account.avatar_url,
            bio: account.bio,
            is_email_verified: account.email_verified_at.is_some(),
            has_password: account.password_hash.is_some(),
            last_login_at: account.last_login_at,
            created_on: account.created_on,
        }
    }
}

/// A member, as they see themselves, with their teams.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub(crate) struct MeView {
    #[serde(flatten)]
    account: AccountView,
    /// The one that they joined first ahead.
    teams: Vec<SeatView>,
}

impl MeView {
    pub(crate) fn new(account: Account, seats: Vec<Seat>) -> Self {
        Self { account: account.into(), teams: seats.into_iter().map(SeatView::from).collect() }
    }
}

/// A member's place in a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Seat)]
struct SeatView {
    #[schema(value_type = Uuid)]
    id: TeamId,
    #[schema(example = "Bakery")]
    name: String,
    #[schema(value_type = String, example = "editor")]
    role: Role,
    /// What they may do there, exceptions included.
    #[schema(example = json!(["workflows:view"]))]
    permissions: Vec<&'static str>,
}

impl From<Seat> for SeatView {
    fn from(Seat { team_id, team_name, role, permissions }: Seat) -> Self {
        let permissions = Permissions::of_member(role, &permissions).iter().map(Permission::as_str).collect();
        Self { id: team_id, name: team_name, role, permissions }
    }
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateAccount {
    #[schema(max_length = 100, example = "Ada")]
    first_name: Option<String>,
    #[schema(max_length = 100)]
    last_name: Option<String>,
    /// An `https` address; an empty text takes the picture away.
    #[schema(max_length = 2000)]
    avatar_url: Option<String>,
    #[schema(max_length = 2000, example = "Counts orders.")]
    bio: Option<String>,
}

impl UpdateAccount {
    /// The change that is meant, or every mistake.
    pub(crate) fn check(self) -> Result<ProfilePatch, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        for (pointer, name) in [("/first_name", &self.first_name), ("/last_name", &self.last_name)] {
            check_name(pointer, name.as_deref().unwrap_or_default(), &mut mistakes);
        }
        let avatar = self.avatar_url.as_deref().unwrap_or_default();
        if !avatar.is_empty() && !is_picture(avatar) {
            mistakes.push(FieldError::new(
                "/avatar_url",
                "invalid_url",
                "An https address of at most 2000 characters.",
            ));
        }
        if self.bio.as_deref().unwrap_or_default().chars().count() > BIO_MAX {
            mistakes.push(FieldError::new("/bio", "too_long", format!("At most {BIO_MAX} characters.")));
        }
        let Self { first_name, last_name, avatar_url, bio } = self;
        if mistakes.is_empty() {
            Ok(ProfilePatch { first_name, last_name, avatar_url, bio })
        } else {
            Err(mistakes)
        }
    }
}

/// Pages show it: nothing but a picture somewhere else, and no credential with it.
fn is_picture(text: &str) -> bool {
    let is_plain =
        |url: Url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    text.len() <= URL_MAX && Url::parse(text).is_ok_and(is_plain)
}
