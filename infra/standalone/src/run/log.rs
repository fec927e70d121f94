//! What workers log, as far as a person at a terminal should see it: warnings and errors, on stderr.

use serde_json::Value;

use crate::{
    exit::{Trouble, trouble},
    terminal::Stream,
};

/// Metrics are for the logs of a service.
const DEFAULT_LEVEL: &str = "warn,metrics=off";

/// Prints warnings from now on, or what `LOG_LEVEL` says.
pub(crate) fn warnings() -> Result<(), Trouble> {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| DEFAULT_LEVEL.to_owned());
    let doing = "logs can't be set up";
    let subscriber = runtime::log::subscriber("heddle", &level, |line| Stream::Err.line(&readable(line)));
    tracing::subscriber::set_global_default(subscriber.map_err(trouble(doing))?).map_err(trouble(doing))
}

/// A line of the log as a sentence.
fn readable(line: &str) -> String {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return line.trim_end().to_owned() };
    let text = |field: &str| line[field].as_str().unwrap_or_default();
    let cause = match text("error") {
        "" => String::new(),
        error => format!(": {error}"),
    };
    format!("{}: {}{cause}", Stream::Err.odd(text("level").to_lowercase()), text("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_read_as_a_sentence() {
        let line =
            r#"{"level":"WARN","message":"no messages can be received","error":"the pool is closed","n":1}"#;
        let line = readable(&format!("{line}\n"));
        assert_eq!(console::strip_ansi_codes(&line), "warn: no messages can be received: the pool is closed");
        assert_eq!(console::strip_ansi_codes(&readable("text\n")), "text");
    }
}
