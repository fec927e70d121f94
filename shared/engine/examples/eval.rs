//! Tries JSONata expressions.
//!
//! ```text
//! eval [--engine jsonata-rs] EXPR [JSON]      prints the value of an expression
//! eval [--engine jsonata-rs] --jsonl          reads {"expr": …, "input": …, "bindings": {…}} lines, and prints for each
//!                                             {"value": …}, {"undefined": true} or {"error": {"code": …, "message": …}}
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    io::{self, BufRead as _, Write as _},
    process::ExitCode,
};

use engine::expr::{Engine, Entropy, Expr, ExprError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Line {
    expr: String,
    /// Left out, the expression has no input; null is an input.
    #[serde(default, deserialize_with = "present")]
    input: Option<Value>,
    #[serde(default)]
    bindings: Map<String, Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut engine, mut jsonl, mut rest) = (Engine::default(), false, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--jsonl" => jsonl = true,
            "--engine" => engine = engine_named(&args.next().unwrap_or_default())?,
            _ => rest.push(arg),
        }
    }
    match rest.as_slice() {
        [] if jsonl => serve(engine).map_err(|error| error.to_string()),
        [expr] if !jsonl => print(engine, expr, None),
        [expr, input] if !jsonl => print(engine, expr, Some(input)),
        _ => Err("usage: eval [--engine NAME] EXPR [JSON] | eval [--engine NAME] --jsonl".to_owned()),
    }
}

fn engine_named(name: &str) -> Result<Engine, String> {
    match name {
        "jsonata-core" => Ok(Engine::JsonataCore),
        #[cfg(feature = "jsonata-rs")]
        "jsonata-rs" => Ok(Engine::JsonataRs),
        #[cfg(not(feature = "jsonata-rs"))]
        "jsonata-rs" => Err("build with `--features jsonata-rs` to choose that engine".to_owned()),
        other => Err(format!("no engine is called {other:?}")),
    }
}

fn print(engine: Engine, expr: &str, input: Option<&String>) -> Result<(), String> {
    let input = input
        .map(|text| serde_json::from_str(text))
        .transpose()
        .map_err(|error| format!("input: {error}"))?;
    match evaluate(engine, &Line { expr: expr.to_owned(), input, bindings: Map::new() }) {
        Ok(Some(value)) => println!("{value:#}"),
        Ok(None) => println!("undefined"),
        Err(error) => {
            let place = error.offset.map(|offset| format!(" (at character {offset})")).unwrap_or_default();
            return Err(format!("{error}{place}"));
        }
    }
    Ok(())
}

fn serve(engine: Engine) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Line>(&line) {
            Ok(line) => answer(evaluate(engine, &line)),
            Err(error) => json!({"error": {"code": "bad_line", "message": error.to_string()}}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(outcome: Result<Option<Value>, ExprError>) -> Value {
    match outcome {
        Ok(Some(value)) => json!({ "value": value }),
        Ok(None) => json!({"undefined": true}),
        Err(error) => {
            json!({"error": {"code": error.code, "message": error.message, "offset": error.offset}})
        }
    }
}

fn evaluate(engine: Engine, line: &Line) -> Result<Option<Value>, ExprError> {
    let now = chrono::DateTime::from(std::time::SystemTime::now());
    let nanos = now.timestamp_nanos_opt().unwrap_or_default().to_le_bytes();
    let mut seed = [0; 32];
    seed[..nanos.len()].copy_from_slice(&nanos);
    Expr::parse_with(engine, &line.expr)?.evaluate_data(
        line.input.as_ref(),
        &line.bindings,
        &Entropy { now, seed },
    )
}
