//! Logs as one JSON object per line on stdout. The fields of all enclosing spans stand beside those of the event, so that
//! `request_id`, `team_id` and `run_id` are plain fields of every line.

use std::{fmt, io::Write as _, sync::Arc};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::SetGlobalDefaultError,
};
use tracing_subscriber::{
    Layer, Registry,
    filter::{ParseError, Targets},
    layer::{Context, SubscriberExt as _},
    registry::{LookupSpan, Scope},
};

use crate::{metrics, panics};

/// Why logs can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `LOG_LEVEL` is not a level, nor a list like `info,engine=debug`.
    #[error("LOG_LEVEL is malformed")]
    Level(#[from] ParseError),
    /// Set up before.
    #[error("logs were set up twice")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Sends the lines of this process to stdout, with `function` in each.
pub(crate) fn init(function: &'static str, level: &str) -> Result<(), LogError> {
    let subscriber = subscriber(function, level, |line| {
        // A process whose stdout is gone has nobody left to tell.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    })?;
    tracing::subscriber::set_global_default(subscriber)?;
    panics::log_them();
    Ok(())
}

/// A subscriber that hands each finished line, with its line feed, to `write`. `level` is a level or a list such as
/// `info,engine=debug`.
pub fn subscriber<W: Fn(&str) + Send + Sync + 'static>(
    function: &'static str,
    level: &str,
    write: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, LogError> {
    let wanted: Targets = level.parse()?;
    // Metric lines and the runtime's span with the Lambda request id are there at any level; the SDK's own lines are
    // only wanted when something is wrong.
    let quiet = ["aws_config", "aws_runtime", "aws_smithy_runtime", "hyper", "rustls"];
    let filter = Targets::new()
        .with_targets(quiet.map(|target| (target, Level::WARN)))
        .with_targets([(metrics::TARGET, Level::INFO), ("lambda_runtime", Level::INFO)])
        .with_targets(wanted.iter().map(|(target, level)| (target.to_owned(), level)))
        .with_default(wanted.default_level().unwrap_or(Level::INFO.into()));
    Ok(Registry::default().with(Lines { function, write: Arc::new(write) }.with_filter(filter)))
}

struct Lines {
    function: &'static str,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        line.set("timestamp", chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        line.set("level", event.metadata().level().as_str());
        line.set("function", self.function);
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.0.extend(fields.0.clone());
            }
        }
        line.set("target", event.metadata().target());
        event.record(&mut line);
        (self.write)(&format!("{}\n", Value::Object(line.0)));
    }
}

/// Collects the fields of a span or an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        // The Lambda runtime's span has its own spelling.
        let name = match name {
            "requestId" => "request_id",
            "xrayTraceId" => "trace_id",
            other => other.strip_prefix("r#").unwrap_or(other),
        };
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match (field.name(), serde_json::from_str(value)) {
            ("emf", Ok(Value::Object(document))) => self.0.extend(document),
            (name, _) => self.set(name, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.set(field.name(), chain(value));
    }
}

/// An error with all its causes, as one sentence.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use domain::{RunId, TeamId};
    use tracing::instrument::WithSubscriber as _;
    use uuid::Uuid;

    use super::*;
    use crate::{Scope, scope};

    async fn lines_of(level: &str, work: impl Future<Output = ()>) -> Vec<Value> {
        let lines: Arc<Mutex<String>> = Arc::default();
        let sink = lines.clone();
        let subscriber = subscriber("runs", level, move |line| sink.lock().unwrap().push_str(line)).unwrap();
        work.with_subscriber(subscriber).await;
        let text = lines.lock().unwrap().clone();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test]
    async fn ids_are_top_level_fields_of_every_line_from_when_they_are_known() {
        let lines = lines_of("info", async {
            tracing::info!("before");
            Scope::new("r1")
                .run(async {
                    tracing::info!(count = 3, "early");
                    scope::set_team(TeamId::new(Uuid::nil()));
                    scope::set_run(RunId::new(Uuid::nil()));
                    let _inner = tracing::info_span!("inner", node = "a").entered();
                    tracing::warn!("late");
                })
                .await;
        })
        .await;
        assert_eq!(lines[0]["function"], "runs");
        assert!(lines[0].get("request_id").is_none());
        assert_eq!(lines[1]["request_id"], "r1");
        assert_eq!(lines[1]["count"], 3);
        assert_eq!(lines[1]["message"], "early");
        let nil = Uuid::nil().to_string();
        for (field, value) in
            [("request_id", "r1"), ("team_id", &nil), ("run_id", &nil), ("node", "a"), ("level", "WARN")]
        {
            assert_eq!(lines[2][field], value, "{field}");
        }
    }

    #[tokio::test]
    async fn a_higher_level_drops_lines_but_neither_ids_nor_metrics() {
        let lines = lines_of("error", async {
            Scope::new("r1")
                .run(async {
                    tracing::info!("dropped");
                    tracing::error!("kept");
                    metrics::request("GET", "/x", 200, Duration::from_millis(2), &metrics::Counts::default());
                })
                .await;
        })
        .await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| line["request_id"] == "r1"));
        assert_eq!(lines[1]["requests"], 1);
        assert_eq!(lines[1]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Heddle");
    }

    #[tokio::test]
    async fn the_lambda_request_id_is_spelled_like_ours() {
        let lines = lines_of("info", async {
            let _span = tracing::info_span!(target: "lambda_runtime", "invoke", requestId = "l1").entered();
            tracing::info!("x");
        })
        .await;
        assert_eq!(lines[0]["request_id"], "l1");
    }
}
