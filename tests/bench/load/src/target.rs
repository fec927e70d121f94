//! The driver's own HTTP server, which the workflows call.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    body::Bytes,
    extract::Query,
    response::{IntoResponse as _, Response},
    serve::ListenerExt as _,
};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{failure::Failure, workloads};

/// A server that runs until the driver ends.
pub(crate) struct Target {
    /// Its base URL.
    pub(crate) url: String,
}

/// What a query may carry.
#[derive(Debug, Deserialize)]
struct Number {
    n: Option<u64>,
}

impl Target {
    /// Starts listening.
    pub(crate) async fn start(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error| Failure::Socket { address: address.to_string(), error };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let listener = listener.tap_io(|connection| {
            // Without it an answer may wait for the acknowledgement of the one before.
            let _ = connection.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Ok(Self { url })
    }
}

async fn answer(method: Method, uri: Uri, Query(Number { n }): Query<Number>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match workloads::answer(&method, uri.path(), n, &body) {
        Some(answer) => Json(answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
