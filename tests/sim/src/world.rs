//! Everything of one seed together, from its first message to the verdict.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use app::{
    Conductor,
    fakes::{MemoryAdmissions, MemoryCatalog, SequentialIds},
    ports::Clock as _,
};
use domain::WorkflowVersion;
use engine::Run;
use tokio::time::sleep;

use crate::{
    Play,
    bugs::{self, Bug},
    chance::Dice,
    clients::{self, Wish},
    clock::SimClock,
    dialect::Dialect,
    executor::{Executor, Fate, Process},
    flows::Flow,
    graphs::Does,
    invariants::{Rule, Violation, calls::most_attempts},
    judge::Judge,
    network::Network,
    people,
    queue::SimQueue,
    store::{SimStore, StoreClient},
    trace::Trace,
    weather::Weather,
    workers::{self, AtWork, WorkerProcess},
};

/// How often one looks whether all is done.
const LOOK: Duration = Duration::from_secs(2);

/// How long it takes at most to do what the maintenance reminded of, where nothing goes wrong.
const LAPSE: Duration = Duration::from_secs(10);

/// Messages that the queue may be sent for each attempt that a run's nodes may come to.
const MESSAGES: u64 = 40;

/// The world of a seed.
pub struct World {
    /// The seed.
    pub seed: u64,
    /// The bug that is planted.
    pub bug: Option<Bug>,
    /// Time and requests.
    pub network: Arc<Network>,
    /// Who goes on.
    pub executor: Executor,
    /// The steps queue.
    pub queue: Arc<SimQueue>,
    /// Who watches.
    pub judge: Arc<Judge>,
    /// The workflows.
    pub flows: Vec<Arc<Flow>>,
    /// The catalog that starts are checked against.
    pub catalog: MemoryCatalog,
    /// Ids of runs.
    pub ids: SequentialIds,
    /// Invocations that are at work.
    pub at_work: AtWork,
    store: Arc<SimStore>,
    workers: Mutex<Vec<Arc<WorkerProcess>>>,
    lives: AtomicU32,
    clients: AtomicU32,
    is_over: AtomicBool,
}

impl World {
    /// The world of a seed with these clients, inside a runtime whose clock is paused.
    pub fn new(seed: u64, play: Play, flows: Vec<Arc<Flow>>, trace: Arc<Trace>) -> Arc<Self> {
        let Play { bug, is_strict } = play;
        let network = Arc::new(Network::new(seed, Weather::of(seed), trace));
        let judge = Arc::new(Judge::new(Arc::clone(&network), flows.clone(), is_strict));
        let queue = Arc::new(SimQueue::new(seed, Arc::clone(&network)));
        let store = Arc::new(SimStore::new(Arc::clone(&network), Arc::clone(&judge), Arc::clone(&queue)));
        let catalog = MemoryCatalog::default();
        for flow in &flows {
            let version = published(flow, bug);
            // Those that others run are in the run store since these were published; the others come there with their first run.
            if flows.iter().any(|other| other.uses(flow)) {
                store.publish(&version);
            }
            catalog.put_version(version);
        }
        let world = Self {
            seed,
            bug,
            network,
            executor: Executor::default(),
            queue,
            judge,
            flows,
            catalog,
            ids: SequentialIds::default(),
            at_work: AtWork::default(),
            store,
            workers: Mutex::default(),
            lives: AtomicU32::new(0),
            clients: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        };
        let first = (0..world.network.weather.processes)
            .map(|process| Arc::new(WorkerProcess::new(&world, process, 0)));
        *world.workers.lock().unwrap_or_else(PoisonError::into_inner) = first.collect();
        Arc::new(world)
    }

    /// Plays the world to its end and judges it.
    pub async fn play(self: &Arc<Self>, wishes: Vec<Wish>) {
        let world = || Arc::clone(self);
        self.executor.spawn("dispatcher", None, Box::pin(workers::dispatch(world())));
        self.executor.spawn("maintenance", None, Box::pin(workers::maintain(world())));
        self.executor.spawn("referee", None, Box::pin(referee(world())));
        if self.flows.iter().any(|flow| flow.asks()) {
            for number in 0..people::PEOPLE {
                let job = people::person(world(), number);
                self.executor.spawn(format!("person {number}"), None, Box::pin(job));
            }
        }
        for (number, wish) in (0..).zip(wishes) {
            self.clients.fetch_add(1, Ordering::Relaxed);
            let world = world();
            let job = async move {
                clients::client(Arc::clone(&world), number, wish).await;
                world.clients.fetch_sub(1, Ordering::Relaxed);
            };
            self.executor.spawn(format!("client {number}"), None, Box::pin(job));
        }
        self.executor.play(&Dice::of(self.seed, "executor"), &**self).await;
        if !self.judge.has_found() {
            for run in self.store.ids() {
                if let Some(stored) = self.store.peek(run) {
                    self.network.count(stored.run.status.as_str());
                }
            }
            self.judge.closes(|run| self.store.peek(run), self.seed);
        }
    }

    /// The store as this process reaches it. Every second process runs the version of tomorrow.
    pub fn store_of(&self, process: Process) -> StoreClient {
        let dialect = if process.is_multiple_of(2) { Dialect::Today } else { Dialect::Tomorrow };
        StoreClient::new(Arc::clone(&self.store), dialect, self.bug)
    }

    /// What moves runs where requests of this client, or person, are handled.
    pub fn conductor_for(&self, number: u32) -> Arc<Conductor> {
        Arc::new(self.conductor_of(number, self.network.clock))
    }

    /// What moves runs in this process, by this clock.
    pub fn conductor_of(&self, process: Process, clock: SimClock) -> Conductor {
        let chance = Dice::of(self.seed, &format!("jitter of {process}"));
        Conductor::new(
            Arc::new(self.store_of(process)),
            Arc::clone(&self.queue) as _,
            Arc::clone(&self.queue) as _,
            // No team of this world is limited.
            Arc::new(MemoryAdmissions::default()),
            Arc::new(clock),
            Arc::new(chance),
        )
    }

    /// The worker process of this number, as it lives now.
    pub fn worker(&self, process: Process) -> Arc<WorkerProcess> {
        Arc::clone(&self.workers.lock().unwrap_or_else(PoisonError::into_inner)[process as usize])
    }

    fn is_quiet(&self) -> bool {
        self.clients.load(Ordering::Relaxed) == 0
            && self.at_work.count() == 0
            && self.queue.is_empty()
            && !self.store.has_open()
    }

    /// When every run must have ended: each attempt may take its time, fail, wait, and be looked after late, one after the other.
    fn patience(&self) -> Duration {
        let weather = &self.network.weather;
        let lapse = weather.invocation_s + weather.maintenance_s + 200;
        let of_node = |does: &Does| match does {
            Does::Call(call) => {
                u64::from(most_attempts(call)) * (u64::from(call.seconds() + call.longest_delay_s()) + lapse)
            }
            Does::Wait(seconds) => u64::from(*seconds),
            // People look once a minute, and may look at another approval first.
            Does::Ask(_) => 2_000,
            _ => 0,
        };
        let runs = self.judge.sum(|task| 600 + task.sum(of_node));
        weather.calm_after + Duration::from_secs(600 + runs)
    }

    /// In calm weather, while workers are idle and have been for a moment, no run is left alone for longer than the maintenance takes (engine.md,
    /// Advancing a run).
    fn check_looked_after(&self) {
        let (weather, elapsed) = (&self.network.weather, self.network.clock.elapsed());
        let lapse = Duration::from_secs(weather.maintenance_s) + LAPSE;
        let is_busy = self.at_work.count() >= weather.at_once;
        if is_busy || elapsed < weather.calm_after + lapse || elapsed < self.at_work.full_until() + LAPSE {
            return;
        }
        let latest = self.network.clock.now() - lapse;
        // Who waits for other runs looks at them again with every turn, once its check has passed, and has nothing to commit.
        let waits = |run: &Run| !run.children.is_empty();
        let overdue = |run: &Run| !waits(run) && run.next_check_on.is_some_and(|check| check < latest);
        for run in self.store.open(overdue) {
            let story = format!("nobody has looked at it for {lapse:?} after its next check: {run:#?}");
            self.judge.objects(Violation::new(Rule::IsLookedAfter, story));
        }
    }

    fn most_messages(&self) -> u64 {
        let of_node = |does: &Does| match does {
            Does::Call(call) => u64::from(most_attempts(call)),
            Does::Run(_) | Does::Each(_) | Does::Ask(_) | Does::Wait(_) => 1,
            _ => 0,
        };
        let nodes = self.judge.sum(|task| 5 + task.sum(of_node));
        // Who waits for others looks whether their messages were lost, and has them sent again.
        let looks = self.network.clock.elapsed().as_secs() / self.network.weather.maintenance_s;
        nodes * (MESSAGES + looks)
    }
}

/// Ends the world when all is quiet, or when it is not in time.
async fn referee(world: Arc<World>) {
    loop {
        sleep(LOOK).await;
        if world.is_quiet() {
            break;
        }
        if world.network.clock.elapsed() > world.patience() {
            for run in world.store.open(|_| true) {
                world.judge.objects(Violation::new(Rule::ReachesAnEnd, format!("{run:#?}")));
            }
            let left = format!("{} messages after {:?}", world.queue.len(), world.network.clock.elapsed());
            world.judge.objects(Violation::new(Rule::Messages, left));
            break;
        }
        world.check_looked_after();
        if world.queue.sent() > world.most_messages() {
            let sent = format!("{} were sent", world.queue.sent());
            world.judge.objects(Violation::new(Rule::Messages, sent));
            break;
        }
    }
    world.is_over.store(true, Ordering::Relaxed);
}

fn published(flow: &Flow, bug: Option<Bug>) -> WorkflowVersion {
    let mut version = WorkflowVersion::clone(&flow.version);
    if bug == Some(Bug::ForgottenParent) {
        version.graph = bugs::without_a_parent(version.graph);
    }
    version
}

impl Fate for World {
    fn turn_to(&self, name: &str) {
        self.network.turn_to(name);
    }

    fn is_lost(&self, process: Process) -> bool {
        if !self.network.meets("processes lost", self.network.weather.lost) {
            return false;
        }
        self.network.note(|| format!("process {process} is LOST"));
        if process < self.network.weather.processes {
            let life = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
            let next = Arc::new(WorkerProcess::new(self, process, life));
            self.workers.lock().unwrap_or_else(PoisonError::into_inner)[process as usize] = next;
        }
        true
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.judge.has_found()
    }
}
