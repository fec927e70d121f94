//! The driver's own HTTP server, which the workflows call.

use std::net::SocketAddr;

use axum::{Json, Router, extract::Query, routing::get, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    client::Failure,
    workloads::{items, next_by_get, next_by_post},
};

/// A server that runs until the driver ends.
pub(crate) struct Target {
    /// Its base URL.
    pub(crate) url: String,
}

/// What both directions carry.
#[derive(Debug, Serialize, Deserialize)]
struct Number {
    n: u64,
}

impl Target {
    /// Starts listening.
    pub(crate) async fn start(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error| Failure::Socket { address: address.to_string(), error };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let app = Router::new()
            .route("/next", get(next_of_query).post(next_of_body))
            .route("/items", get(items_of_query));
        let listener = listener.tap_io(|connection| {
            // Without it an answer may wait for the acknowledgement of the one before.
            let _ = connection.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url })
    }
}

async fn next_of_query(Query(Number { n }): Query<Number>) -> Json<Number> {
    Json(Number { n: next_by_get(n) })
}

async fn next_of_body(Json(Number { n }): Json<Number>) -> Json<Number> {
    Json(Number { n: next_by_post(n) })
}

async fn items_of_query(Query(Number { n }): Query<Number>) -> Json<Value> {
    Json(json!({"items": items(n)}))
}
