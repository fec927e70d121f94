//! What `maintenance` does on AWS, at intervals: nothing stays stuck, and nothing is kept for ever.

use std::{sync::Arc, time::Duration};

use app::{ports::Clock, remind_runs};
use embedded::Embedded;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// How often overdue runs are looked for. They are overdue by a minute already.
const INTERVAL: Duration = Duration::from_secs(15);

/// Runs that get a hint at a time: a backlog is worked off in its order, not added to.
const AT_ONCE: u32 = 100;

/// Keeps house for as long as it is polled.
pub(crate) async fn keep(embedded: &Embedded, clock: Arc<dyn Clock>) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock.now();
        let reminded = remind_runs(&*embedded.store, &*embedded.queue, now, AT_ONCE).await;
        let forgotten = embedded.store.forget_keys(now).await;
        if let Err(error) = reminded.and(forgotten) {
            warn!(error = runtime::log::chain(&error), "overdue work could not be looked for");
        }
    }
}
