//! Bringing messages to the workers of this process.

use std::{sync::Arc, time::Duration};

use app::ports::Delivered;
use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::oneshot;

use crate::step_queue::{EmbeddedStepQueue, Hands, POLL};

/// What `NOTIFY` is sent to when a message waits for any process.
const CHANNEL: &str = "heddle_steps";

/// The most messages that one look into the queue takes.
const MOST: usize = 32;

/// After a failure of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Where workers get their messages.
#[derive(Clone)]
pub struct Workers {
    hands: Arc<Hands>,
}

impl Workers {
    pub(crate) fn new(hands: Arc<Hands>) -> Self {
        Self { hands }
    }

    pub(crate) fn hands(&self) -> Arc<Hands> {
        Arc::clone(&self.hands)
    }

    /// The next message for a worker that has nothing to do. Cancelling it takes the worker back; a message that comes at that very
    /// moment is delivered again when this process has ended.
    pub async fn next(&self) -> Delivered {
        loop {
            let (worker, delivered) = oneshot::channel();
            self.hands.offer(worker);
            // An error: the message it was kept for could not be stored.
            if let Ok(delivered) = delivered.await {
                return delivered;
            }
        }
    }
}

/// Takes messages from the queue whenever a worker is idle, for as long as it is polled.
pub(crate) async fn dispatch(queue: Arc<EmbeddedStepQueue>, hands: Arc<Hands>) {
    loop {
        let idle = hands.count();
        if idle == 0 {
            hands.offered().await;
            continue;
        }
        let most = idle.min(MOST);
        // Before looking: what is sent from now on is either seen by this look, or reported after it.
        hands.no_backlog();
        let is_drained = match queue.take(u32::try_from(most).unwrap_or(u32::MAX)).await {
            Ok(found) => {
                let is_drained = found.len() < most;
                for delivered in found {
                    hand_over(&hands, delivered).await;
                }
                is_drained
            }
            Err(error) => {
                tracing::warn!(%error, "no messages can be received");
                tokio::time::sleep(PAUSE).await;
                true
            }
        };
        if is_drained {
            hands.work(POLL).await;
        } else {
            hands.wake();
        }
    }
}

async fn hand_over(hands: &Hands, mut delivered: Delivered) {
    loop {
        match hands.take().map(|worker| worker.send(delivered.clone())) {
            Some(Ok(())) => return,
            Some(Err(back)) => delivered = back,
            None => hands.offered().await,
        }
    }
}

/// Wakes the dispatcher when another process has sent something.
pub(crate) async fn listen(pool: PgPool, hands: Arc<Hands>) {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            while listener.recv().await.is_ok() {
                hands.wake();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
