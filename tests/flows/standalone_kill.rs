//! The single process killed again and again under load: whatever was started ends once, with the right result.
//!
//! `HEDDLE_FLOW_SEED` repeats the moments of an earlier run as far as a real process allows.
#![allow(clippy::print_stdout, reason = "what a failed run looks like is read off its kills")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use fastrand::Rng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    kills::{
        self,
        verdict::{Told, Verdict},
        workload::{Kind, TWO_KINDS},
    },
    support::{
        api::{Api, run_id, with_json},
        standalone::Standalone,
        target::Target,
    },
};

const RUNS: usize = 1000;
const CLIENTS: usize = 32;
const KILLS: usize = 10;
/// For everything after the first start. Most of it is a wait for the leases of the last killed process.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long a kill waits at most after the answer that it was drawn for, so that it hits any moment of what is in flight.
const LATEST_MS: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_end_once_and_right_whenever_the_process_is_killed() {
    let seed = kills::seed();
    let (target, mut heddle) = (Target::start().await, Standalone::start().await);
    let begun = Instant::now();
    let flow = Flow::publish(&heddle, &target).await;

    let proof = async {
        let told = flow.start_all(&mut heddle, Rng::with_seed(seed)).await;
        println!("{:>7.1?}  every start is answered", begun.elapsed());
        flow.verify(told, &target).await
    };
    let proof = tokio::time::timeout(PATIENCE, proof).await;
    println!(
        "{:>7.1?}  done; the server of the effects got {} requests",
        begun.elapsed(),
        target.received().len()
    );

    let outcome = proof.unwrap_or_else(|_| Err(format!("not done after {PATIENCE:?}")));
    if let Err(wrong) = outcome {
        panic!("seed {seed}: {wrong}\nThe end of heddle's log:\n{}", heddle.last_lines());
    }
}

/// What all clients share.
#[derive(Clone)]
struct Flow {
    api: Arc<Api>,
    pure: String,
    effects: String,
    server: String,
    /// Whether the process is up, as far as the one knows who kills it.
    up: watch::Sender<bool>,
    /// The number of the next run.
    next: Arc<AtomicUsize>,
    /// Starts that had to be repeated.
    repeated: Arc<AtomicUsize>,
}

impl Flow {
    async fn publish(heddle: &Standalone, target: &Target) -> Self {
        let api = Arc::new(heddle.api());
        Self {
            pure: api.publish("pure", &Kind::Pure.graph("")).await,
            effects: api.publish("effects", &Kind::Effects.graph("")).await,
            server: target.url.clone(),
            api,
            up: watch::Sender::new(true),
            next: Arc::default(),
            repeated: Arc::default(),
        }
    }

    /// Starts every run while the process is killed under way; what each client was told.
    async fn start_all(&self, heddle: &mut Standalone, chance: Rng) -> BTreeMap<usize, Told> {
        let (answers, mut answered) = mpsc::unbounded_channel();
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(self.clone().client(answers.clone()));
        }
        drop(answers);
        let progress = watch::Sender::new(0);
        let collected = async {
            let mut told = BTreeMap::new();
            while let Some((number, run)) = answered.recv().await {
                told.insert(number, run);
                progress.send_replace(told.len());
            }
            told
        };
        let (told, ()) =
            tokio::join!(collected, self.kill_again_and_again(heddle, chance, progress.subscribe()));
        while let Some(ended) = clients.join_next().await {
            ended.expect("a client that did not panic");
        }
        told
    }

    /// Kills the process at drawn moments and starts it again. Each moment is so many answers from the start, and a little later.
    async fn kill_again_and_again(
        &self,
        heddle: &mut Standalone,
        mut chance: Rng,
        mut progress: watch::Receiver<usize>,
    ) {
        // While enough starts remain, every client is in the middle of one.
        let mut moments: Vec<_> = (0..KILLS).map(|_| chance.usize(1..RUNS - 2 * CLIENTS)).collect();
        moments.sort_unstable();
        for moment in moments {
            progress.wait_for(|answered| *answered >= moment).await.expect("clients work");
            tokio::time::sleep(Duration::from_millis(chance.u64(..=LATEST_MS))).await;
            self.up.send_replace(false);
            heddle.kill();
            let (answered, begun) = (*progress.borrow(), self.next.load(Ordering::Relaxed));
            assert!(begun > answered, "nothing was in flight");
            let killed = Instant::now();
            heddle.restart().await;
            println!(
                "killed with {answered} starts answered and {} open; ready again after {:?}",
                begun - answered,
                killed.elapsed()
            );
            self.up.send_replace(true);
        }
    }

    /// Starts run after run.
    async fn client(self, answers: mpsc::UnboundedSender<(usize, Told)>) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= RUNS {
                return;
            }
            let told = self.start_until_answered(number).await;
            answers.send((number, told)).expect("the test goes on");
        }
    }

    /// Repeats a start with its key until it is answered, as the API asks of clients (docs/problems.md).
    async fn start_until_answered(&self, number: usize) -> Told {
        loop {
            self.up.subscribe().wait_for(|up| *up).await.expect("the test goes on");
            if let Some((status, body)) = self.start(number).await {
                match status {
                    StatusCode::OK => return Told { run_id: run_id(&body), ended: Some(body) },
                    StatusCode::ACCEPTED => return Told { run_id: run_id(&body), ended: None },
                    StatusCode::SERVICE_UNAVAILABLE => {}
                    _ => panic!("run {number} was answered {status}: {body:#}"),
                }
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            // Until the one who kills has noticed as well.
            tokio::task::yield_now().await;
        }
    }

    /// One try: status and body, if any came. Two of four runs ask to be told of their end.
    async fn start(&self, number: usize) -> Option<(StatusCode, Value)> {
        let workflow = if Kind::of(number, TWO_KINDS) == Kind::Pure { &self.pure } else { &self.effects };
        let body = json!({"workflow_id": workflow, "inputs": {"number": number, "server": self.server}});
        let mut request =
            self.api.request(Method::POST, "/api/v1/runs").header("idempotency-key", format!("run-{number}"));
        if number % 4 < 2 {
            request = request.header("prefer", "wait=10");
        }
        let answer = with_json(request, &body).send().await.ok()?;
        let status = answer.status();
        Some((status, serde_json::from_str(&answer.text().await.ok()?).unwrap_or_default()))
    }

    /// Waits for every run's end and compares all there is to see; what is wrong, if anything.
    async fn verify(&self, told: BTreeMap<usize, Told>, target: &Target) -> Result<(), String> {
        println!("starts that were repeated: {}", self.repeated.load(Ordering::Relaxed));
        let mut verdict = Verdict::on(TWO_KINDS);
        for (number, told) in &told {
            verdict.check_run(*number, told, &self.api.ended(&told.run_id).await);
            let (_, again) =
                self.start(*number).await.ok_or("a start was not answered although nobody killed")?;
            verdict.check_repeat(*number, told, &again);
        }
        let mut listed = self.api.list(&self.pure).await;
        listed.extend(self.api.list(&self.effects).await);
        verdict.check_list(&listed, &told);
        verdict.check_effects(&target.received(), RUNS);
        verdict.report()
    }
}
