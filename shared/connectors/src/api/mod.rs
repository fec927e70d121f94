//! `get_api` and `post_api`: one HTTP request to an API that the workflow's author names.
//!
//! | metadata | meaning |
//! |---|---|
//! | `url` | absolute, `http` or `https` |
//! | `method` | of `post_api`: `POST` (default), `PUT`, `PATCH`, `DELETE` |
//! | `query` | object, added to the URL's own query; lists repeat their name, nulls are left out |
//! | `headers` | object of texts; those of the connection, `Host`, `Content-Length` and `Idempotency-Key` are not the author's |
//! | `auth` | `{type: bearer, token}`, `{type: basic, username, password}` or `{type: header, name, value}` |
//! | `body` | of `post_api`, see [`body`](mod@body) |
//! | `success` | list of statuses such as `200` or `"2xx"`; `2xx` where absent |
//! | `max_bytes` | the largest body to take, 10 MB where absent, at most 100 MB |
//!
//! The output is `{status, headers, body}`, see [`output`](mod@output).

mod body;
mod fields;
mod output;
mod request;
mod status;

use std::time::{Duration, Instant};

use app::ports::Executed;
use domain::Failure;
use engine::Call;
use serde_json::Value;

use crate::egress::Egress;
use request::{ApiRequest, NodeType};

/// Executes one attempt of a `get_api` node.
pub(crate) async fn get(egress: &Egress, call: &Call, timeout: Duration) -> Executed {
    execute(egress, call, NodeType::Get, timeout).await
}

/// Executes one attempt of a `post_api` node.
pub(crate) async fn post(egress: &Egress, call: &Call, timeout: Duration) -> Executed {
    execute(egress, call, NodeType::Post, timeout).await
}

async fn execute(egress: &Egress, call: &Call, node_type: NodeType, timeout: Duration) -> Executed {
    let request = match ApiRequest::of(call, node_type) {
        Ok(request) => request,
        Err(failure) => return Executed { outcome: Err(failure), notes: Vec::new() },
    };
    let mut note = Note::begin(format!("{:?}", request.request));
    let outcome = exchange(egress, request, timeout, &mut note).await;
    Executed { notes: vec![note.end(&outcome)], outcome }
}

async fn exchange(
    egress: &Egress,
    api: ApiRequest,
    timeout: Duration,
    note: &mut Note,
) -> Result<Value, Failure> {
    let response = egress.send(api.request, timeout).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    note.answered(status.as_u16(), response.host(), response.redirects());
    if !api.success.contains(status) {
        return Err(status::failure(status, &headers, response.host()));
    }
    let host = response.host().to_owned();
    let body = response.bytes(api.max_bytes).await?;
    note.read(body.len());
    output::of(status, &headers, body, &host)
}

/// The line that a step's log gets of a request, such as `GET api.example.com: 200 in 34 ms, 1.2 KB`.
struct Note {
    request: String,
    begun: Instant,
    answer: Option<String>,
    size: Option<usize>,
}

impl Note {
    fn begin(request: String) -> Self {
        Self { request, begun: Instant::now(), answer: None, size: None }
    }

    fn answered(&mut self, status: u16, host: &str, redirects: u32) {
        self.answer = Some(match redirects {
            0 => status.to_string(),
            1 => format!("{status} from {host} after 1 redirect"),
            n => format!("{status} from {host} after {n} redirects"),
        });
    }

    fn read(&mut self, bytes: usize) {
        self.size = Some(bytes);
    }

    fn end(self, outcome: &Result<Value, Failure>) -> String {
        let failed = || outcome.as_ref().err().map(|failure| failure.code.clone());
        let answer = self.answer.or_else(failed).unwrap_or_default();
        let size = self.size.map(|bytes| format!(", {}", in_words(bytes))).unwrap_or_default();
        format!("{}: {answer} in {} ms{size}", self.request, self.begun.elapsed().as_millis())
    }
}

/// A size with one decimal, in units of 1,000.
fn in_words(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn sizes_read_well() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (1_250, "1.2 KB"),
            (999_999, "999.9 KB"),
            (10_000_000, "10.0 MB"),
        ] {
            assert_eq!(in_words(bytes), words);
        }
    }
}
