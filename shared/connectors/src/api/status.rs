//! Which statuses are a success, and what the others mean.

use std::{ops::RangeInclusive, time::Duration};

use domain::{ErrorClass, Failure};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::fields::invalid;

/// The longest delay that another side may ask for; a longer wish counts as this.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The statuses that a node takes for a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Success(Vec<RangeInclusive<u16>>);

impl Success {
    /// Reads `success`, a list of statuses such as `200` or `"2xx"`. All of `2xx` where absent.
    pub(super) fn of(metadata: Option<&Value>) -> Result<Self, Failure> {
        let ranges = match metadata {
            None => Some(vec![200..=299]),
            Some(list) => list.as_array().and_then(|list| list.iter().map(range).collect()),
        };
        ranges
            .map(Self)
            .ok_or_else(|| invalid("success", "must be a list of statuses such as 200 or \"2xx\""))
    }

    /// Whether the status is one of them.
    pub(super) fn contains(&self, status: StatusCode) -> bool {
        self.0.iter().any(|range| range.contains(&status.as_u16()))
    }
}

fn range(value: &Value) -> Option<RangeInclusive<u16>> {
    if let Some(class) = value.as_str() {
        let hundreds: u16 = class.strip_suffix("xx")?.parse().ok()?;
        return (1..=5).contains(&hundreds).then(|| hundreds * 100..=hundreds * 100 + 99);
    }
    let status = u16::try_from(value.as_u64()?).ok()?;
    (100..=599).contains(&status).then_some(status..=status)
}

/// The failure that a status means: transient for 408, 425, 429 and 5xx (RUN-12), permanent for others. The body is not told, as
/// it may repeat what was sent.
pub(super) fn failure(status: StatusCode, headers: &HeaderMap, host: &str) -> Failure {
    let transient = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    let class = if transient { ErrorClass::Transient } else { ErrorClass::Permanent };
    let failure = Failure::new(class, "http_status", format!("{host} answered {}", status.as_u16()));
    Failure { retry_after_s: if transient { retry_after_s(headers) } else { None }, ..failure }
}

/// Seconds that `Retry-After` asks to wait. A date is measured from the response's own `Date`, so the clocks of the two sides need
/// not agree; without one it says nothing (RFC 9110, section 10.2.3).
fn retry_after_s(headers: &HeaderMap) -> Option<u32> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wish = text(header::RETRY_AFTER)?;
    let delay = if !wish.is_empty() && wish.bytes().all(|digit| digit.is_ascii_digit()) {
        // A number too large to read is a wish for longer than is granted.
        wish.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        let (then, now) = (httpdate::parse_http_date(wish).ok()?, text(header::DATE)?);
        then.duration_since(httpdate::parse_http_date(now).ok()?).unwrap_or_default()
    };
    u32::try_from(delay.min(MAX_RETRY_AFTER).as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::from_u16(code).unwrap()
    }

    #[test]
    fn success_is_read_in_each_of_its_forms() {
        for (metadata, taken, refused) in [
            (json!([200, 404]), vec![200, 404], vec![199, 201]),
            (json!(["2xx"]), vec![200, 299], vec![199, 300]),
            (json!(["2xx", 404]), vec![204, 404], vec![403, 405]),
            (json!(["1xx", "5xx"]), vec![100, 599], vec![200, 499]),
        ] {
            let success = Success::of(Some(&metadata)).unwrap();
            assert!(taken.iter().all(|code| success.contains(status(*code))), "{metadata}");
            assert!(!refused.iter().any(|code| success.contains(status(*code))), "{metadata}");
        }
        assert_eq!(Success::of(None), Success::of(Some(&json!(["2xx"]))));
        for bad in [
            json!(200),
            json!("2xx"),
            json!([99]),
            json!([600]),
            json!(["6xx"]),
            json!(["0xx"]),
            json!(["ok"]),
            json!([200, null]),
        ] {
            assert_eq!(Success::of(Some(&bad)).unwrap_err().class, ErrorClass::Validation, "{bad}");
        }
    }

    #[test]
    fn a_status_has_the_class_that_run_12_gives_it() {
        for (code, class) in [
            (400, ErrorClass::Permanent),
            (401, ErrorClass::Permanent),
            (404, ErrorClass::Permanent),
            (304, ErrorClass::Permanent),
            (408, ErrorClass::Transient),
            (425, ErrorClass::Transient),
            (429, ErrorClass::Transient),
            (500, ErrorClass::Transient),
            (503, ErrorClass::Transient),
        ] {
            assert_eq!(failure(status(code), &HeaderMap::new(), "a.example").class, class, "{code}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_after_the_responses_own() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (wish, now, seconds) in [
            ("7", None, Some(7)),
            ("0", None, Some(0)),
            ("999999", None, Some(3600)),
            ("99999999999999999999999", None, Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(date), Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(date), Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(date), Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(date), Some(0)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(date), Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, None),
            ("soon", Some(date), None),
            ("-5", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(wish))]);
            headers.extend(now.map(|now| (header::DATE, HeaderValue::from_static(now))));
            assert_eq!(failure(status(503), &headers, "a.example").retry_after_s, seconds, "{wish}");
            assert_eq!(failure(status(400), &headers, "a.example").retry_after_s, None, "{wish}");
        }
    }
}
