//! An HTTP server that workflows call, and that remembers how it was called.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    routing::any,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

/// One call that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub idempotency_key: Option<String>,
    /// The caller's end of the connection.
    pub peer: SocketAddr,
}

/// A server on loopback. `/hold/…` answers only after [`Target::release`]; everything else at once, or after the server's usual
/// time. `/<any>/busy/…` is refused when it is asked for the first time, with a status that is worth a retry; `/<any>/gone/…`
/// is always refused, with one that is not. `/large/<bytes>` is answered with a JSON of about that many bytes: a list of ten texts.
pub struct Target {
    pub url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    released: tokio::sync::watch::Sender<bool>,
    takes: Duration,
}

impl Target {
    pub async fn start() -> Self {
        Self::taking(Duration::ZERO).await
    }

    /// One that takes its time for every answer.
    pub async fn taking(takes: Duration) -> Self {
        let inner = Arc::new(Inner { takes, ..Inner::default() });
        let app = Router::new().route("/{*path}", any(answer)).with_state(inner.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
                .await
                .expect("a server");
        });
        Self { url, inner }
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Waits until this many calls have arrived.
    pub async fn arrivals(&self, count: usize) -> Vec<Received> {
        loop {
            let arrived = self.inner.arrived.notified();
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            arrived.await;
        }
    }

    /// Lets `/hold/…` answer from now on.
    pub fn release(&self) {
        self.inner.released.send_replace(true);
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> (StatusCode, Json<Value>) {
    let path = request.uri().path().to_owned();
    let key = request.headers().get("idempotency-key").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let is_first = {
        let mut received = inner.received.lock().unwrap();
        let is_first = received.iter().all(|call| call.path != path);
        received.push(Received { path: path.clone(), idempotency_key: key, peer });
        is_first
    };
    inner.arrived.notify_waiters();
    if path.starts_with("/hold/") {
        let mut released = inner.released.subscribe();
        released.wait_for(|released| *released).await.expect("the target lives");
    }
    if let Some(bytes) = path.strip_prefix("/large/").and_then(|bytes| bytes.parse::<usize>().ok()) {
        return (StatusCode::OK, Json(vec!["x".repeat(bytes / 10); 10].into()));
    }
    tokio::time::sleep(inner.takes).await;
    let status = match path.split('/').nth(2) {
        Some("busy") if is_first => StatusCode::SERVICE_UNAVAILABLE,
        Some("gone") => StatusCode::GONE,
        _ => StatusCode::OK,
    };
    let body = json!({"path": path, "orders": [
        {"id": 1, "customer": "Ada", "total": 120, "status": "paid"},
        {"id": 2, "customer": "Grace", "total": 80, "status": "open"},
        {"id": 3, "customer": "Linus", "total": 45, "status": "paid"},
    ]});
    (status, Json(body))
}
