//! Everything that a stack has stored and logged, and a search in it.

use std::{fs, path::Path};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use flate2::{Decompress, FlushDecompress};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use test_support::aws::Emulator;

use super::Stack;

/// What control items are deflated with.
const DICTIONARY: &[u8] = include_bytes!("../../../shared/runstore/src/compact/dictionary-1.txt");

/// Bytes that were left behind, with the place of each.
#[derive(Default)]
pub struct Traces(Vec<(String, Vec<u8>)>);

impl Traces {
    pub fn add(&mut self, place: impl Into<String>, bytes: &[u8]) {
        self.0.push((place.into(), bytes.to_vec()));
    }

    /// The places where `value` stands: as it is, in JSON (once or twice), hex, percent-encoded, or in base64 wherever in a longer text.
    pub fn holding(&self, value: &str) -> Vec<String> {
        let quoted = |text: &str| {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let hex = hex::encode(value);
        let percent: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let mut forms = vec![value.to_owned(), quoted(value), quoted(&quoted(value)), percent];
        forms.extend([hex.to_uppercase(), hex]);
        for before in 0..3 {
            let encoded = BASE64_STANDARD_NO_PAD.encode([&[0; 2][..before], value.as_bytes()].concat());
            let whole = encoded[(before * 8).div_ceil(6)..(before + value.len()) * 8 / 6].to_owned();
            forms.push(whole.replace('+', "-").replace('/', "_"));
            forms.push(whole);
        }
        let holds = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            forms.iter().any(|form| text.contains(form))
        };
        self.0.iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place.clone()).collect()
    }

    /// The places where this text stands as it is.
    pub fn with_text(&self, text: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text));
        found.map(|(place, _)| place.as_str()).collect()
    }

    fn attribute(&mut self, place: &str, attribute: &AttributeValue) {
        match attribute {
            AttributeValue::S(text) | AttributeValue::N(text) => self.add(place, text.as_bytes()),
            AttributeValue::B(bytes) => {
                self.add(place, bytes.as_ref());
                self.add(place, &inflated(bytes.as_ref()).unwrap_or_default());
            }
            AttributeValue::M(map) => {
                for (name, value) in map {
                    self.attribute(&format!("{place}.{name}"), value);
                }
            }
            AttributeValue::L(items) => {
                for item in items {
                    self.attribute(place, item);
                }
            }
            other => self.add(place, format!("{other:?}").as_bytes()),
        }
    }
}

fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.strip_prefix(&[1])?;
    let mut inflate = Decompress::new(false);
    inflate.set_dictionary(DICTIONARY).ok()?;
    let mut text = Vec::with_capacity(4_000_000);
    inflate.decompress_vec(bytes, &mut text, FlushDecompress::Finish).ok()?;
    Some(text)
}

/// DynamoDB, S3 and the logs of an emulated AWS, and what its services have printed.
pub async fn of_aws(stack: &Stack) -> Traces {
    let mut traces = Traces::default();
    let dynamodb = aws_sdk_dynamodb::Client::new(&Emulator::connect().await.sdk);
    for table in [&stack.run_table, &stack.ephemeral_table] {
        let mut pages = dynamodb.scan().table_name(table).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.expect("an item");
            let place = format!("{table} {:?} {:?}", item["pk"], item["sk"]);
            for (name, attribute) in &item {
                traces.attribute(&format!("{place} {name}"), attribute);
            }
        }
    }
    for key in keys_of(stack).await {
        let object = fetch(stack, &format!("/{}/{key}", stack.blob_bucket)).await;
        traces.add(format!("s3 {key}"), &object);
    }
    for (function, deployed) in &stack.functions {
        traces.add(
            format!("log of {function}"),
            logged(stack, &format!("/aws/lambda/{deployed}")).await.as_bytes(),
        );
    }
    of_folder(Path::new(&stack.logs_dir), &mut traces);
    traces
}

/// Every file below a folder.
pub fn of_folder(folder: &Path, traces: &mut Traces) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            of_folder(&path, traces);
        } else {
            traces.add(path.display().to_string(), &fs::read(&path).unwrap_or_default());
        }
    }
}

/// Every row of every table, as Postgres writes it.
pub async fn of_postgres(database: &PgPool, traces: &mut Traces) {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select schemaname::text, tablename::text from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(database)
    .await
    .expect("tables");
    assert!(tables.len() > 40, "{tables:?}");
    for (schema, table) in tables {
        let rows = format!(r#"select t::text from "{schema}"."{table}" t"#);
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(database).await.expect("rows");
        traces.add(format!("postgres {schema}.{table}"), rows.join("\n").as_bytes());
        // Bytes are shown in hex.
        for row in &rows {
            for hex in row.split("\\x").skip(1) {
                let digits: Vec<u8> = hex.bytes().take_while(u8::is_ascii_hexdigit).collect();
                let bytes = hex::decode(digits).unwrap_or_default();
                traces.add(format!("postgres {schema}.{table}, bytes"), &bytes);
            }
        }
    }
}

async fn keys_of(stack: &Stack) -> Vec<String> {
    let (mut keys, mut after) = (Vec::<String>::new(), String::new());
    loop {
        let page = fetch(stack, &format!("/{}?list-type=2{after}", stack.blob_bucket)).await;
        let page = String::from_utf8_lossy(&page).into_owned();
        let found: Vec<_> = page
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned()))
            .collect();
        let last = found.last().cloned();
        keys.extend(found);
        match last.filter(|_| page.contains("<IsTruncated>true")) {
            Some(last) => after = format!("&start-after={last}"),
            None => return keys,
        }
    }
}

async fn fetch(stack: &Stack, path: &str) -> Vec<u8> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let get = client.get(format!("{}{path}", stack.endpoint)).header("authorization", signed_for("s3"));
    let answer = get.send().await.expect("the emulator answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.bytes().await.expect("a body").to_vec()
}

/// All lines of a log group.
async fn logged(stack: &Stack, group: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (mut text, mut wanted) = (String::new(), json!({"logGroupName": group}));
    loop {
        let post = client.post(&stack.endpoint).header("x-amz-target", "Logs_20140328.FilterLogEvents");
        let post = post
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", signed_for("logs"));
        let page = post.body(wanted.to_string()).send().await.expect("the emulator answers");
        let page: Value = serde_json::from_str(&page.text().await.expect("a body")).expect("JSON");
        for event in page["events"].as_array().into_iter().flatten() {
            text += event["message"].as_str().unwrap_or_default();
            text.push('\n');
        }
        match page["nextToken"].as_str() {
            Some(next) => wanted["nextToken"] = next.into(),
            None => return text,
        }
    }
}

/// The emulator reads of a signature which service is meant.
fn signed_for(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}
