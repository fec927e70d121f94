//! Telling what happens in a run: to people, on a terminal with a line that shows what is under way, or to programs.

use std::time::Duration;

use console::Term;
use domain::Failure;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    event::{Accepted, Ended, Event, Step},
    story::Story,
};
use crate::terminal::Stream;

/// Where people are told.
const ERR: Stream = Stream::Err;

/// Steps that took less are told without their time: they were evaluated in passing.
const NOTICEABLE_MS: u64 = 1;

/// What the line below the others shows.
const LIVE_LINE: &str = "{spinner} {pos} of {len} steps, {elapsed} {wide_msg}";

/// Whom to tell.
pub(crate) enum Report {
    /// Programs: every event as JSON, one a line, on stdout.
    Json,
    /// People: lines on stderr and the result on stdout.
    People(Page),
}

/// What people see.
pub(crate) struct Page {
    /// Characters of the longest node key.
    width: usize,
    /// The line below the others, where stderr is a terminal.
    live: Option<ProgressBar>,
}

impl Report {
    /// A report on a run of `nodes`, by their keys.
    pub(crate) fn new<'a>(json: bool, nodes: impl ExactSizeIterator<Item = &'a str>) -> Self {
        if json {
            return Self::Json;
        }
        let live = Term::stderr().is_term().then(|| live_line(nodes.len()));
        Self::People(Page { width: nodes.map(str::len).max().unwrap_or_default(), live })
    }

    /// Tells an event.
    pub(crate) fn tell(&self, event: &Event) {
        match self {
            // Plain data: writing it can't fail.
            Self::Json => Stream::Out.line(&serde_json::to_string(event).unwrap_or_default()),
            Self::People(page) => page.tell(event),
        }
    }

    /// Shows how far the run is, where that can be shown.
    pub(crate) fn show(&self, story: &Story) {
        if let Self::People(Page { live: Some(live), .. }) = self {
            live.set_position(story.settled() as u64);
            let running = story.running().map(|(node, attempt)| match attempt {
                1 => node.to_string(),
                more => format!("{node} (attempt {more})"),
            });
            live.set_message(running.collect::<Vec<_>>().join(", "));
        }
    }

    /// Says something that is not an event of the run.
    pub(crate) fn remark(&self, text: &str) {
        match self {
            Self::Json => ERR.line(text),
            Self::People(page) => page.line(text),
        }
    }

    /// Takes the live line away: what is told now stays.
    pub(crate) fn close(&self) {
        if let Self::People(Page { live: Some(live), .. }) = self {
            live.finish_and_clear();
        }
    }
}

fn live_line(nodes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(LIVE_LINE);
    let live =
        ProgressBar::new(nodes as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    live.enable_steady_tick(Duration::from_millis(100));
    live
}

impl Page {
    fn tell(&self, event: &Event) {
        match event {
            Event::RunAccepted(run) => self.head(run, ""),
            Event::RunResumed(run) => self.head(run, " goes on"),
            // What was under way is shown below, and a failed or cancelled end tells the rest.
            Event::StepStarted { .. } | Event::StepCancelled { .. } => {}
            Event::StepWaiting { node, until, .. } => {
                let end = until.map(|until| format!(", until {until} at the latest")).unwrap_or_default();
                self.line(&ERR.faint(format!("  … {node} waits{end}")));
            }
            Event::StepSucceeded(step) => {
                let mark = if step.error.is_some() { ERR.odd("!") } else { ERR.good("✓") };
                self.step(&mark, step, &step.error.as_ref().map(default_taken).unwrap_or_default());
            }
            Event::StepRetrying(step) => {
                let pause = step.retry_on.map(|then| (then - step.ts).num_milliseconds().max(0));
                let again = pause
                    .map_or("again now".to_owned(), |ms| format!("again in {}", took(ms.unsigned_abs())));
                self.step(&ERR.odd("↻"), step, &format!("{}, {again}", sentence(step.error.as_ref())));
            }
            Event::StepFailed(step) => self.step(&ERR.bad("✗"), step, &sentence(step.error.as_ref())),
            Event::StepSkipped { node } => self.line(&ERR.faint(format!("  - {node} skipped"))),
            Event::RunSucceeded(end) => self.end(&ERR.good("Succeeded"), end),
            Event::RunFailed(end) => self.end(&ERR.bad("Failed"), end),
            Event::RunCancelled(end) => self.end(&ERR.odd("Cancelled"), end),
        }
    }

    fn head(&self, run: &Accepted, what: &str) {
        self.line(&format!("{}{what} {}", run.workflow_name, ERR.faint(format!("run {}", run.run_id))));
    }

    fn step(&self, mark: &str, step: &Step, text: &str) {
        let time = if step.duration_ms < NOTICEABLE_MS { String::new() } else { took(step.duration_ms) };
        let label = step.label.as_ref().map(|label| format!("→ {label}")).unwrap_or_default();
        let notes = ERR.faint(step.notes.join("; "));
        let parts = [label.as_str(), text, notes.as_str()];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
        let line = format!("  {mark} {:width$} {time:>8}  {text}", step.node.as_str(), width = self.width);
        self.line(line.trim_end());
    }

    fn end(&self, how: &str, end: &Ended) {
        let time = end.duration_ms.map(|ms| format!(" in {}", took(ms))).unwrap_or_default();
        let why = end.error.as_ref().map(|by| match &by.node {
            Some(node) => format!(" at {node}: {}", sentence(Some(&by.failure))),
            None => format!(": {}", sentence(Some(&by.failure))),
        });
        self.line(&format!("{how}{time}{}", why.unwrap_or_default()));
        if let Some(result) = &end.result {
            Stream::Out.line(&format!("{result:#}"));
        }
    }

    /// A line above the live one.
    fn line(&self, text: &str) {
        match &self.live {
            Some(live) => live.suspend(|| ERR.line(text)),
            None => ERR.line(text),
        }
    }
}

fn default_taken(failure: &Failure) -> String {
    format!("{}, went on with its default", sentence(Some(failure)))
}

/// The failure with its code.
fn sentence(failure: Option<&Failure>) -> String {
    failure.map_or_else(String::new, |failure| {
        format!("{} ({})", failure.message.trim_end_matches('.'), failure.code)
    })
}

/// `34 ms`, `1.2 s`, `3 min 5 s`.
fn took(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        for (ms, text) in
            [(0, "0 ms"), (999, "999 ms"), (1250, "1.2 s"), (59_999, "59.9 s"), (185_000, "3 min 5 s")]
        {
            assert_eq!(took(ms), text);
        }
    }

    #[test]
    fn the_live_line_is_of_a_form_that_can_be_drawn() {
        assert!(ProgressStyle::with_template(LIVE_LINE).is_ok());
    }
}
