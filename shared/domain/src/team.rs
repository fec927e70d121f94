//! Who may act: roles of members, environments of services.

use serde::{Deserialize, Serialize};

/// A member's role in a team, weakest first, so that `role >= Role::Editor` reads as it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything of the team, changes nothing.
    Viewer,
    /// Creates, edits and runs workflows. Briefs 1 and 3 call it `member`.
    #[serde(alias = "member")]
    Editor,
    /// Manages members and settings too.
    Admin,
    /// May delete the team.
    Owner,
}

/// Where a service calls from. Each environment has its own API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Development.
    Dev,
    /// Staging.
    Stage,
    /// Production.
    Prod,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_is_read_as_editor() {
        assert_eq!(serde_json::from_str::<Role>("\"member\"").unwrap(), Role::Editor);
        assert!(Role::Owner > Role::Admin && Role::Editor > Role::Viewer);
    }
}
