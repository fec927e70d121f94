//! Breakers before connectors that answer as a test says.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use app::{
    fakes::{ManualClock, MemoryCounters, ScriptedConnectors, team},
    ports::{Count, StoreError},
};
use domain::TeamId;
use serde_json::{Value, json};

use super::{circuit::THRESHOLD, *};

const BUDGET: Duration = Duration::from_secs(30);

/// Counters that can fail, and count how often they are asked.
struct Watched {
    inner: MemoryCounters,
    asked: AtomicU32,
    is_down: AtomicBool,
}

#[async_trait]
impl Counters for Watched {
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::Conflict);
        }
        self.inner.add(key, n, window).await
    }
}

/// A deployment: hosts that are down or not, and processes that share counters.
struct World {
    clock: Arc<ManualClock>,
    counters: Arc<Watched>,
    down: Arc<Mutex<HashSet<String>>>,
    ours: TeamId,
}

type Process = CircuitBreaker<ScriptedConnectors>;

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let counters = Watched {
            inner: MemoryCounters::new(clock.clone()),
            asked: AtomicU32::new(0),
            is_down: AtomicBool::new(false),
        };
        Self { clock, counters: Arc::new(counters), down: Arc::default(), ours: team() }
    }

    fn process(&self) -> Process {
        let down = Arc::clone(&self.down);
        let connectors = ScriptedConnectors::new(move |call| {
            let url = Url::parse(call.config["url"].as_str().unwrap()).unwrap();
            let code = if down.lock().unwrap().contains(url.host_str().unwrap()) { 503 } else { 200 };
            match url.path() {
                "/missing" => Err(Failure::new(ErrorClass::Permanent, "http_status", "404")),
                "/refused" => Err(Failure::new(ErrorClass::Permanent, "egress_refused", "private")),
                _ if code == 503 => Err(Failure::new(ErrorClass::Transient, "http_status", "503")),
                _ => Ok(json!(code)),
            }
        });
        CircuitBreaker::new(connectors, self.counters.clone(), self.clock.clone())
    }

    fn break_down(&self, host: &str) {
        self.down.lock().unwrap().insert(host.to_owned());
    }

    fn repair(&self, host: &str) {
        self.down.lock().unwrap().remove(host);
    }

    async fn call(&self, process: &Process, url: &str) -> Executed {
        process.execute(&call(self.ours, url), BUDGET).await
    }

    /// Calls until the circuit is open.
    async fn open(&self, process: &Process, url: &str) {
        for _ in 0..THRESHOLD {
            assert_eq!(code(&self.call(process, url).await), "http_status");
        }
        assert_eq!(code(&self.call(process, url).await), "circuit_open");
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    fn asked(&self) -> u32 {
        self.counters.asked.swap(0, Ordering::Relaxed)
    }
}

fn call(team_id: TeamId, url: &str) -> Call {
    Call {
        team_id,
        run_id: "01999999-0000-7000-8000-000000000002".parse().unwrap(),
        node: "fetch".into(),
        attempt: 1,
        node_type: "get_api".to_owned(),
        config: json!({ "url": url }),
        secrets: Vec::new(),
        idempotency_key: "k".to_owned(),
        timeout_s: 30,
    }
}

fn code(executed: &Executed) -> &str {
    executed.outcome.as_ref().err().map_or("", |failure| failure.code.as_str())
}

#[tokio::test]
async fn a_host_that_keeps_failing_is_left_alone_and_called_again_once_it_recovers() {
    let world = World::new();
    let process = world.process();
    world.break_down("a.example");
    world.open(&process, "https://a.example/orders?key=s3cret").await;

    world.wait(3);
    let refused = world.call(&process, "https://a.example/others").await;
    let failure = refused.outcome.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "circuit_open"));
    assert_eq!(failure.retry_after_s, Some(7), "the rest of the cool-off");
    assert_eq!(failure.message, "a.example keeps failing, so nothing was sent to it");
    assert_eq!(refused.notes, ["a.example: circuit open, no request was sent; the next may go out in 7 s"]);
    assert_eq!(process.inner.calls().len(), 5, "nothing went out");

    world.repair("a.example");
    world.wait(7);
    assert_eq!(world.call(&process, "https://a.example/").await.outcome, Ok(json!(200)));
    assert_eq!(world.call(&process, "https://a.example/").await.outcome, Ok(json!(200)));
    assert_eq!(process.inner.calls().len(), 7);
}

#[tokio::test]
async fn the_attempt_that_opens_a_circuit_says_so_and_a_failed_probe_too() {
    let world = World::new();
    let process = world.process();
    world.break_down("a.example");
    for attempt in 1..=THRESHOLD {
        let notes = world.call(&process, "https://a.example:8443/").await.notes;
        let expected = "a.example:8443 keeps failing: nothing is sent to it for 10 s";
        assert_eq!(notes.iter().any(|note| note == expected), attempt == THRESHOLD, "{notes:?}");
    }
    world.wait(10);
    let notes = world.call(&process, "https://a.example:8443/").await.notes;
    assert_eq!(notes[1], "a.example:8443 keeps failing: nothing is sent to it for 20 s");
}

#[tokio::test]
async fn other_hosts_ports_and_teams_are_untouched() {
    let world = World::new();
    let process = world.process();
    world.break_down("a.example");
    world.open(&process, "https://a.example/").await;
    assert_eq!(world.call(&process, "https://b.example/").await.outcome, Ok(json!(200)));
    assert_eq!(code(&world.call(&process, "https://a.example:8443/").await), "http_status");
    assert_eq!(code(&process.execute(&call(team(), "https://a.example/"), BUDGET).await), "http_status");
    assert_eq!(code(&world.call(&process, "https://A.example:443/x").await), "circuit_open");
}

#[tokio::test]
async fn a_healthy_call_costs_no_request() {
    let world = World::new();
    let process = world.process();
    for path in ["", "missing", "refused"] {
        world.call(&process, &format!("https://a.example/{path}")).await;
    }
    assert_eq!(world.asked(), 0);
    world.break_down("a.example");
    world.open(&process, "https://a.example/").await;
    assert_eq!(world.asked(), THRESHOLD, "one for each failure, none for a refusal");
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_it_says_and_a_refusal_by_policy_is_none() {
    let world = World::new();
    let process = world.process();
    world.break_down("a.example");
    for path in ["missing", "refused"] {
        for _ in 1..THRESHOLD {
            world.call(&process, "https://a.example/").await;
        }
        world.call(&process, &format!("https://a.example/{path}")).await;
    }
    // Four failures in a row, of which the policy's refusal is no end.
    assert_eq!(code(&world.call(&process, "https://a.example/").await), "http_status");
    assert_eq!(code(&world.call(&process, "https://a.example/").await), "circuit_open");

    world.wait(10);
    assert_eq!(code(&world.call(&process, "https://a.example/refused").await), "egress_refused");
    world.repair("a.example");
    world.wait(10);
    assert_eq!(world.call(&process, "https://a.example/").await.outcome, Ok(json!(200)), "it was no probe");
}

#[tokio::test]
async fn processes_share_what_they_know() {
    let world = World::new();
    world.break_down("a.example");
    let processes: Vec<_> = (0..5).map(|_| world.process()).collect();
    for process in &processes[..4] {
        world.call(process, "https://a.example/").await;
    }
    for process in &processes {
        world.call(process, "https://a.example/").await;
        assert_eq!(code(&world.call(process, "https://a.example/").await), "circuit_open");
    }

    // One of them probes at a time, and what it learns holds for all.
    world.wait(10);
    let mut sent = 0;
    for process in &processes {
        sent += u32::from(code(&world.call(process, "https://a.example/").await) == "http_status");
    }
    assert_eq!(sent, 1);
    world.repair("a.example");
    world.wait(20);
    for process in &processes {
        assert_eq!(world.call(process, "https://a.example/").await.outcome, Ok(json!(200)));
    }
}

#[tokio::test]
async fn without_counters_a_process_judges_by_itself() {
    let world = World::new();
    let process = world.process();
    world.counters.is_down.store(true, Ordering::Relaxed);
    world.break_down("a.example");
    world.open(&process, "https://a.example/").await;
    world.repair("a.example");
    world.wait(10);
    assert_eq!(world.call(&process, "https://a.example/").await.outcome, Ok(json!(200)));
}

#[tokio::test]
async fn a_call_without_a_host_passes() {
    let process = CircuitBreaker::new(
        ScriptedConnectors::echo(),
        World::new().counters,
        Arc::new(ManualClock::default()),
    );
    for config in [json!({}), json!({"url": 7}), json!({"url": "nonsense"}), json!({"url": "data:x"})] {
        let call = Call { config: config.clone(), ..call(team(), "") };
        assert_eq!(process.execute(&call, BUDGET).await.outcome, Ok::<Value, _>(config));
    }
}

#[tokio::test]
async fn hosts_that_nobody_calls_any_more_are_forgotten() {
    let world = World::new();
    let process = world.process();
    for n in 0..HOSTS {
        world.call(&process, &format!("https://h{n}.example/")).await;
    }
    world.wait(600);
    world.call(&process, "https://a.example/").await;
    assert_eq!(process.circuits.lock().unwrap().by_peer.len(), 1);
}
