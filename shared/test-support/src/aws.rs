//! The emulated AWS: clients that count their requests, and a table, queue or bucket per test.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::Credentials,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

/// Names the emulator's URL, such as `http://127.0.0.1:4566`.
pub const ENDPOINT: &str = "HEDDLE_TEST_AWS_ENDPOINT";

/// A connection to the emulator.
pub struct Emulator {
    /// For any client.
    pub sdk: SdkConfig,
    /// What those clients asked.
    pub requests: Arc<Requests>,
}

impl Emulator {
    /// Connects; panics with what to do when no emulator is named.
    pub async fn connect() -> Self {
        let endpoint = std::env::var(ENDPOINT)
            .unwrap_or_else(|_| panic!("{ENDPOINT} is not set: run `make test`, which starts the emulator"));
        let requests = Arc::new(Requests::default());
        let inner = aws_smithy_http_client::Builder::new().build_http();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(endpoint)
            .http_client(Watched { inner, requests: Arc::clone(&requests) })
            .load()
            .await;
        Self { sdk, requests }
    }

    /// A table with the keys and indexes of `template.yaml`'s run table.
    pub async fn run_table(&self) -> String {
        let name = fresh_name("runs");
        let mut create = aws_sdk_dynamodb::Client::new(&self.sdk)
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(key_schema("pk", "sk")));
        let indexes = [
            ("by_team", "team_id", "created_sk", vec!["summary", "workflow_id"]),
            ("by_workflow", "workflow_id", "created_sk", vec!["summary", "team_id"]),
            ("by_check", "check_pk", "check_at", vec!["team_id"]),
        ];
        for (index, pk, sk, projected) in indexes {
            let projected = projected.into_iter().map(str::to_owned).collect();
            let projection = Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(projected));
            let index = GlobalSecondaryIndex::builder()
                .index_name(index)
                .set_key_schema(Some(key_schema(pk, sk)))
                .projection(projection.build());
            create = create.global_secondary_indexes(index.build().expect("the index is complete"));
        }
        for key in ["pk", "sk", "team_id", "workflow_id", "created_sk", "check_pk", "check_at"] {
            let text =
                AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
            create = create.attribute_definitions(text.build().expect("the attribute is complete"));
        }
        create.send().await.expect("the emulator creates a table");
        self.requests.forget();
        name
    }

    /// A standard queue; answers its URL.
    pub async fn queue(&self) -> String {
        let create = aws_sdk_sqs::Client::new(&self.sdk).create_queue().queue_name(fresh_name("steps"));
        let created = create.send().await.expect("the emulator creates a queue");
        self.requests.forget();
        created.queue_url.expect("a queue has a URL")
    }

    /// A standard queue that hides a received message for two seconds and buries one that was received three times; answers its URL, and
    /// that of the queue where the dead letters lie.
    pub async fn impatient_queues(&self) -> (String, String) {
        let client = aws_sdk_sqs::Client::new(&self.sdk);
        let dead_url = self.queue().await;
        let dead =
            client.get_queue_attributes().queue_url(&dead_url).attribute_names(QueueAttributeName::QueueArn);
        let dead = dead.send().await.expect("the emulator describes a queue").attributes.expect("attributes");
        let arn = &dead[&QueueAttributeName::QueueArn];
        let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":3}}"#);
        let create = client.create_queue().queue_name(fresh_name("steps"));
        let create = create.attributes(QueueAttributeName::VisibilityTimeout, "2");
        let created = create.attributes(QueueAttributeName::RedrivePolicy, redrive).send().await;
        self.requests.forget();
        let created = created.expect("the emulator creates a queue");
        (created.queue_url.expect("a queue has a URL"), dead_url)
    }

    /// A bucket.
    pub fn bucket(&self) -> String {
        let name = fresh_name("blobs");
        let endpoint = self.sdk.endpoint_url().expect("the emulator's URL").trim_end_matches('/');
        put(endpoint.trim_start_matches("http://"), &format!("/{name}"));
        name
    }

    /// What the emulator tells about itself at this path: the JSON body of its answer.
    pub fn inspect(&self, path: &str) -> String {
        let endpoint = self.sdk.endpoint_url().expect("the emulator's URL").trim_end_matches('/');
        get(endpoint.trim_start_matches("http://"), path)
    }
}

/// A name that nothing else on the emulator has.
pub fn fresh_name(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{what}-{nanos}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A bare `PUT`. The client of S3 that the product uses makes no buckets, and the emulator asks for no signature.
fn put(host: &str, path: &str) {
    let mut connection = TcpStream::connect(host).expect("the emulator listens");
    let head =
        format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).expect("the emulator reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the emulator answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "PUT {path}: {answer}");
}

/// A bare `GET`; answers the body. Of HTTP 1.0, so that the body comes in one piece.
fn get(host: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(host).expect("the emulator listens");
    let head = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    connection.write_all(head.as_bytes()).expect("the emulator reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the emulator answers");
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains(" 200 ") => body.to_owned(),
        _ => panic!("GET {path}: {answer}"),
    }
}

fn key_schema(pk: &str, sk: &str) -> Vec<KeySchemaElement> {
    [(pk, KeyType::Hash), (sk, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect::<Result<_, _>>()
        .expect("the key is complete")
}

/// Requests on the wire, repeats included, by operation (`UpdateItem`); of S3 by method.
#[derive(Debug, Default)]
pub struct Requests {
    counts: Mutex<BTreeMap<String, u32>>,
    lost_answers: Mutex<BTreeSet<String>>,
}

impl Requests {
    /// Counts since the last call.
    pub fn take(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts counting anew.
    pub fn forget(&self) {
        self.take();
    }

    /// Lets the next request of this operation be executed, and its answer be lost to a timeout.
    pub fn lose_answer_of(&self, operation: &str) {
        self.lost_answers.lock().unwrap_or_else(PoisonError::into_inner).insert(operation.to_owned());
    }

    /// Counts a request; answers whether its answer is to be lost.
    fn note(&self, operation: String) -> bool {
        let lost = self.lost_answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&operation);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
        lost
    }
}

/// An HTTP client, or one of its connections, that notes what passes.
#[derive(Debug)]
struct Watched<T> {
    inner: T,
    requests: Arc<Requests>,
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Watched { inner, requests: Arc::clone(&self.requests) })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let is_lost = self.requests.note(target.unwrap_or(request.method()).to_owned());
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            if is_lost { Err(ConnectorError::timeout("the answer was lost".into())) } else { answer }
        })
    }
}
