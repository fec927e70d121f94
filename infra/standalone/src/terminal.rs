//! Lines for people and programs. Colours only where a terminal shows them and `NO_COLOR` doesn't forbid them.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use console::{StyledObject, style};

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// What was asked for.
    Out,
    /// What happens on the way.
    Err,
}

impl Stream {
    /// Writes a line. Whoever closed the stream early, as `head` does, wants no more, so that is no error.
    pub(crate) fn line(self, line: &str) {
        let _ = match self {
            Self::Out => writeln!(io::stdout().lock(), "{line}"),
            Self::Err => writeln!(io::stderr().lock(), "{line}"),
        };
    }

    /// Something that failed.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.style(text).red().bold().to_string()
    }

    /// Something to look at.
    pub(crate) fn odd(self, text: impl Display) -> String {
        self.style(text).yellow().bold().to_string()
    }

    /// Something that went well.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.style(text).green().bold().to_string()
    }

    /// Something that matters less.
    pub(crate) fn faint(self, text: impl Display) -> String {
        self.style(text).dim().to_string()
    }

    fn style<T>(self, text: T) -> StyledObject<T> {
        match self {
            Self::Out => style(text).for_stdout(),
            Self::Err => style(text).for_stderr(),
        }
    }
}
