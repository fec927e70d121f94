//! The command line.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, builder::PossibleValuesParser};
use serde::Serialize;
use url::Url;

use crate::{
    bounds::Set,
    failure::Failure,
    system::api::WAIT_S,
    workloads::{self, Workload},
};

/// Measures a Heddle, running or in this process, and checks every answer.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// Base URL of the API, without `/api/v1`.
    #[arg(long, requires = "key_file", required_unless_present = "in_memory")]
    pub(crate) url: Option<Url>,
    /// File with the API key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Measures Heddle's own loop in this process, with store and queue in memory.
    #[arg(long, conflicts_with = "url")]
    pub(crate) in_memory: bool,
    /// What to run; all if left out.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(workloads::names()))]
    workload: Vec<String>,
    /// How many clients at a time, one measurement each.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1, 16], value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) clients: Vec<u16>,
    /// How long one measurement takes.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Ends a measurement after this many runs, if that comes sooner.
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<u64>,
    /// Seconds of load before each measurement, checked but not counted.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    warm_up: u64,
    #[command(flatten)]
    pub(crate) processes: Processes,
    /// URL that tells what requests functions have made (`infra/local/stack/bench_emulator.py`).
    #[arg(long, value_name = "URL")]
    pub(crate) meter: Option<Url>,
    /// Table of prices; with it and a meter, what a million steps cost is told.
    #[arg(long, value_name = "FILE", requires = "meter")]
    pub(crate) prices: Option<PathBuf>,
    /// Where the driver's own server listens, which workflows call.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) target: SocketAddr,
    /// Writes what was measured.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Something to remember in the JSON about what was measured, such as `fsync=on`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = fact)]
    pub(crate) fact: Vec<(String, String)>,
    /// Compares with these bounds; one that is not met makes the exit status 1.
    #[arg(long, value_name = "BOUNDS", value_enum)]
    pub(crate) check: Option<Set>,
}

/// Whose work is measured.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Processes {
    /// The process that serves the API; its CPU is measured, children included.
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// The postmaster of its Postgres; its CPU is measured, backends included.
    #[arg(long, value_name = "PID")]
    pub(crate) postgres_pid: Option<u32>,
    /// The emulated AWS; its CPU is measured, and apart from it that of the functions that it runs.
    #[arg(long, value_name = "PID", conflicts_with = "pid")]
    pub(crate) emulator_pid: Option<u32>,
}

/// How it was measured, for the JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    seconds: u64,
    runs: Option<u64>,
    warm_up_seconds: u64,
    wait_seconds: u64,
}

impl Options {
    /// The API key.
    pub(crate) fn key(&self) -> Result<String, Failure> {
        let Some(path) = &self.key_file else { return Ok(String::new()) };
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        Ok(text.trim().to_owned())
    }

    /// What to run, in the order of the catalogue.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = &'static Workload> {
        let wanted = |workload: &&Workload| {
            self.workload.is_empty() || self.workload.iter().any(|name| name == workload.name)
        };
        workloads::ALL.iter().filter(wanted)
    }

    /// How long one measurement takes.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// How long there is load before one.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up)
    }

    /// What the JSON says of all this.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            seconds: self.seconds,
            runs: self.runs,
            warm_up_seconds: self.warm_up,
            wait_seconds: WAIT_S,
        }
    }
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a fact is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn it_names_one_heddle_or_brings_its_own() {
        let parses = |arguments: &[&str]| Options::try_parse_from([&["load"], arguments].concat()).is_ok();
        assert!(parses(&["--in-memory"]));
        assert!(parses(&["--url", "http://127.0.0.1:4500", "--key-file", "key"]));
        assert!(!parses(&[]));
        assert!(!parses(&["--url", "http://127.0.0.1:4500"]));
        assert!(!parses(&["--in-memory", "--url", "http://127.0.0.1:4500", "--key-file", "key"]));
    }

    #[test]
    fn a_fact_has_a_name_and_a_value() {
        assert_eq!(fact("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(fact("a").is_err());
    }
}
