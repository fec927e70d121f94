//! Workers around `advance_run`: each takes a message, advances its run, and takes the next.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use app::{
    Delivery, Worker, advance_run,
    advance_run::MessageName,
    ports::{Clock, Delivered},
};
use chrono::TimeDelta;
use domain::RunId;
use tokio::sync::oneshot;

use super::queue::Bell;
use crate::spent::{self, Asked};

/// As long as a Lambda function may live.
const TURN: TimeDelta = TimeDelta::minutes(15);

/// What the workers share.
pub(super) struct Crew {
    worker: Worker,
    clock: Arc<dyn Clock>,
    listeners: Mutex<HashMap<RunId, oneshot::Sender<()>>>,
    messages: AtomicU64,
    calls: AtomicU64,
}

impl Crew {
    pub(super) fn new(worker: Worker, clock: Arc<dyn Clock>) -> Self {
        let (listeners, messages, calls) = Default::default();
        Self { worker, clock, listeners, messages, calls }
    }

    /// Tells when a worker ends this run.
    pub(super) fn listen(&self, run: RunId) -> oneshot::Receiver<()> {
        let (tell, heard) = oneshot::channel();
        self.listeners().insert(run, tell);
        heard
    }

    /// Forgets who listens for this run.
    pub(super) fn forget(&self, run: RunId) {
        self.listeners().remove(&run);
    }

    /// What the workers have done.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        spent::counted("worker", [("message", count(&self.messages), 0), ("call", count(&self.calls), 0)])
    }

    /// One worker, until the process ends. A message that fails comes back when the queue shows it again.
    pub(super) async fn work(self: Arc<Self>, queue: Arc<Bell>) {
        loop {
            let Ok(Delivered { id, receipt, hint, receive_count }) = queue.next().await else { return };
            let started_on = self.clock.now();
            let delivery = Delivery {
                message: MessageName::of(&id),
                receive_count,
                started_on,
                deadline: started_on + TURN,
            };
            let Ok(advanced) = advance_run(&self.worker, &hint, &delivery).await else { continue };
            self.messages.fetch_add(1, Ordering::Relaxed);
            self.calls.fetch_add(advanced.calls.into(), Ordering::Relaxed);
            let listener = advanced.run_ended.and_then(|_| self.listeners().remove(&hint.run_id));
            if let Some(listener) = listener {
                // Whoever listened may have seen the end already.
                let _ = listener.send(());
            }
            // In memory nothing can fail here.
            let _ = queue.done(&receipt).await;
        }
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<RunId, oneshot::Sender<()>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
