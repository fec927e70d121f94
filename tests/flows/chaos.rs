//! The deployed workers killed again and again while runs of every kind are in flight: whatever was started ends once, with the
//! right result, and nothing of it is left behind.
//!
//! `make chaos` plays it. `HEDDLE_FLOW_SEED` repeats what an earlier one has drawn, as far as real processes allow;
//! `HEDDLE_CHAOS_RUNS` and `HEDDLE_CHAOS_KILLS` say how much.
#![allow(clippy::print_stdout, reason = "what a failed run looks like is read off its kills")]

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::Timestamp;
use fastrand::Rng;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    kills::{
        self,
        verdict::{Told, Verdict},
        workload::{self, ALL_KINDS, Kind},
    },
    support::{
        Stack,
        api::{Answer, Api, run_id, with_json},
        process,
        target::Target,
    },
};

/// How much where nobody says.
const RUNS: u64 = 200;
const KILLS: u64 = 30;
const CLIENTS: usize = 16;
/// How long the effects' server takes: long enough that a kill hits what is under way.
const ANSWERS_AFTER: Duration = Duration::from_millis(150);
/// How long a kill waits at most after the request that it was drawn for.
const LATEST_MS: u64 = 300;
/// One of so many runs may lose a worker too often; more would be no chance.
const MOST_CRASHED: usize = 40;
/// How often maintenance takes its turn, as its schedule says (template.yaml).
const MAINTENANCE: Duration = Duration::from_mins(1);
/// For everything; only there to fail what never ends.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a kill shows its end 30 s later, and nothing may run beside it: `make chaos` plays it"]
async fn runs_end_once_and_right_whichever_workers_are_killed() {
    let seed = kills::seed();
    let runs = usize::try_from(kills::asked("HEDDLE_CHAOS_RUNS").unwrap_or(RUNS)).expect("a number of runs");
    let kills = kills::asked("HEDDLE_CHAOS_KILLS").unwrap_or(KILLS);
    let (stack, target, begun) = (Stack::from_env(), Target::taking(ANSWERS_AFTER).await, Instant::now());
    let flow = Flow::publish(&target, runs).await;

    let proof = async {
        let killing = kill_again_and_again(&stack, &target, runs, kills, Rng::with_seed(seed));
        let (started, killed_on) = tokio::join!(flow.start_all(), killing);
        println!("{:>7.1?}  every run is started and the last worker killed", begun.elapsed());
        flow.verify(started, killed_on, &target).await
    };
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(PATIENCE, proof) => outcome,
        never = keep_maintaining(&stack) => match never {},
    };
    let (requests, effects) = (target.received().len(), effects_of(runs));
    println!(
        "{:>7.1?}  done; {runs} runs, {kills} kills, {requests} requests of {effects} effects",
        begun.elapsed()
    );
    let outcome = outcome.unwrap_or_else(|_| Err(format!("not done after {PATIENCE:?}")));
    assert_eq!(outcome, Ok(()), "seed {seed}");
}

/// How many effects these runs have together.
fn effects_of(runs: usize) -> usize {
    (0..runs).map(|number| workload::effects(number, ALL_KINDS).len()).sum()
}

/// Kills workers at drawn moments: each is so many requests from the start, and a little later. Answers when each was killed.
async fn kill_again_and_again(
    stack: &Stack,
    target: &Target,
    runs: usize,
    kills: u64,
    mut chance: Rng,
) -> Vec<Timestamp> {
    // While enough requests remain, something is in flight.
    let mut moments: Vec<_> = (0..kills).map(|_| chance.usize(1..effects_of(runs) * 9 / 10)).collect();
    moments.sort_unstable();
    let mut killed_on = Vec::new();
    for moment in moments {
        target.arrivals(moment).await;
        tokio::time::sleep(Duration::from_millis(chance.u64(..=LATEST_MS))).await;
        let (victim, of) = kill_one(stack, &mut chance).await;
        killed_on.push(chrono::Utc::now());
        println!("killed {victim}, one of {of} workers, after {} requests", target.received().len());
    }
    killed_on
}

/// Kills any one of the workers there are, as soon as there is one; which, and of how many.
async fn kill_one(stack: &Stack, chance: &mut Rng) -> (u32, usize) {
    loop {
        let workers = process::workers(stack, "node-executor");
        if let Some(victim) = chance.choice(&workers)
            && process::kill(*victim)
        {
            return (*victim, workers.len());
        }
        // A dead worker is replaced when the next message comes.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Has maintenance take its turns, which tests have by hand.
async fn keep_maintaining(stack: &Stack) -> Infallible {
    loop {
        tokio::time::sleep(MAINTENANCE).await;
        println!("maintenance: {}", stack.invoke("maintenance", &json!({})).await);
    }
}

/// What all clients share.
#[derive(Clone)]
struct Flow {
    api: Arc<Api>,
    /// The workflow of each of [`ALL_KINDS`].
    workflows: Vec<String>,
    /// The workflow that some of them run.
    child: String,
    server: String,
    runs: usize,
    /// The number of the next run.
    next: Arc<AtomicUsize>,
}

impl Flow {
    async fn publish(target: &Target, runs: usize) -> Self {
        let api = Arc::new(Api::on_aws());
        let child = api.publish("inner", &workload::child_graph()).await;
        let mut workflows = Vec::new();
        for kind in ALL_KINDS {
            workflows.push(api.publish(&format!("{kind:?}"), &kind.graph(&child)).await);
        }
        Self { api, workflows, child, server: target.url.clone(), runs, next: Arc::default() }
    }

    /// Starts every run; the id of each by its number.
    async fn start_all(&self) -> BTreeMap<usize, String> {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(self.clone().client());
        }
        clients.join_all().await.into_iter().flatten().collect()
    }

    /// Starts run after run.
    async fn client(self) -> Vec<(usize, String)> {
        let mut started = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.runs {
                return started;
            }
            started.push((number, self.start(number).await));
        }
    }

    async fn start(&self, number: usize) -> String {
        let workflow = &self.workflows[number % ALL_KINDS.len()];
        let body = json!({"workflow_id": workflow, "inputs": {"number": number, "server": self.server}});
        let key = format!("chaos-{}-{number}", self.child);
        let request = self.api.request(Method::POST, "/api/v1/runs").header("idempotency-key", key);
        run_id(&Answer::of(with_json(request, &body)).await.expect(202))
    }

    /// Waits for every run's end and compares all there is to see; what is wrong, if anything.
    async fn verify(
        &self,
        started: BTreeMap<usize, String>,
        killed_on: Vec<Timestamp>,
        target: &Target,
    ) -> Result<(), String> {
        let mut told = BTreeMap::new();
        for (number, run_id) in started {
            let ended = Some(self.api.ended(&run_id).await);
            told.insert(number, Told { run_id, ended });
        }
        println!(
            "attempts that were lost with their workers: {}",
            told.values().map(Told::lost_attempts).sum::<usize>()
        );
        // Once more, when all is over: what has ended stays as it was.
        let mut verdict = Verdict::on(ALL_KINDS).after(killed_on);
        for (number, told) in &told {
            let detail = self.api.get(&format!("/api/v1/runs/{}", told.run_id)).await.expect(200);
            verdict.check_run(*number, told, &detail);
            verdict.check_repeat(*number, told, &json!({"run_id": self.start(*number).await}));
        }
        let mut listed = Vec::new();
        for workflow in &self.workflows {
            listed.extend(self.api.list(workflow).await);
        }
        verdict.check_list(&listed, &told);
        verdict.check_effects(&target.received(), self.runs);
        let crashed = verdict.crashed().len();
        println!("runs that rightly ended as crashed: {crashed}");
        verdict.require(crashed * MOST_CRASHED <= self.runs, || {
            format!("{crashed} of {} runs crashed", self.runs)
        });
        let children = self.check_children(&mut verdict).await;
        let ours = told.into_values().map(|told| told.run_id).chain(children).collect();
        self.check_dead_letters(&mut verdict, &ours).await;
        verdict.report()
    }

    /// Whether each run that has a child has one, and no child failed but with its parent; the children.
    async fn check_children(&self, verdict: &mut Verdict) -> Vec<String> {
        let is_parent = |number: &usize| Kind::of(*number, ALL_KINDS) == Kind::Child;
        let parents = (0..self.runs).filter(is_parent).count();
        let crashed = verdict.crashed().iter().copied().filter(is_parent).count();
        let (children, mut succeeded) = (self.api.list(&self.child).await, 0);
        for child in &children {
            let detail = self.api.get(&format!("/api/v1/runs/{child}")).await.expect(200);
            succeeded += usize::from(detail["status"] == "succeeded");
        }
        let expected = parents - crashed..=parents;
        verdict.require(expected.contains(&children.len()) && expected.contains(&succeeded), || {
            format!(
                "{parents} parents, {crashed} of them crashed, have {} children, and {succeeded} succeeded",
                children.len()
            )
        });
        children
    }

    /// Whether no message of these runs was given up.
    async fn check_dead_letters(&self, verdict: &mut Verdict, ours: &BTreeSet<String>) {
        let letters = self.api.get("/api/v1/dead-letters?limit=100").await.expect(200);
        let is_ours =
            |letter: &&serde_json::Value| letter["run_id"].as_str().is_some_and(|run| ours.contains(run));
        let left: Vec<_> = letters["items"].as_array().expect("letters").iter().filter(is_ours).collect();
        verdict.require(left.is_empty(), || format!("dead letters are left: {left:#?}"));
    }
}
