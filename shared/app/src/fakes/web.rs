//! Other servers as a map.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use serde_json::Value;

use super::lock;
use crate::ports::{StoreError, Web, WebAnswer, WebForm, unavailable};

/// A form that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentForm {
    /// Where to.
    pub url: String,
    /// Its fields.
    pub fields: HashMap<String, String>,
    /// Name and password.
    pub basic: Option<(String, String)>,
}

/// Documents by their address, and answers to forms in the order in which they are wanted. What has none does not answer.
#[derive(Default)]
pub struct MemoryWeb {
    documents: Mutex<HashMap<String, Value>>,
    answers: Mutex<VecDeque<WebAnswer>>,
    asked: Mutex<Vec<String>>,
    forms: Mutex<Vec<SentForm>>,
}

impl MemoryWeb {
    /// Publishes a document, in place of the one at this address.
    pub fn publish(&self, url: &str, document: Value) {
        lock(&self.documents).insert(url.to_owned(), document);
    }

    /// Lets a server fall silent.
    pub fn withdraw(&self, url: &str) {
        lock(&self.documents).remove(url);
    }

    /// Decides what the next form is answered.
    pub fn answer(&self, status: u16, body: Value) {
        lock(&self.answers).push_back(WebAnswer { status, body: Some(body) });
    }

    /// The addresses that were asked since the last call.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.asked))
    }

    /// The forms that were sent since the last call.
    pub fn take_forms(&self) -> Vec<SentForm> {
        std::mem::take(&mut lock(&self.forms))
    }
}

#[async_trait]
impl Web for MemoryWeb {
    async fn get(&self, url: &str) -> Result<WebAnswer, StoreError> {
        lock(&self.asked).push(url.to_owned());
        // Others get their turn, as they would while a server thinks.
        tokio::task::yield_now().await;
        let document = lock(&self.documents).get(url).cloned();
        document
            .map(|body| WebAnswer { status: 200, body: Some(body) })
            .ok_or_else(|| unavailable("read a document")("nobody answers"))
    }

    async fn post(&self, form: &WebForm<'_>) -> Result<WebAnswer, StoreError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        lock(&self.forms).push(SentForm {
            url: form.url.to_owned(),
            fields: form.fields.iter().map(owned).collect(),
            basic: form.basic.as_ref().map(owned),
        });
        let answer = lock(&self.answers).pop_front();
        answer.ok_or_else(|| unavailable("send a form")("nobody answers"))
    }
}
