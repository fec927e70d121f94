//! The idle workers of this process, and what wakes the one who looks for their work.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::ports::Delivered;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

/// Workers that wait for a message.
#[derive(Debug, Default)]
pub(crate) struct Hands {
    idle: Mutex<VecDeque<oneshot::Sender<Delivered>>>,
    /// Messages wait in the queue that no worker of this process was free for. Until they are taken, a new one has to queue up as well:
    /// it would push in front of other teams.
    has_backlog: AtomicBool,
    /// When the next delayed message of this process is due.
    due: Mutex<Option<Instant>>,
    woken: Notify,
    offered: Notify,
}

impl Hands {
    /// A worker offers itself for one message.
    pub(crate) fn offer(&self, worker: oneshot::Sender<Delivered>) {
        self.idle().push_back(worker);
        self.offered.notify_one();
    }

    /// Takes an idle worker for a message that is about to be sent; None if the message has to queue up. Once it is durable,
    /// [`Hands::expect_work_in`] wakes whoever looks through the queue.
    pub(crate) fn keep(&self) -> Option<oneshot::Sender<Delivered>> {
        if self.has_backlog.load(Ordering::Acquire) {
            return None;
        }
        let worker = self.take();
        if worker.is_none() {
            self.has_backlog.store(true, Ordering::Release);
        }
        worker
    }

    /// Takes an idle worker.
    pub(crate) fn take(&self) -> Option<oneshot::Sender<Delivered>> {
        let mut idle = self.idle();
        while let Some(worker) = idle.pop_front() {
            if !worker.is_closed() {
                return Some(worker);
            }
        }
        None
    }

    /// How many workers are idle. One that has stopped is none: what was received for it would wait for the end of the process.
    pub(crate) fn count(&self) -> usize {
        let mut idle = self.idle();
        idle.retain(|worker| !worker.is_closed());
        idle.len()
    }

    /// Notes that nothing waits in the queue any more, as far as is known.
    pub(crate) fn no_backlog(&self) {
        self.has_backlog.store(false, Ordering::Release);
    }

    /// Notes that a message will be due, and that it has to be looked for then.
    pub(crate) fn expect_work_in(&self, delay: Duration) {
        let at = Instant::now() + delay;
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.is_none_or(|due| at < due) {
            *due = Some(at);
            self.woken.notify_one();
        }
    }

    /// Wakes whoever waits for work.
    pub(crate) fn wake(&self) {
        self.has_backlog.store(true, Ordering::Release);
        self.woken.notify_one();
    }

    /// Waits until there may be work to look for, at the latest until `at_most` is over.
    pub(crate) async fn work(&self, at_most: Duration) {
        let end = Instant::now() + at_most;
        loop {
            let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let until = due.map_or(end, |due| due.min(end));
            tokio::select! {
                () = self.woken.notified() => {
                    if self.has_backlog.load(Ordering::Acquire) {
                        return;
                    }
                }
                () = tokio::time::sleep_until(until) => {
                    let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                    if due.is_some_and(|due| due <= Instant::now()) {
                        *due = None;
                    }
                    return;
                }
            }
        }
    }

    /// Waits until a worker may be idle.
    pub(crate) async fn offered(&self) {
        self.offered.notified().await;
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<Delivered>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_has_stopped_is_not_idle() {
        let hands = Hands::default();
        let (stopped, _) = oneshot::channel();
        let (waiting, _receiver) = oneshot::channel();
        hands.offer(stopped);
        assert_eq!(hands.count(), 0);
        hands.offer(waiting);
        assert_eq!(hands.count(), 1);
        assert!(hands.keep().is_some());
    }

    #[test]
    fn while_messages_wait_a_new_one_queues_up_behind_them() {
        let hands = Hands::default();
        assert!(hands.keep().is_none(), "nobody is idle");
        let (waiting, _receiver) = oneshot::channel();
        hands.offer(waiting);
        assert!(hands.keep().is_none(), "another message was there before");
        hands.no_backlog();
        assert!(hands.keep().is_some());
    }
}
