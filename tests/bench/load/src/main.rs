//! Measures a Heddle: a running one (`load --url URL --key-file FILE --pid HEDDLE --postgres-pid POSTGRES`), or its own loop in this process
//! (`load --in-memory`). `--help` lists the rest.
//!
//! Closed loop: each client starts a run, waits for its end (`Prefer: wait=10`) and starts the next one. Every result is compared with the one
//! that the driver computes by itself; the first wrong or unfinished one ends the measurement with an error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bounds;
mod cpu;
mod drive;
mod failure;
mod machine;
mod options;
mod peak;
mod prices;
mod report;
mod spent;
mod stats;
mod system;
mod target;
mod workloads;

use std::{fs, process::ExitCode};

use clap::Parser as _;
use url::Url;

use crate::{
    bounds::Bound,
    drive::{Driver, Measured},
    failure::Failure,
    machine::Machine,
    options::Options,
    prices::{Price, Prices},
    report::Report,
    system::{
        api::Served,
        memory::{Answers, Memory},
    },
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

/// Measures and reports; whether the bounds hold, where they were asked for.
async fn run(options: &Options) -> Result<bool, Failure> {
    let table = options.prices.as_deref().map(Prices::read).transpose()?;
    let measured = measure(options).await?;
    let prices = priced(table.as_ref(), &measured)?;
    let bounds = options.check.map(|set| Bound::all(set, &measured)).unwrap_or_default();
    print!("\n{}{}", report::table(&measured), report::requests(&measured));
    if let Some(table) = &table {
        print!("{}", report::prices(table, &prices));
    }
    print!("{}", report::verdict(&bounds));
    if let Some(path) = &options.json {
        let report = Report {
            machine: Machine::read(),
            facts: options.fact.iter().cloned().collect(),
            settings: options.settings(),
            measured: &measured,
            prices: table.as_ref(),
            price_per_million_steps: &prices,
            bounds: &bounds,
        };
        fs::write(path, report.to_json()).map_err(|error| Failure::file(path, error))?;
    }
    Ok(!bounds.iter().any(Bound::is_broken))
}

async fn measure(options: &Options) -> Result<Vec<Measured>, Failure> {
    let target = Target::start(options.target).await?;
    match &options.url {
        Some(url) => measure_served(url, &target, options).await,
        None => measure_memory(&target, options).await,
    }
}

async fn measure_served(url: &Url, target: &Target, options: &Options) -> Result<Vec<Measured>, Failure> {
    let served = Served::new(url, &options.key()?, options.processes, options.meter.as_ref())?;
    let on = if options.meter.is_some() { "stack" } else { "heddle" };
    let driver = Driver::new(on, served, &target.url, options);
    let mut measured = Vec::new();
    for workload in options.workloads() {
        measured.extend(driver.measure(workload).await?);
    }
    Ok(measured)
}

/// What has effects is measured twice: with requests that are really sent, and with answers at once.
async fn measure_memory(target: &Target, options: &Options) -> Result<Vec<Measured>, Failure> {
    let mut measured = Vec::new();
    for (on, answers) in [("memory", Answers::Server), ("memory, at once", Answers::AtOnce)] {
        let driver = Driver::new(on, Memory::start(answers)?, &target.url, options);
        let sends_requests = answers == Answers::Server;
        for workload in options.workloads().filter(|workload| sends_requests || workload.effects > 0) {
            measured.extend(driver.measure(workload).await?);
        }
    }
    Ok(measured)
}

fn priced(table: Option<&Prices>, measured: &[Measured]) -> Result<Vec<Price>, Failure> {
    let Some(table) = table else { return Ok(Vec::new()) };
    measured.iter().map(|row| table.of(row)).collect()
}
