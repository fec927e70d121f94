//! How a command ends.

use std::process::ExitCode;

use crate::terminal::Stream;

/// How a command ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked; a run succeeded.
    Succeeded,
    /// Something failed; a run failed or was cancelled.
    Failed,
    /// It was asked for wrongly: usage, a workflow or inputs that break rules.
    Refused,
    /// It was stopped from the keyboard before its run had ended.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Succeeded => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            // As of clap for wrong usage.
            Exit::Refused => Self::from(2),
            // As of shells for a process that SIGINT ended.
            Exit::Interrupted => Self::from(130),
        }
    }
}

/// Why a command could not do its work. Its text says what to do about it where we know.
#[derive(Debug)]
pub(crate) struct Trouble {
    message: String,
    exit: Exit,
}

impl Trouble {
    /// Something in the world is not as it should be.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Failed }
    }

    /// The command was given something that it can't take.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Refused }
    }

    /// Tells it on stderr, and how the command ends with it.
    pub(crate) fn report(&self) -> Exit {
        Stream::Err.line(&format!("{} {}", Stream::Err.bad("error:"), self.message));
        self.exit
    }
}

/// For `map_err`: trouble with an error and all its causes behind what was attempted.
pub(crate) fn trouble<E: std::error::Error>(doing: &str) -> impl FnOnce(E) -> Trouble {
    move |error| Trouble::new(format!("{doing}: {}", runtime::log::chain(&error)))
}
