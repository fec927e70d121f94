//! `heddle completions`

use clap::CommandFactory as _;

use crate::{
    cli::{Cli, Completions},
    exit::Exit,
    terminal::Stream,
};

/// Prints the script.
pub(crate) fn execute(args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "heddle", &mut script);
    Stream::Out.line(String::from_utf8_lossy(&script).trim_end());
    Exit::Succeeded
}
