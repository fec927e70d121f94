//! The workers of this process: each takes a message, advances its run, and takes the next.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use app::{
    Conductor, Worker,
    ports::{Delivered, Ids, RunStore, StepInbox as _, TeamSecrets},
};
use connectors::{
    CircuitBreaker, ConnectorSet,
    egress::{Egress, EgressPolicy},
};
use embedded::{Embedded, EmbeddedStepQueue, Workers};
use node_executor::State;
use runtime::{
    Boot,
    message::{self, Handled, Message},
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// How long a message may be worked on, as long as a Lambda function may live. Well below the queue's visibility timeout.
const TURN: Duration = Duration::from_mins(15);

/// The longest pause before a message that failed comes back.
const LONGEST_PAUSE_S: u32 = 60;

/// Workers that share everything but their messages.
pub(crate) struct Crew {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// What a worker works with.
struct Bench {
    workers: Workers,
    queue: Arc<EmbeddedStepQueue>,
    state: State,
    ids: Arc<dyn Ids>,
}

impl Crew {
    /// Lets `count` workers work on what comes from the queue, with this conductor on the embedded stores. Calls go where `egress` lets them,
    /// with the credentials that `secrets` opens.
    pub(crate) fn start(
        count: u32,
        embedded: &Embedded,
        conductor: Arc<Conductor>,
        egress: EgressPolicy,
        secrets: Arc<dyn TeamSecrets>,
        boot: &Boot,
    ) -> Self {
        let queue = Arc::clone(&embedded.queue);
        let counters = Arc::new(embedded.counters(Arc::clone(&boot.clock)));
        let connectors = ConnectorSet::new(Egress::new(egress), secrets);
        let connectors = CircuitBreaker::new(connectors, counters, Arc::clone(&boot.clock));
        let worker = Worker::new(conductor, Arc::new(connectors), Arc::clone(&embedded.ends) as _);
        let bench = Arc::new(Bench {
            workers: embedded.workers.clone(),
            queue,
            state: State { worker, clock: Arc::clone(&boot.clock) },
            ids: Arc::clone(&boot.ids),
        });
        let (stop, _) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            tasks.spawn(Arc::clone(&bench).work(stop.subscribe()));
        }
        Self { stop, tasks }
    }

    /// Takes no more messages, and waits until those under way are handled, for at most `grace`. Answers whether they were.
    pub(crate) async fn finish(mut self, grace: Duration) -> bool {
        self.stop.send_replace(true);
        timeout(grace, async { while self.tasks.join_next().await.is_some() {} }).await.is_ok()
    }
}

/// What moves runs on the embedded stores. Commits go through `store`, which stands on the embedded one.
pub(crate) fn conductor(embedded: &Embedded, store: Arc<dyn RunStore>, boot: &Boot) -> Arc<Conductor> {
    let timers = Arc::new(embedded.timers(Arc::clone(&boot.clock)));
    let admissions = Arc::new(embedded.admissions());
    let (clock, chance) = (Arc::clone(&boot.clock), Arc::clone(&boot.chance));
    Arc::new(Conductor::new(store, Arc::clone(&embedded.queue) as _, timers, admissions, clock, chance))
}

impl Bench {
    async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let delivered = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => None,
                delivered = self.workers.next() => Some(delivered),
            };
            match delivered {
                Some(delivered) => self.handle(delivered).await,
                None => return,
            }
        }
    }

    async fn handle(&self, delivered: Delivered) {
        let Delivered { id, receipt, hint, receive_count } = delivered;
        let started_on = self.state.clock.now();
        // Plain data with text keys: writing it can't fail.
        let body = serde_json::to_string(&hint).unwrap_or_default();
        let message = Message { id, body, receive_count, deadline: SystemTime::from(started_on) + TURN };
        let request_id = self.ids.next().to_string();
        let handled = message::handle(&request_id, message, async |message| {
            node_executor::handle(&self.state, started_on, &message).await
        });
        let acknowledged = match Box::pin(handled).await {
            Handled::Done => self.queue.done(&receipt).await,
            Handled::Redeliver => self.queue.release(&receipt, pause_s(receive_count)).await,
        };
        if let Err(error) = acknowledged {
            // It comes back by itself, and finds nothing to do if it was done.
            tracing::warn!(error = runtime::log::chain(&error), "a message could not be acknowledged");
        }
    }
}

/// How long a message that failed stays away: twice as long each time.
fn pause_s(receive_count: u32) -> u32 {
    1_u32.checked_shl(receive_count.saturating_sub(1)).unwrap_or(LONGEST_PAUSE_S).min(LONGEST_PAUSE_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_fails_stays_away_longer_each_time() {
        let pauses = [0, 1, 2, 3, 6, 7, 20, 31, 32, 33, u32::MAX].map(pause_s);
        assert_eq!(pauses, [1, 1, 2, 4, 32, 60, 60, 60, 60, 60, 60]);
    }
}
