//! Measures a running Heddle: `load --url URL --key-file FILE --pid HEDDLE --postgres-pid POSTGRES` (`--help` lists the rest).
//!
//! Closed loop: each client starts a run with `Prefer: wait=10` and starts the next one when it has the answer. Every answer's result is
//! compared with the one that the driver computes by itself; the first wrong or unfinished one ends the measurement with an error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bounds;
mod client;
mod cpu;
mod drive;
mod machine;
mod options;
mod report;
mod stats;
mod target;
mod workloads;

use std::{fs, process::ExitCode};

use clap::Parser as _;

use crate::{
    bounds::Bound,
    client::{Api, Failure},
    drive::{Driver, Measured},
    machine::Machine,
    options::Options,
    report::Report,
    target::Target,
};

// One thread: on a small machine every further one would take time from what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}

/// Measures and reports; whether the bounds are met, where they were asked for.
async fn run(options: &Options) -> Result<bool, Failure> {
    let measured = measure(options).await?;
    let bounds = if options.check { Bound::all(&measured) } else { Vec::new() };
    print!("\n{}", report::table(&measured));
    print!("{}", report::verdict(&bounds));
    if let Some(path) = &options.json {
        let report = Report {
            machine: Machine::read(),
            facts: options.fact.iter().cloned().collect(),
            settings: options.settings(),
            measured: &measured,
            bounds: &bounds,
        };
        fs::write(path, report.to_json()).map_err(|error| Failure::file(path, error))?;
    }
    Ok(bounds.iter().all(Bound::is_met))
}

async fn measure(options: &Options) -> Result<Vec<Measured>, Failure> {
    let api = Api::new(&options.url, &options.key()?)?;
    let target = Target::start(options.target).await?;
    let driver = Driver::new(api, &target, options);
    let mut measured = Vec::new();
    for workload in options.workloads() {
        let workflow = driver.publish(workload).await?;
        for &clients in &options.clients {
            eprintln!("{} with {clients} client(s) …", workload.name);
            measured.push(driver.measure(workload, &workflow, clients).await?);
        }
    }
    Ok(measured)
}
