//! The command line.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, builder::PossibleValuesParser};
use serde::Serialize;
use url::Url;

use crate::{
    client::Failure,
    workloads::{self, Workload},
};

/// Measures a running Heddle and checks every answer.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// Base URL of the API, without `/api/v1`.
    #[arg(long)]
    pub(crate) url: Url,
    /// File with the API key.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
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
    /// The process that serves the API; its CPU is measured, children included.
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// The postmaster of its Postgres; its CPU is measured, backends included.
    #[arg(long, value_name = "PID")]
    pub(crate) postgres_pid: Option<u32>,
    /// Where the driver's own server listens, which workflows call.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) target: SocketAddr,
    /// Writes what was measured.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Something to remember in the JSON about what was measured, such as `fsync=on`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = fact)]
    pub(crate) fact: Vec<(String, String)>,
    /// Compares with the bounds; one that is not met makes the exit status 1.
    #[arg(long)]
    pub(crate) check: bool,
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
        let text =
            fs::read_to_string(&self.key_file).map_err(|error| Failure::file(&self.key_file, error))?;
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
            wait_seconds: crate::drive::WAIT_S,
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
    fn a_fact_has_a_name_and_a_value() {
        assert_eq!(fact("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(fact("a").is_err());
    }
}
