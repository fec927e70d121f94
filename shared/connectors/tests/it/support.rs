//! A server per test, and calls of the connectors.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    fakes::MemoryTeamSecrets,
    ports::{Connectors as _, Executed},
};
use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::{ConnectInfo, Request},
};
use connectors::{
    ConnectorSet,
    egress::{AllowRule, Egress, EgressPolicy, Lookup},
};
use domain::{ErrorClass, Failure};
use engine::Call;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// Longer than any test that passes takes.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);

/// A real server on a port of its own; gone when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router`; paths that it does not know are answered by [`echo`].
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.fallback(echo).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The exception that a deployment makes for this server.
    pub(crate) fn rule(&self) -> AllowRule {
        AllowRule::Net { net: self.address.ip().into(), port: Some(self.port()) }
    }

    /// Connectors that may reach this server.
    pub(crate) fn connectors(&self) -> ConnectorSet {
        connectors(vec![self.rule()])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connectors under a policy with these exceptions.
pub(crate) fn connectors(allow: Vec<AllowRule>) -> ConnectorSet {
    connectors_with(allow, MemoryTeamSecrets::default())
}

/// Connectors with these credentials.
pub(crate) fn connectors_with(allow: Vec<AllowRule>, secrets: MemoryTeamSecrets) -> ConnectorSet {
    ConnectorSet::new(Egress::new(EgressPolicy { allow }), Arc::new(secrets))
}

/// Answers with what was asked, and by which connection.
async fn echo(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Json<Value> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text =
        |value: &axum::http::HeaderValue| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned());
    let headers: Map<String, Value> =
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Json(json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
        "peer": peer.to_string(),
    }))
}

pub(crate) fn call(node_type: &str, config: Value) -> Call {
    Call {
        team_id: "01999999-0000-7000-8000-000000000001".parse().unwrap(),
        run_id: "01999999-0000-7000-8000-000000000002".parse().unwrap(),
        node: "fetch".into(),
        attempt: 1,
        node_type: node_type.to_owned(),
        config,
        secrets: Vec::new(),
        idempotency_key: "01999999-0000-7000-8000-000000000002:fetch:0".to_owned(),
        timeout_s: 30,
    }
}

pub(crate) async fn run(connectors: &ConnectorSet, node_type: &str, config: Value) -> Executed {
    connectors.execute(&call(node_type, config), AMPLE).await
}

/// The output of a call that must succeed.
pub(crate) async fn output(connectors: &ConnectorSet, node_type: &str, config: Value) -> Value {
    run(connectors, node_type, config).await.outcome.unwrap()
}

/// The failure of a call that must fail.
pub(crate) async fn failure(connectors: &ConnectorSet, node_type: &str, config: Value) -> Failure {
    run(connectors, node_type, config).await.outcome.unwrap_err()
}

/// Asserts that the call is refused by the egress rule `rule`.
#[track_caller]
pub(crate) fn assert_refused(failure: &Failure, rule: &str) {
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (ErrorClass::Permanent, "egress_refused"),
        "{failure:?}"
    );
    assert!(failure.message.ends_with(&format!("(rule: {rule})")), "{rule}: {}", failure.message);
}

/// A resolver that gives its answers one after the other, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn new<const N: usize>(answers: [&[&str]; N]) -> Arc<Self> {
        let answer = |names: &&[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let answers = answers.iter().map(answer).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Script {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        self.answers.lock().unwrap().pop_front().ok_or_else(|| io::Error::other("no such name"))
    }
}
