//! Teams.

use app::ports::Seat;
use catalog::{Team, TeamPatch};
use domain::{FieldError, Permission, Permissions, Role, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{RoleDoc, settings};

const NAME_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 10_000;

/// A team.
#[derive(Serialize, ToSchema)]
#[schema(as = Team)]
pub(crate) struct TeamView {
    #[schema(value_type = Uuid)]
    id: TeamId,
    #[schema(example = "Bakery")]
    name: String,
    #[schema(example = "Bread, cakes and their orders.")]
    description: String,
    /// `max_running_runs`, `max_running_steps` and `retention_days` are Heddle's; what else stands there is the team's own.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl From<Team> for TeamView {
    fn from(Team { id, name, description, settings, created_on, updated_on }: Team) -> Self {
        Self { id, name, description, settings, created_on, updated_on }
    }
}

/// A team that somebody is in, and as what.
#[derive(Serialize, ToSchema)]
#[schema(as = Seat)]
pub(crate) struct SeatView {
    #[schema(value_type = Uuid)]
    id: TeamId,
    #[schema(example = "Bakery")]
    name: String,
    #[schema(value_type = RoleDoc)]
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

/// A team to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTeam {
    /// One line of 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Looms")]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 10_000, example = "Bread, cakes and their orders.")]
    description: String,
}

impl CreateTeam {
    /// Name and description, or every mistake.
    pub(crate) fn check(self) -> Result<(String, String), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_words(Some(&self.name), Some(&self.description), &mut mistakes);
        if mistakes.is_empty() { Ok((self.name, self.description)) } else { Err(mistakes) }
    }
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTeam {
    /// One line of 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Bakery and café")]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// All of them. `max_running_runs` and `max_running_steps` take 1 to 1000, `retention_days` 1 to 65535; null means none.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl UpdateTeam {
    /// The change that is meant, or every mistake.
    pub(crate) fn check(self) -> Result<TeamPatch, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_words(self.name.as_deref(), self.description.as_deref(), &mut mistakes);
        if let Some(settings) = &self.settings {
            settings::check(settings, &mut mistakes);
        }
        let Self { name, description, settings } = self;
        if mistakes.is_empty() { Ok(TeamPatch { name, description, settings }) } else { Err(mistakes) }
    }
}

fn check_words(name: Option<&str>, description: Option<&str>, mistakes: &mut Vec<FieldError>) {
    if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > NAME_MAX) {
        mistakes.push(FieldError::new("/name", "length", "A name has 1 to 200 characters."));
    }
    // It stands in mails.
    if name.is_some_and(|name| name.chars().any(char::is_control)) {
        mistakes.push(FieldError::new(
            "/name",
            "not_one_line",
            "A name has no line breaks and no control characters.",
        ));
    }
    if description.is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
        mistakes.push(FieldError::new(
            "/description",
            "length",
            "A description has at most 10,000 characters.",
        ));
    }
}
