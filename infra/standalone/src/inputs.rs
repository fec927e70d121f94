//! The inputs of a run as the command line names them.

use std::{fs, io};

use serde_json::Value;

use crate::exit::Trouble;

/// Reads `--inputs`: JSON, `@FILE`, or `-` for stdin.
pub(crate) fn read(argument: &str) -> Result<Value, Trouble> {
    let (text, from) = match argument.strip_prefix('@') {
        Some(path) => (fs::read_to_string(path), path),
        None if argument == "-" => (io::read_to_string(io::stdin().lock()), "stdin"),
        None => (Ok(argument.to_owned()), "--inputs"),
    };
    let text =
        text.map_err(|error| Trouble::usage(format!("the inputs can't be read from {from}: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(inputs @ Value::Object(_)) => Ok(inputs),
        Ok(_) => Err(Trouble::usage(format!("the inputs in {from} are no JSON object"))),
        Err(error) => Err(Trouble::usage(format!("the inputs in {from} are no JSON: {error}"))),
    }
}
