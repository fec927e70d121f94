//! One message of a queue, whatever brought it.

use std::time::{Instant, SystemTime};

use crate::{Scope, metrics, panics, scope};

/// A delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's name for the message, the same at each delivery.
    pub id: String,
    /// What the sender wrote.
    pub body: String,
    /// How often it was delivered, this time included.
    pub receive_count: u32,
    /// When its handler will be stopped.
    pub deadline: SystemTime,
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Delete it.
    Done,
    /// Deliver it again when its visibility timeout ends; after the queue's maximum it goes to the dead letters.
    Redeliver,
}

/// Handles a message in a [`Scope`] of its own and writes its metrics line. Work that panics makes it come back.
pub async fn handle<W>(request_id: &str, message: Message, work: impl FnOnce(Message) -> W) -> Handled
where
    W: Future<Output = Handled>,
{
    let scope = Scope::new(request_id);
    scope.span().record("message_id", message.id.as_str());
    scope.span().record("receive_count", message.receive_count);
    let working = async {
        let started = Instant::now();
        // The work itself is begun inside, so that a panic before its first await is caught as well.
        let (handled, outcome) = match panics::caught(async { work(message).await }).await {
            Ok(Handled::Done) => (Handled::Done, "done"),
            Ok(Handled::Redeliver) => (Handled::Redeliver, "redeliver"),
            Err(panics::Panicked) => {
                scope::count(|c| c.error("panic"));
                (Handled::Redeliver, "panic")
            }
        };
        metrics::message(outcome, started.elapsed(), &scope.take_counts());
        handled
    };
    scope.run(working).await
}
