//! Names that every store takes as they are.

use std::fmt;

use domain::RunId;

/// A name of 1 to 64 ASCII letters, digits, `.`, `_` and `-` that begins with a letter or digit: at once a file's name, a schedule's and
/// a secret's, without anything to escape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to 64 letters, digits, dots, underscores and hyphens, and begins with a letter or digit"
)]
pub struct InvalidName;

impl Name {
    /// The longest name, in bytes. EventBridge Scheduler sets it.
    const MAX: usize = 64;

    /// The name, if the text is one.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
        if begins_well && text.len() <= Self::MAX && text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// A name for something of an entity: `<word>-<id>`. The word is short and plain.
    pub(crate) fn from_id(word: &'static str, id: RunId) -> Self {
        Self(format!("{word}-{id}"))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["a", "master-key", "run_1.wait", "7", &"x".repeat(64)] {
            assert_eq!(Name::parse(good).as_ref().map(Name::as_str), Ok(good));
        }
        for bad in ["", ".", "..", ".hidden", "-x", "a/b", "a b", "ä", "a\0", &"x".repeat(65)] {
            assert_eq!(Name::parse(bad), Err(InvalidName), "{bad:?}");
        }
    }
}
