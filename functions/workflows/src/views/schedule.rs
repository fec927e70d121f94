//! When the clock starts a workflow (WF-10, TRG-02).

use std::ops::Range;

use app::recurrence::{InvalidRecurrence, Recurrence};
use chrono::{DateTime, Datelike as _, FixedOffset};
use domain::{FieldError, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A schedule that is right whatever its zone is, to check zones with.
const ANY_CRON: &str = "0 0 * * *";

/// A zone that is right, to check schedules with.
const ANY_ZONE: &str = "UTC";

/// Where starts are looked for: what calendars of time zones tell of.
const YEARS: Range<i32> = 1970..5000;

/// What is wrong with a schedule and with the name of its zone. An empty schedule is none.
pub(super) fn schedule_mistakes(cron: Option<&str>, zone: Option<&str>) -> Vec<FieldError> {
    let cron = cron.filter(|cron| !cron.is_empty()).map(|cron| Recurrence::parse(cron, ANY_ZONE));
    let zone = zone.map(|zone| Recurrence::parse(ANY_CRON, zone));
    [cron, zone].into_iter().flatten().filter_map(Result::err).map(|wrong| told(&wrong)).collect()
}

fn told(wrong: &InvalidRecurrence) -> FieldError {
    let (field, code) = match wrong {
        InvalidRecurrence::Zone => ("cron_timezone", "unknown_timezone"),
        InvalidRecurrence::TooLong => ("cron_schedule", "length"),
        InvalidRecurrence::Form(_) | InvalidRecurrence::BothDays => ("cron_schedule", "invalid_cron"),
        InvalidRecurrence::Never => ("cron_schedule", "never_due"),
    };
    FieldError::new(format!("/{field}"), code, format!("{wrong}."))
}

fn in_query(wrong: FieldError) -> FieldError {
    FieldError { pointer: format!("/query{}", wrong.pointer), ..wrong }
}

/// What to preview; the workflow's own schedule where nothing is said.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PreviewQuery {
    /// Another schedule, before it is saved.
    #[param(max_length = 100, example = "0 9 * * MON-FRI")]
    cron_schedule: Option<String>,
    /// Another zone.
    #[param(max_length = 100, example = "Europe/Berlin")]
    cron_timezone: Option<String>,
    /// Starts later than this; than now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    after: Option<Timestamp>,
    /// How many: 1 to 100; 10 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    count: Count,
}

/// How many starts to show.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Count(usize);

impl Default for Count {
    fn default() -> Self {
        Self(10)
    }
}

impl TryFrom<u32> for Count {
    type Error = &'static str;

    fn try_from(count: u32) -> Result<Self, Self::Error> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if (1..=100).contains(&count) { Ok(Self(count)) } else { Err("expected 1 to 100") }
    }
}

impl PreviewQuery {
    /// The starts that are meant, of the workflow's own schedule where no other is given; or every mistake.
    pub(crate) fn preview(
        self,
        own: (Option<String>, String),
        now: Timestamp,
    ) -> Result<SchedulePreview, Vec<FieldError>> {
        let cron = self.cron_schedule.or(own.0).filter(|cron| !cron.is_empty());
        let zone = self.cron_timezone.unwrap_or(own.1);
        let Some(cron) = cron else {
            return Ok(SchedulePreview { cron_schedule: None, cron_timezone: zone, starts: Vec::new() });
        };
        let mut mistakes = schedule_mistakes(Some(&cron), Some(&zone));
        let after = self.after.unwrap_or(now);
        if !YEARS.contains(&after.year()) {
            mistakes.push(FieldError::new(
                "/after",
                "out_of_range",
                "A start is looked for from 1970 to 4999.",
            ));
        }
        let recurrence = match Recurrence::parse(&cron, &zone) {
            Ok(recurrence) if mistakes.is_empty() => recurrence,
            _ => return Err(mistakes.into_iter().map(in_query).collect()),
        };
        let next = |at: &Timestamp| recurrence.next_after(*at);
        let due = std::iter::successors(next(&after), next).take(self.count.0);
        let starts = due.map(|at| ScheduledStart { at, local: recurrence.local(at) }).collect();
        Ok(SchedulePreview { cron_schedule: Some(cron), cron_timezone: zone, starts })
    }
}

/// When the clock starts a workflow next.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SchedulePreview {
    /// The schedule; null where there is none, and so no start.
    #[schema(example = "0 9 * * MON-FRI")]
    cron_schedule: Option<String>,
    #[schema(example = "Europe/Berlin")]
    cron_timezone: String,
    /// In their order. A local time that the clocks jump over is left out; one that comes twice is due the first time only.
    starts: Vec<ScheduledStart>,
}

/// A start by the clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledStart {
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T08:00:00Z")]
    at: Timestamp,
    /// The same on the clock of the zone, with its distance from UTC.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T09:00:00+01:00")]
    local: DateTime<FixedOffset>,
}
