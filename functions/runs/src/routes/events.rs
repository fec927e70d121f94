//! The events of a run as they happen (CHT-04).

use std::{convert::Infallible, time::Duration};

use app::story::{EventId, Order};
use axum::{
    extract::State as Ex,
    response::{
        IntoResponse as _, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use domain::RunId;
use futures::stream::{self, Stream, StreamExt as _};
use heddle_http::{ApiError, ApiResult, Caller, Code, LastEventId, Path, docs};
use http::{HeaderName, HeaderValue, StatusCode};
use runtime::scope;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tracing::warn;

use super::version_of;
use crate::{
    EventStream, State,
    tail::Tail,
    views::{EventView, MessageDoc},
};

/// How long an answer that can't stream waits for something to tell: API Gateway gives up after 30 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client waits before it comes back.
const RETRY: Duration = Duration::from_millis(500);

/// How often a stream in which nothing happens shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Follow a run.
///
/// Server-sent events: each has an `id`, its kind as `event`, and as `data` the JSON that the run's timeline shows. With `Last-Event-ID` come
/// those after that one. The last event is `run.succeeded`, `run.failed` or `run.cancelled`; then the stream ends, and a client that
/// comes back with its id gets 204. Behind API Gateway an answer can't stream: it comes as soon as there is something to tell, after 20 s at
/// the latest, and the client comes back for more, which `EventSource` does by itself.
#[utoipa::path(get, path = "/runs/{run_id}/events", tag = "runs", operation_id = "follow_run",
    params(
        ("run_id" = Uuid, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen.", example = "5.2")),
    responses(
        (status = 200, body = MessageDoc, content_type = "text/event-stream", description = "Events, as they happen."),
        (status = 204, description = "The run has ended and all its events were seen."),
        docs::Following))]
pub(crate) async fn events(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
    LastEventId(seen): LastEventId<EventId>,
) -> ApiResult<Response> {
    let run = s.store.load_control(who.team_id, id).await?;
    scope::set_run(id);
    let version = version_of(&s, &run).await?;
    let stream = s.events.clone();
    let tail = Tail::begin(s, who.team_id, id, Order::of(&version.graph), seen).await?;
    if tail.is_ahead() {
        return Err(ApiError::new(Code::InvalidHeader, "Last-Event-ID names no event of this run."));
    }
    if tail.is_over() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut response = match stream {
        EventStream::Live { stop } => {
            let keep_alive = KeepAlive::new().interval(HEARTBEAT);
            Sse::new(live(tail, stop)).keep_alive(keep_alive).into_response()
        }
        EventStream::Batches => Sse::new(batch(tail).await?).into_response(),
    };
    // Proxies that gather answers would keep the events to themselves.
    let no_buffering = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().insert(no_buffering.0, no_buffering.1);
    Ok(response)
}

/// Tells clients when to come back.
fn greeting() -> sse::Event {
    sse::Event::default().retry(RETRY)
}

fn sent(event: &EventView) -> sse::Event {
    // Plain data: writing it can't fail, and JSON has no line breaks.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.id.as_str()).event(event.event).data(data)
}

/// Every event until the run ends, the process does, or the store fails; then the client comes back.
fn live(tail: Tail, stop: watch::Receiver<bool>) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let events = stream::unfold((tail, stop), async |(mut tail, mut stop)| {
        loop {
            if let Some(event) = tail.take() {
                return Some((sent(&event), (tail, stop)));
            }
            if tail.is_over() {
                return None;
            }
            let waited = tokio::select! {
                // A sender that is gone is telling to stop as well.
                _ = stop.wait_for(|stop| *stop) => return None,
                waited = tail.wait() => waited,
            };
            if let Err(error) = waited {
                warn!(error = runtime::log::chain(&error), "a run can't be followed any further");
                return None;
            }
        }
    });
    stream::once(async { greeting() }).chain(events).map(Ok)
}

/// What there is to tell, waited for if need be.
async fn batch(mut tail: Tail) -> ApiResult<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let end = Instant::now() + PATIENCE;
    let mut events = vec![greeting()];
    loop {
        while let Some(event) = tail.take() {
            events.push(sent(&event));
        }
        if events.len() > 1 {
            break;
        }
        match timeout_at(end, tail.wait()).await {
            Ok(waited) => waited?,
            Err(_) => break,
        }
    }
    Ok(stream::iter(events).map(Ok))
}
