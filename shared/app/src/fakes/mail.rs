//! A mailbox as a list.

use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::ports::{Mail, Mailer, StoreError};

/// Keeps what was sent until a test takes it.
#[derive(Debug, Default)]
pub struct MemoryMailer(Mutex<Vec<Mail>>);

impl MemoryMailer {
    /// Everything sent since the last call, in order.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut lock(&self.0))
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, mail: &Mail) -> Result<(), StoreError> {
        lock(&self.0).push(mail.clone());
        Ok(())
    }
}
