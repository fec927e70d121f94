//! The handler of `maintenance` at intervals, and what DynamoDB does by itself: nothing stays stuck, and nothing is kept for ever.

use std::{sync::Arc, time::Duration};

use app::{HintSink, ports::Clock};
use blobs::ObjectBlobs;
use catalog::Catalog;
use embedded::Embedded;
use maintenance::{Agenda, State};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;
use vault::Keeper;

use crate::secrets;

/// How often overdue runs are looked for. They are overdue by a minute already.
const INTERVAL: Duration = Duration::from_secs(15);

/// How often timers are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Timers that are handed over in one transaction.
const TIMERS_AT_ONCE: u32 = 100;

/// Lets the timers of runs fire for as long as it is polled.
pub(crate) async fn fire_timers(embedded: &Embedded, clock: Arc<dyn Clock>) {
    let (timers, sink) = (embedded.timers(clock), HintSink(Arc::clone(&embedded.queue) as _));
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        while let Ok(TIMERS_AT_ONCE) = timers.fire_due(TIMERS_AT_ONCE, &sink).await.inspect_err(|error| {
            warn!(error = runtime::log::chain(error), "timers could not fire");
        }) {}
    }
}

/// Keeps house for as long as it is polled.
pub(crate) async fn keep(
    embedded: &Embedded,
    objects: Arc<ObjectBlobs>,
    catalog: Catalog,
    keeper: Keeper,
    clock: Arc<dyn Clock>,
) {
    let (counters, challenges) = (embedded.counters(Arc::clone(&clock)), embedded.challenges());
    let answers = embedded.answers();
    let state = State {
        store: Arc::clone(&embedded.store) as _,
        ended: Arc::clone(&embedded.store) as _,
        exports: objects,
        policies: Arc::new(catalog.clone()),
        agenda: Agenda::default(),
        queue: Arc::clone(&embedded.queue) as _,
        sessions: Arc::new(catalog.clone()),
        outbox: Arc::new(catalog.clone()),
        tellers: vec![secrets::teller(catalog.clone())],
        keeper,
        clock,
    };
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let kept = maintenance::handle(&state).await;
        let forgotten = embedded.store.forget_keys(state.clock.now()).await;
        let ended = counters.forget_ended().await;
        let codes = challenges.forget_ended(state.clock.now()).await;
        let answered = answers.forget_ended(state.clock.now()).await;
        let all = [kept.map(drop), forgotten.map(drop), ended.map(drop), codes.map(drop), answered.map(drop)];
        if let Err(error) = all.into_iter().collect::<Result<(), _>>() {
            warn!(error = runtime::log::chain(&error), "the house could not be kept");
        }
    }
}
