//! Worker processes: they take messages, one invocation each, and are lost now and then. And the maintenance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::{
    Delivery, MessageName, Worker, advance_run,
    ports::{Clock, Polling},
    remind_runs,
};
use chrono::TimeDelta;
use domain::RunId;
use tokio::time::{sleep, timeout};

use crate::{
    bugs::Bug, chance::Dice, clock::SimClock, connectors::SimConnectors, executor::Process, queue::Message,
    world::World,
};

/// The process of the maintenance.
pub const MAINTENANCE: Process = 900;

/// Runs that one turn of the maintenance reminds of.
const REMINDED: u32 = 100;

/// A worker process.
pub struct WorkerProcess {
    worker: Worker,
    clock: SimClock,
}

impl WorkerProcess {
    /// The process of this number, in its `life`th life.
    pub fn new(world: &World, process: Process, life: u32) -> Self {
        let dice = Dice::of(world.seed, &format!("process {process} life {life}"));
        let network = Arc::clone(&world.network);
        let skew = i64::try_from(dice.between(0, 2 * network.weather.skew_ms)).unwrap_or_default()
            - i64::try_from(network.weather.skew_ms).unwrap_or_default();
        let clock = network.clock.skewed(skew);
        let connectors = SimConnectors::new(world.seed, network, Arc::clone(&world.judge), world.bug);
        let conductor = Arc::new(world.conductor_of(process + life, clock));
        let worker = Worker::new(conductor, Arc::new(connectors), Arc::new(Polling));
        Self { worker, clock }
    }
}

/// Invocations that are at work.
#[derive(Default)]
pub struct AtWork {
    count: AtomicUsize,
    /// In milliseconds of the seed.
    full_until: AtomicU64,
}

impl AtWork {
    /// How many.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Until when there were as many as there may be, the last time.
    pub fn full_until(&self) -> Duration {
        Duration::from_millis(self.full_until.load(Ordering::Relaxed))
    }
}

/// One of them, for as long as it lives.
struct Seat(Arc<World>);

impl Seat {
    fn take(world: &Arc<World>) -> Self {
        world.at_work.count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(world))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (at_work, network) = (&self.0.at_work, &self.0.network);
        if at_work.count.fetch_sub(1, Ordering::Relaxed) >= network.weather.at_once {
            let now = u64::try_from(network.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
            at_work.full_until.store(now, Ordering::Relaxed);
        }
        self.0.queue.stir();
    }
}

/// Gives messages to workers for as long as the world stands.
pub async fn dispatch(world: Arc<World>) {
    let dice = Dice::of(world.seed, "dispatch");
    loop {
        while world.at_work.count() < world.network.weather.at_once {
            let Some(message) = world.queue.receive() else { break };
            let process =
                u32::try_from(dice.below(world.network.weather.processes as usize)).unwrap_or_default();
            world.network.count("deliveries");
            let name = format!("worker {process} #{}", message.id);
            let (seat, process_of) = (Seat::take(&world), world.worker(process));
            let job = invocation(Delivered::of(&world, &message), seat, process_of, message);
            world.executor.spawn(name, Some(process), Box::pin(job));
        }
        world.queue.changed(Duration::from_secs(10)).await;
    }
}

async fn invocation(mut delivered: Delivered, _seat: Seat, process: Arc<WorkerProcess>, message: Message) {
    let world = Arc::clone(&delivered.world);
    let network = &world.network;
    network.note(|| format!("message {} received for the {}. time", message.id, message.receives));
    let lives = Duration::from_secs(network.weather.invocation_s);
    let started_on = process.clock.now();
    let deadline = started_on + TimeDelta::from_std(lives).unwrap_or_default();
    let name = MessageName::of(&message.id.to_string());
    let delivery = Delivery { message: name, receive_count: message.receives, started_on, deadline };
    let work = async {
        match advance_run(&process.worker, &message.hint, &delivery).await {
            Ok(_) => {
                // A message that is not deleted comes back, which is harmless.
                let _ = world.queue.done(message.id).await;
            }
            Err(error) => {
                network.count("messages failed");
                network.note(|| format!("message {} failed: {error}", message.id));
                if network.weather.gives_back {
                    let _ = world.queue.release(message.id).await;
                }
            }
        }
        delivered.has_ended = true;
    };
    if timeout(lives, work).await.is_err() {
        network.count("deadlines met");
        network.note(|| format!("message {}: killed at its deadline", message.id));
    }
}

/// A delivery, from the moment at which the queue hides its message. It is lost if its worker does not live to end it, its acknowledgement
/// included: who gets the message next can't tell the two apart.
struct Delivered {
    world: Arc<World>,
    run: RunId,
    has_ended: bool,
}

impl Delivered {
    fn of(world: &Arc<World>, message: &Message) -> Self {
        Self { world: Arc::clone(world), run: message.hint.run_id, has_ended: false }
    }
}

impl Drop for Delivered {
    fn drop(&mut self) {
        if !self.has_ended {
            self.world.judge.worker_lost(self.run);
        }
    }
}

/// Takes a turn of the maintenance now and then.
pub async fn maintain(world: Arc<World>) {
    if world.bug == Some(Bug::NoMaintenance) {
        return;
    }
    loop {
        sleep(Duration::from_secs(world.network.weather.maintenance_s)).await;
        world.executor.spawn("maintenance", Some(MAINTENANCE), Box::pin(turn(Arc::clone(&world))));
    }
}

async fn turn(world: Arc<World>) {
    let store = world.store_of(MAINTENANCE);
    match remind_runs(&store, &*world.queue, world.network.clock.now(), REMINDED).await {
        Ok(0) => {}
        Ok(count) => world.network.note(|| format!("{count} runs were overdue")),
        Err(error) => world.network.note(|| format!("failed: {error}")),
    }
}
