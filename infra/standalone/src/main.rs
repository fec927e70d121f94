//! `heddle`: all of Heddle as one process over Postgres, and the commands around it.
//!
//! Here the ports of `app` meet the adapters of `embedded` and the routers of the functions; nothing is decided here that they
//! don't decide. What a command promises stands in [`cli`], which is also its help.

mod cli;
mod commands;
mod exit;
mod file;
mod findings;
mod inputs;
mod run;
mod secrets;
mod serve;
mod stores;
mod terminal;
mod workers;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let exit = commands::execute(cli::Cli::parse().command).unwrap_or_else(|trouble| trouble.report());
    exit.into()
}
