//! The deployed worker's own binary, run by the test: it decides which message arrives when, and when the process dies.
//!
//! The test plays the Lambda Runtime API (AWS Lambda developer guide, "Using the Lambda runtime API"); tables, queue and bucket
//! are those of the stack.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::ports::{Hint, StepInbox};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify, mpsc},
};

use super::{Stack, deployed_binary};

/// A worker process that takes its messages from the test.
pub struct Worker {
    process: Child,
    events: mpsc::UnboundedSender<Value>,
    answers: Mutex<mpsc::UnboundedReceiver<Value>>,
}

struct RuntimeApi {
    events: Mutex<mpsc::UnboundedReceiver<Value>>,
    answers: mpsc::UnboundedSender<Value>,
    invocation: Duration,
}

impl Worker {
    /// Starts the binary. Each invocation may take `invocation`; requests to the queue go to `queue_endpoint`, which is the
    /// stack's own unless the test wants to stand in between.
    pub async fn start(stack: &Stack, invocation: Duration, queue_endpoint: Option<&str>) -> Self {
        let (events, receiver) = mpsc::unbounded_channel();
        let (sender, answers) = mpsc::unbounded_channel();
        let api = Arc::new(RuntimeApi { events: Mutex::new(receiver), answers: sender, invocation });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .with_state(api);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });

        let binary = deployed_binary("node-executor");
        let process = Command::new(&binary)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "node-executor"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_ENDPOINT_URL", &stack.endpoint),
                ("AWS_ENDPOINT_URL_SQS", queue_endpoint.unwrap_or(&stack.endpoint)),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("RUN_TABLE", &stack.run_table),
                ("EPHEMERAL_TABLE", &stack.ephemeral_table),
                // One queue for every class: nothing here is of another.
                ("STEP_QUEUE_HIGH_URL", &stack.step_queue_url),
                ("STEP_QUEUE_URL", &stack.step_queue_url),
                ("STEP_QUEUE_LOW_URL", &stack.step_queue_url),
                // No run of these tests waits so long that a timer is kept.
                ("STEP_QUEUE_ARN", "arn:aws:sqs:us-east-1:000000000000:steps"),
                ("RUN_TIMERS_ROLE_ARN", "arn:aws:iam::000000000000:role/timers"),
                ("RUN_TIMERS_GROUP", "timers"),
                ("BLOB_BUCKET", &stack.blob_bucket),
                ("EGRESS_ALLOW", "127.0.0.1/32"),
                ("LOG_LEVEL", "info"),
                ("STAGE", "test"),
                ("METRICS_NAMESPACE", "Heddle"),
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        Self { process, events, answers: Mutex::new(answers) }
    }

    /// Delivers a message without waiting for the answer.
    pub fn send(&self, hint: &Hint, receive_count: u32) {
        self.events.send(sqs_event([("0", hint, receive_count)])).expect("the worker lives");
    }

    /// Delivers a message and tells whether the worker acknowledged it.
    pub async fn deliver(&self, hint: &Hint, receive_count: u32) -> bool {
        self.send(hint, receive_count);
        self.acknowledged().await
    }

    /// Waits for the answer to a message that was sent and tells whether it was acknowledged.
    pub async fn acknowledged(&self) -> bool {
        let answer = self.answers.lock().await.recv().await.expect("an answer");
        answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty)
    }

    /// Delivers what is in a queue as Lambda's poller does: up to ten messages at a time, deleted once all are acknowledged.
    pub async fn deliver_from(&self, queue: &impl StepInbox) {
        let batch = queue.receive(10, Duration::from_secs(1)).await.expect("messages");
        if batch.is_empty() {
            return;
        }
        let messages = batch.iter().map(|message| (&*message.id, &message.hint, message.receive_count));
        self.events.send(sqs_event(messages)).expect("the worker lives");
        assert!(self.acknowledged().await, "a message was not acknowledged");
        for message in batch {
            queue.done(&message.receipt).await.expect("a deleted message");
        }
    }

    /// The most memory that the process has had resident so far, in bytes (Linux).
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    /// SIGKILL: nothing of the process gets to run any more.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself, when the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let Some(event) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + api.invocation;
    (
        [
            ("lambda-runtime-aws-request-id", uuid::Uuid::now_v7().to_string()),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            (
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:node-executor".into(),
            ),
            ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000".into()),
        ],
        event.to_string(),
    )
        .into_response()
}

async fn answered(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> StatusCode {
    // The test may have ended without waiting for the answer.
    let _ = api.answers.send(serde_json::from_slice(&body).unwrap_or_default());
    StatusCode::ACCEPTED
}

async fn failed(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> StatusCode {
    let _ = api.answers.send(json!({"failed": String::from_utf8_lossy(&body)}));
    StatusCode::ACCEPTED
}

/// The event that Lambda's SQS poller makes of messages: the id, the hint and the receive count of each.
fn sqs_event<'a>(messages: impl IntoIterator<Item = (&'a str, &'a Hint, u32)>) -> Value {
    let records = messages.into_iter().map(|(id, hint, receive_count)| {
        json!({
            "messageId": id,
            "receiptHandle": "none",
            "body": serde_json::to_string(hint).expect("JSON"),
            "attributes": {
                "ApproximateReceiveCount": receive_count.to_string(),
                "SentTimestamp": "1700000000000",
                "SenderId": "test",
                "ApproximateFirstReceiveTimestamp": "1700000000001",
            },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:steps",
            "awsRegion": "us-east-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// An endpoint that takes connections and never answers: whoever sends to it stays where it is.
pub struct BlackHole {
    pub url: String,
    touched: Arc<Notify>,
}

impl BlackHole {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let touched = Arc::new(Notify::new());
        let notify = touched.clone();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
                notify.notify_one();
            }
        });
        Self { url, touched }
    }

    /// Returns once someone has connected.
    pub async fn touched(&self) {
        self.touched.notified().await;
    }
}
