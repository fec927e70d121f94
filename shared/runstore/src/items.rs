//! Items as DynamoDB has them, and what one finds in them.

use std::collections::HashMap;

use app::{
    ports::{Ids, RunSummary, StoreError},
    position::RunPosition,
};
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use engine::Run;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    compact,
    error::{malformed, unavailable},
    keys::{PK, SK},
};

/// Fields of a summary that stand in `created_sk` and `workflow_id`.
const IN_KEYS: [&str; 3] = ["id", "created_on", "workflow_id"];

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An item's keys, as `GetItem` takes them and as every item begins.
pub(crate) fn keyed(pk: String, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

/// A string attribute.
pub(crate) fn text_of<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StoreError> {
    let found = item.get(name).and_then(|value| value.as_s().ok());
    found.map(String::as_str).ok_or_else(|| malformed("read an item", name))
}

/// A string attribute that holds JSON.
pub(crate) fn json_of<T: DeserializeOwned>(item: &Item, name: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text_of(item, name)?).map_err(unavailable("read an item"))
}

/// The attribute `state` of a control item.
pub(crate) fn state(run: &Run) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(run).map(compact::attribute).map_err(unavailable("write a run"))
}

/// The attribute `commit_id`, another one each time.
pub(crate) fn commit_id(ids: &dyn Ids) -> AttributeValue {
    AttributeValue::B(Blob::new(ids.next().into_bytes()))
}

/// The attribute `summary`: a map of strings, so that a list can be filtered by its fields. `error` is JSON, and `words` what of it a search
/// looks through. What the keys say is left out.
pub(crate) fn summary(run: &RunSummary) -> Result<AttributeValue, StoreError> {
    let doing = "write a summary";
    let fields = serde_json::to_value(run).map_err(unavailable(doing))?;
    let fields =
        fields.as_object().into_iter().flatten().filter(|(name, _)| !IN_KEYS.contains(&name.as_str()));
    let mut fields: Item =
        fields.filter_map(|(name, value)| Some((name.clone(), text(value.as_str()?)))).collect();
    if let Some(error) = &run.error {
        let error = serde_json::to_string(error).map_err(unavailable(doing))?;
        fields.insert("error".to_owned(), text(error));
    }
    fields.extend(run.words().map(|words| ("words".to_owned(), text(words))));
    Ok(AttributeValue::M(fields))
}

pub(crate) fn summary_of(item: &Item) -> Result<RunSummary, StoreError> {
    let fields = item.get("summary").and_then(|value| value.as_m().ok());
    let fields = fields.ok_or_else(|| malformed("list runs", "summary"))?;
    let error = fields.get("error").map(|_| json_of(fields, "error")).transpose()?;
    let strings = fields.iter().filter(|(name, _)| *name != "error");
    let strings = strings.filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone().into())));
    let position = RunPosition::parse(text_of(item, "created_sk")?)
        .ok_or_else(|| malformed("list runs", "created_sk"))?;
    let keys = json!({
        "id": position.id(), "created_on": position.created_on(), "workflow_id": text_of(item, "workflow_id")?,
    });
    let strings = strings.chain(keys.as_object().cloned().into_iter().flatten());
    let strings = serde_json::Value::Object(strings.collect());
    let run: RunSummary = serde_json::from_value(strings).map_err(unavailable("list runs"))?;
    Ok(RunSummary { error, ..run })
}
