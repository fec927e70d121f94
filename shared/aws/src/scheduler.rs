//! Timers as schedules of EventBridge Scheduler that send to an SQS queue.

use std::{fmt::Write as _, sync::Arc};

use app::{
    ports::{Clock, Due, Fired, Name, StoreError, Timer, Timers, unavailable},
    recurrence::Recurrence,
};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_scheduler::{
    Client,
    error::BuildError,
    operation::{
        create_schedule::CreateScheduleError, delete_schedule::DeleteScheduleError,
        update_schedule::UpdateScheduleError,
    },
    types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target},
};
use chrono::{DateTime, DurationRound as _, SubsecRound as _, TimeDelta};
use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

const KEEP: &str = "keep a timer";

/// What Scheduler replaces by the time of an occurrence.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// A time that has passed, or will have when Scheduler reads the request, becomes this much later than now: what Scheduler does with
/// a past time is not documented.
const LEAD: TimeDelta = TimeDelta::seconds(5);

/// How often a timer is created or updated while others delete and create it.
const TRIES: u32 = 3;

/// Where the messages of timers go, and what they are kept in.
#[derive(Debug, Clone)]
pub struct TimerTarget {
    /// ARN of the SQS queue.
    pub queue_arn: String,
    /// ARN of the role by which Scheduler may send to it.
    pub role_arn: String,
    /// The schedule group; it exists.
    pub group: String,
}

/// Timers in one schedule group. A message on the queue is read by [`fired`].
pub struct SchedulerTimers {
    client: Client,
    target: TimerTarget,
    clock: Arc<dyn Clock>,
}

impl SchedulerTimers {
    /// Timers that send to this target. The clock tells whether a time has passed.
    pub fn new(sdk: &SdkConfig, target: TimerTarget, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(sdk), target, clock }
    }

    /// Creates the schedule; answers false if there is one of its name.
    async fn create(&self, name: &Name, schedule: &Schedule) -> Result<bool, StoreError> {
        let create = self.client.create_schedule().group_name(&self.target.group).name(name.as_str());
        let create = create
            .schedule_expression(&schedule.expression)
            .schedule_expression_timezone(schedule.time_zone)
            .flexible_time_window(on_the_dot().map_err(unavailable(KEEP))?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(&schedule.input).map_err(unavailable(KEEP))?);
        match create.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(CreateScheduleError::is_conflict_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(KEEP)(error)),
        }
    }

    /// Replaces the schedule; answers false if there is none of its name.
    async fn update(&self, name: &Name, schedule: &Schedule) -> Result<bool, StoreError> {
        let update = self.client.update_schedule().group_name(&self.target.group).name(name.as_str());
        let update = update
            .schedule_expression(&schedule.expression)
            .schedule_expression_timezone(schedule.time_zone)
            .flexible_time_window(on_the_dot().map_err(unavailable(KEEP))?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(&schedule.input).map_err(unavailable(KEEP))?);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateScheduleError::is_resource_not_found_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(KEEP)(error)),
        }
    }

    fn target(&self, input: &str) -> Result<Target, BuildError> {
        Target::builder().arn(&self.target.queue_arn).role_arn(&self.target.role_arn).input(input).build()
    }
}

#[async_trait]
impl Timers for SchedulerTimers {
    async fn put(&self, timer: &Timer) -> Result<(), StoreError> {
        let schedule = Schedule::of(timer, self.clock.now());
        for _ in 0..TRIES {
            // Most timers are new, so creating comes first.
            if self.create(&timer.name, &schedule).await? || self.update(&timer.name, &schedule).await? {
                return Ok(());
            }
        }
        Err(unavailable(KEEP)(format!("{} is created and deleted by others all the time", timer.name)))
    }

    async fn delete(&self, name: &Name) -> Result<(), StoreError> {
        let delete = self.client.delete_schedule().group_name(&self.target.group).name(name.as_str());
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteScheduleError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable("delete a timer")(error)),
        }
    }
}

fn on_the_dot() -> Result<FlexibleTimeWindow, BuildError> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build()
}

/// A timer as Scheduler has it.
#[derive(Debug, PartialEq, Eq)]
struct Schedule {
    expression: String,
    time_zone: &'static str,
    input: String,
}

impl Schedule {
    fn of(timer: &Timer, now: Timestamp) -> Self {
        let (expression, time_zone, due_on) = match &timer.due {
            Due::Once(at) => (at_expression((*at).max(now + LEAD)), "UTC", at.to_rfc3339()),
            Due::Recurring(recurrence) => {
                (cron_expression(recurrence), recurrence.time_zone(), SCHEDULED_TIME.to_owned())
            }
        };
        // In JSON `<` stands in strings only. Escaped, no text of the message is taken for something to replace.
        let message = timer.message.to_string().replace('<', "\\u003c");
        let name = &timer.name;
        let input = format!(r#"{{"timer":"{name}","due_on":"{due_on}","message":{message}}}"#);
        Self { expression, time_zone, input }
    }
}

/// Scheduler's form of a time, which has whole seconds: the next one, so that nothing fires early.
fn at_expression(at: Timestamp) -> String {
    let whole = at.trunc_subsecs(0);
    let at = if whole < at { whole + TimeDelta::seconds(1) } else { whole };
    at.format("at(%Y-%m-%dT%H:%M:%S)").to_string()
}

/// Scheduler's form of a cron expression: six fields, the last of them the year; days of the week from 1 for Sunday; `?` in
/// one of the two fields of the day.
fn cron_expression(recurrence: &Recurrence) -> String {
    let fields = recurrence.fields();
    let from_one = |days: Vec<u16>| days.iter().map(|day| day + 1).collect();
    let (day_of_month, day_of_week) = match fields.days_of_week {
        Some(days) => ("?".to_owned(), values(Some(from_one(days)))),
        None => (values(fields.days_of_month), "?".to_owned()),
    };
    let (minutes, hours, months) = (values(fields.minutes), values(fields.hours), values(fields.months));
    format!("cron({minutes} {hours} {day_of_month} {months} {day_of_week} *)")
}

/// A field with these values, runs of them as ranges: an expression is 256 characters at most.
fn values(values: Option<Vec<u16>>) -> String {
    let Some(values) = values else { return "*".to_owned() };
    let mut field = String::new();
    for run in values.chunk_by(|one, next| one + 1 == *next) {
        let separator = if field.is_empty() { "" } else { "," };
        let _ = match run {
            [first, .., last] => write!(field, "{separator}{first}-{last}"),
            _ => write!(field, "{separator}{}", run[0]),
        };
    }
    field
}

/// Reads what a timer sent to the queue. `sent_on` is the message's `SentTimestamp`; its minute stands for the time that a recurring timer was
/// due where Scheduler did not fill that in, as emulators of it don't.
pub fn fired(body: &str, sent_on: Timestamp) -> Result<Fired, StoreError> {
    const READ: &str = "read the message of a timer";
    #[derive(Deserialize)]
    struct Body {
        timer: String,
        due_on: String,
        message: Value,
    }
    let Body { timer, due_on, message } = serde_json::from_str(body).map_err(unavailable(READ))?;
    let due_on = match due_on.as_str() {
        SCHEDULED_TIME => sent_on.duration_trunc(TimeDelta::minutes(1)).map_err(unavailable(READ))?,
        time => DateTime::parse_from_rfc3339(time).map_err(unavailable(READ))?.to_utc(),
    };
    Ok(Fired { timer: Name::parse(&timer).map_err(unavailable(READ))?, due_on, message })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_cron_expression_says_the_same_in_six_fields() {
        for (cron, expression) in [
            ("* * * * *", "cron(* * * * ? *)"),
            ("0 9 * * MON-FRI", "cron(0 9 ? * 2-6 *)"),
            ("*/15 8-10,12 1,15 jan,7-12 *", "cron(0,15,30,45 8-10,12 1,15 1,7-12 ? *)"),
            ("0 0 * * 0", "cron(0 0 ? * 1 *)"),
            ("0 0 * * 6,7", "cron(0 0 ? * 1,7 *)"),
            ("59 23 31 12 *", "cron(59 23 31 12 ? *)"),
            ("0-59 0-23 * 1-12 0-6", "cron(* * * * ? *)"),
        ] {
            let parsed = Recurrence::parse(cron, "UTC").unwrap();
            assert_eq!(cron_expression(&parsed), expression, "{cron}");
        }
    }

    #[test]
    fn a_time_is_never_rounded_to_an_earlier_one_and_lies_ahead() {
        let now = time("2026-02-02T03:04:05Z");
        let expression = |at: &str| {
            let timer =
                Timer { name: Name::parse("t").unwrap(), due: Due::Once(time(at)), message: json!(1) };
            Schedule::of(&timer, now).expression
        };
        assert_eq!(expression("2026-02-02T03:05:00Z"), "at(2026-02-02T03:05:00)");
        assert_eq!(expression("2026-02-02T03:05:00.001Z"), "at(2026-02-02T03:05:01)");
        assert_eq!(expression("2026-02-02T03:04:00Z"), "at(2026-02-02T03:04:10)");
    }

    #[test]
    fn what_is_sent_is_read_as_what_fired() {
        let message = json!({"b": "<aws.scheduler.execution-id> \"quoted\"", "a": [1.0, null]});
        let (name, now) = (Name::parse("nightly").unwrap(), time("2026-02-02T03:04:05Z"));
        let due = Due::Recurring(Recurrence::parse("0 9 * * *", "Europe/Berlin").unwrap());
        let input = Schedule::of(&Timer { name: name.clone(), due, message: message.clone() }, now).input;
        assert_eq!(input.matches('<').count(), 1, "{input}");
        let expected = |due_on| Fired { timer: name.clone(), due_on: time(due_on), message: message.clone() };

        let sent = input.replace(SCHEDULED_TIME, "2026-02-03T08:00:00Z");
        let sent_on = time("2026-02-03T08:00:41.5Z");
        assert_eq!(fired(&sent, sent_on).unwrap(), expected("2026-02-03T08:00:00Z"));
        assert_eq!(fired(&input, sent_on).unwrap(), expected("2026-02-03T08:00:00Z"));
        for bad in ["", "{}", &sent.replace("nightly", "../etc"), &sent.replace("2026-", "")] {
            assert!(fired(bad, sent_on).is_err(), "{bad}");
        }
    }
}
