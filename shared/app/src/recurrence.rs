//! When recurring timers are due: cron in a time zone.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, FixedOffset, LocalResult, TimeZone as _};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use domain::Timestamp;

/// A cron expression of five fields (minute, hour, day of month, month, day of week) in an IANA time zone, such as `0 9 * * MON-FRI`
/// in `Europe/Berlin`.
///
/// Fields take `*`, values, `a-b`, `a,b`, `/step`, and the English names of months and days in three letters; Sunday is 0 or 7. Day of
/// month or day of week must be `*`: readers disagree on what both together mean, and EventBridge Scheduler can't have both.
///
/// When the clocks go forward, a local time that does not exist is skipped. When they go back, a local time that comes twice is due
/// the first time only. That is EventBridge Scheduler's rule, and it stands here for every implementation.
#[derive(Clone, PartialEq, Eq)]
pub struct Recurrence {
    text: Arc<str>,
    cron: Arc<Cron>,
    zone: Tz,
}

/// Why a recurrence can't be had; to be shown to whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecurrence {
    /// Longer than [`Recurrence::MAX`] bytes.
    #[error("the cron expression is longer than {} characters", Recurrence::MAX)]
    TooLong,
    /// Not five fields of the known form.
    #[error(
        "the cron expression must have five fields: minute, hour, day of month, month, day of week ({0})"
    )]
    Form(String),
    /// Both fields of the day are restricted.
    #[error("day of month or day of week must be *")]
    BothDays,
    /// It names a date that no calendar has, such as 30 February.
    #[error("the cron expression never comes true")]
    Never,
    /// The IANA data does not know it.
    #[error("there is no time zone of this name")]
    Zone,
}

/// The values of each field, in ascending order. None stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronFields {
    /// 0 to 59.
    pub minutes: Option<Vec<u16>>,
    /// 0 to 23.
    pub hours: Option<Vec<u16>>,
    /// 1 to 31.
    pub days_of_month: Option<Vec<u16>>,
    /// 1 to 12.
    pub months: Option<Vec<u16>>,
    /// 0 to 6 from Sunday.
    pub days_of_week: Option<Vec<u16>>,
}

impl Recurrence {
    /// The longest expression, in bytes.
    pub const MAX: usize = 100;

    /// Checks an expression and a zone's name.
    pub fn parse(cron: &str, time_zone: &str) -> Result<Self, InvalidRecurrence> {
        if cron.len() > Self::MAX {
            return Err(InvalidRecurrence::TooLong);
        }
        let zone = Tz::from_str(time_zone).map_err(|_| InvalidRecurrence::Zone)?;
        let parsed = parse_cron(cron)?;
        // In UTC and from a fixed time, so that the same text is valid at all times. Leap days come within eight years.
        if parsed.find_next_occurrence(&Timestamp::UNIX_EPOCH, false).is_err() {
            return Err(InvalidRecurrence::Never);
        }
        Ok(Self { text: cron.into(), cron: Arc::new(parsed), zone })
    }

    /// The expression as it was written.
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// The zone's IANA name.
    pub fn time_zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first occurrence later than `after`; None if there is none before the year 5000.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // Cron is about what clocks on the wall show, so the calendar is searched without a zone, and each find is then looked up in the
        // zone. The library's own search with a zone moves a skipped time to the end of the gap.
        let mut local = after.with_timezone(&self.zone).naive_local();
        loop {
            local = self.cron.find_next_occurrence(&local, false).ok()?;
            let instant = match self.zone.from_local_datetime(&local) {
                LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.to_utc(),
                LocalResult::None => continue,
            };
            // It is not where `after` lies in the second pass of an hour that comes twice.
            if instant > after {
                return Some(instant);
            }
        }
    }

    /// What the zone's clock shows at a time, with its distance from UTC.
    pub fn local(&self, at: Timestamp) -> DateTime<FixedOffset> {
        at.with_timezone(&self.zone).fixed_offset()
    }

    /// What the expression says, field by field, for schedulers that write it in another way.
    pub fn fields(&self) -> CronFields {
        let pattern = &self.cron.pattern;
        let unless_all = |values: Vec<u16>, all: usize| (values.len() < all).then_some(values);
        CronFields {
            minutes: unless_all(pattern.minutes.values(), 60),
            hours: unless_all(pattern.hours.values(), 24),
            days_of_month: unless_all(pattern.days.values(), 31),
            months: unless_all(pattern.months.values(), 12),
            days_of_week: unless_all(pattern.days_of_week.values(), 7),
        }
    }
}

impl fmt::Debug for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recurrence({:?}, {})", self.text, self.zone.name())
    }
}

fn parse_cron(text: &str) -> Result<Cron, InvalidRecurrence> {
    // The parser knows more than the common ground of all schedulers: `@daily`, `L`, `W`, `#`, `?`, `+`.
    let [minute, hour, day_of_month, month, day_of_week] =
        text.split_ascii_whitespace().collect::<Vec<_>>()[..]
    else {
        return Err(InvalidRecurrence::Form("a field is missing or too many".to_owned()));
    };
    let names = [(minute, &[][..]), (hour, &[]), (day_of_month, &[]), (month, &MONTHS), (day_of_week, &DAYS)];
    for (field, names) in names {
        if !is_plain(field, names) {
            return Err(InvalidRecurrence::Form(format!("`{field}`")));
        }
    }
    if day_of_month != "*" && day_of_week != "*" {
        return Err(InvalidRecurrence::BothDays);
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| InvalidRecurrence::Form(error.to_string()))
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Whether a field is made of numbers, these names, and `* , - /` between them.
fn is_plain(field: &str, names: &[&str]) -> bool {
    field.split([',', '-', '/']).all(|word| {
        let is_number = !word.is_empty() && word.chars().all(|char| char.is_ascii_digit());
        is_number || word == "*" || names.iter().any(|name| name.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first occurrences after a time.
    fn occurrences(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let recurrence = Recurrence::parse(cron, zone).unwrap();
        let after: Timestamp = after.parse().unwrap();
        let next = |at: &Timestamp| recurrence.next_after(*at);
        std::iter::successors(next(&after), next)
            .take(count)
            .map(|at| at.format("%dT%H:%M").to_string())
            .collect()
    }

    #[test]
    fn an_occurrence_is_later_than_now_and_on_the_local_clock() {
        assert_eq!(
            occurrences("*/20 * * * *", "UTC", "2026-02-02T03:00:00Z", 3),
            ["02T03:20", "02T03:40", "02T04:00"]
        );
        assert_eq!(
            occurrences("0 9 * * MON-FRI", "Europe/Berlin", "2026-02-06T07:59:59.5Z", 2),
            ["06T08:00", "09T08:00"]
        );
        assert_eq!(occurrences("0 0 * * 7", "Asia/Kolkata", "2026-02-02T00:00:00Z", 1), ["07T18:30"]);
        assert_eq!(occurrences("15 10 29 feb *", "UTC", "2026-02-02T00:00:00Z", 1), ["29T10:15"]);
    }

    #[test]
    fn a_time_in_the_spring_gap_is_skipped() {
        // Clocks in Berlin go from 02:00 to 03:00 on 29 March 2026.
        let after = "2026-03-28T00:00:00Z";
        assert_eq!(occurrences("30 2 * * *", "Europe/Berlin", after, 2), ["28T01:30", "30T00:30"]);
        assert_eq!(
            occurrences("0,30 1-3 29 * *", "Europe/Berlin", after, 4),
            ["29T00:00", "29T00:30", "29T01:00", "29T01:30"]
        );
    }

    #[test]
    fn a_time_that_autumn_brings_twice_is_due_once() {
        // Clocks in Berlin go from 03:00 back to 02:00 on 25 October 2026; 02:30 is 00:30 and 01:30 UTC.
        let after = "2026-10-24T12:00:00Z";
        assert_eq!(occurrences("30 2 * * *", "Europe/Berlin", after, 2), ["25T00:30", "26T01:30"]);
        assert_eq!(
            occurrences("*/30 2,3 * * *", "Europe/Berlin", after, 4),
            ["25T00:00", "25T00:30", "25T02:00", "25T02:30"]
        );
        assert_eq!(occurrences("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["26T01:30"]);
    }

    #[test]
    fn anything_but_five_plain_fields_in_a_known_zone_is_refused() {
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "0 0 L * *",
            "0 0 15W * *",
            "0 0 * * 5#2",
            "0 0 ? * *",
            "0 0 * * +1",
            "MON * * * *",
            "* * * FRI *",
            "a * * * *",
            "1, * * * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "* * * * Mo",
        ] {
            let refused = Recurrence::parse(bad, "UTC");
            assert!(matches!(refused, Err(InvalidRecurrence::Form(_))), "{bad:?}: {refused:?}");
        }
        let refused = |cron: &str, zone: &str| Recurrence::parse(cron, zone).unwrap_err();
        assert_eq!(refused("0 0 1 * MON", "UTC"), InvalidRecurrence::BothDays);
        assert_eq!(refused("0 0 30 2 *", "UTC"), InvalidRecurrence::Never);
        assert_eq!(refused("* * * * *", "Europe/Atlantis"), InvalidRecurrence::Zone);
        assert_eq!(refused(&" ".repeat(101), "UTC"), InvalidRecurrence::TooLong);
    }

    #[test]
    fn fields_are_told_as_values() {
        let fields = Recurrence::parse("*/15 9-11 * JAN,dec 5-7", "UTC").unwrap().fields();
        assert_eq!(fields.minutes, Some(vec![0, 15, 30, 45]));
        assert_eq!(fields.hours, Some(vec![9, 10, 11]));
        assert_eq!((fields.days_of_month, fields.months), (None, Some(vec![1, 12])));
        assert_eq!(fields.days_of_week, Some(vec![0, 5, 6]));
    }
}
