//! Those who start runs, cancel them and have them go on after their end: some twice, some with a key, some give up.

use std::{sync::Arc, time::Duration};

use app::{
    CancelError, Conductor, RetryError, RetryRun, StartError, StartPorts, StartRun, Target, cancel_run,
    fakes::trigger,
    ports::{StoreError, Unlimited, unavailable},
    retry_run, start_run,
};
use domain::{Priority, RunId, RunStatus};
use engine::RetryFrom;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::sleep};

use crate::{
    chance::Dice,
    clock::SimClock,
    executor::Process,
    flows::{self, Flow, team},
    store::StoreClient,
    world::World,
};

/// How often, and for how many times at most, one looks how far a run has come.
const LOOK: Duration = Duration::from_millis(400);
const LOOKS: u32 = 60;

/// What one client wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The workflow.
    pub flow: usize,
    /// What to run it with.
    pub inputs: Value,
    /// When it asks first.
    pub at: Duration,
    /// Under which key, if any. Only then does it ask again when it gets no answer.
    pub key: Option<String>,
    /// How long after the answer it asks to cancel the run.
    pub cancel_after: Option<Duration>,
    /// Whether it then asks to cancel some other run that there is.
    pub cancels_any: bool,
    /// Whether it waits, for a while, until a run that its run has started has started another.
    pub cancels_families: bool,
    /// How often it has a run that has ended go on.
    pub retries: u32,
    /// In which class.
    pub priority: Priority,
}

/// The workflows and wishes of a seed.
pub fn draw(seed: u64) -> (Vec<Arc<Flow>>, Vec<Wish>) {
    let (flows, tops) = flows::draw(seed);
    let dice = Dice::of(seed, "clients");
    let mut wishes = Vec::new();
    for number in 0..dice.pick(&[1, 1, 1, 2, 3]) {
        let flow = flows.len() - 1 - dice.below(tops);
        let ms = |most| Duration::from_millis(dice.between(0, most));
        let wish = Wish {
            flow,
            inputs: inputs(&dice),
            at: ms(3_000),
            key: dice.hits(600).then(|| format!("key {number}")),
            cancel_after: dice.hits(350).then(|| ms(dice.pick(&[500, 3_000, 10_000, 60_000]))),
            cancels_any: dice.hits(300),
            cancels_families: dice.hits(400),
            retries: dice.pick(&[0, 0, 0, 1, 2]),
            priority: dice.pick(&[Priority::Default, Priority::Default, Priority::High, Priority::Low]),
        };
        if wish.key.is_some() && dice.hits(400) {
            let at = ms(if dice.hits(500) { 100 } else { 60_000 });
            let inputs = if dice.hits(300) { inputs(&dice) } else { wish.inputs.clone() };
            wishes.push(Wish { at: wish.at + at, inputs, cancel_after: None, retries: 0, ..wish.clone() });
        }
        wishes.push(wish);
    }
    (flows, wishes)
}

fn inputs(dice: &Dice) -> Value {
    json!({"n": dice.below(10), "text": "\"quoted\" ünïcode", "list": [1, [2], []]})
}

/// Asks for what a client wants, until it has it or gives up.
pub async fn client(world: Arc<World>, number: u32, wish: Wish) {
    sleep(wish.at).await;
    let Some(run) = started(&world, number, &wish).await else { return };
    let (dice, conductor) = (Dice::of(world.seed, &format!("client {number}")), world.conductor_for(number));
    if let Some(after) = wish.cancel_after {
        let mut looks = if wish.cancels_families { LOOKS } else { 0 };
        while looks > 0 && !world.judge.has_grandchild(run) {
            looks -= 1;
            sleep(LOOK).await;
        }
        sleep(if wish.cancels_families { after.min(LOOK) } else { after }).await;
        if world.judge.has_grandchild(run) {
            world.network.count("families cancelled");
        }
        let any = world.judge.listed();
        let run =
            if wish.cancels_any { any.get(dice.below(any.len())).map_or(run, |any| any.0) } else { run };
        cancel(&world, &conductor, number, run).await;
    }
    for _ in 0..wish.retries {
        sleep(Duration::from_millis(dice.between(0, 90_000))).await;
        retry(&world, &conductor, number, &dice).await;
    }
}

/// Has some run that has ended go on.
async fn retry(world: &Arc<World>, conductor: &Arc<Conductor>, number: u32, dice: &Dice) {
    let mut ended = world.judge.listed();
    ended.retain(|(_, has_ended)| *has_ended);
    let Some((run, _)) = ended.get(dice.below(ended.len())) else { return };
    let nodes = world.judge.nodes(*run);
    let wish = RetryRun {
        team_id: team(),
        run_id: *run,
        from: match dice.below(4) {
            0 => RetryFrom::Start,
            1 => RetryFrom::Node(dice.pick(&nodes)),
            _ => RetryFrom::Failed,
        },
        latest_version: dice.hits(300),
        inputs: dice.hits(200).then(|| inputs(dice)),
        trigger: trigger(),
        service: None,
    };
    let handler = retried(Arc::clone(world), Arc::clone(conductor), number, wish);
    match handled(world, format!("retry {number}"), number, handler).await {
        Some(Ok(_)) => world.network.count("retries"),
        _ => world.network.count("retries refused"),
    }
}

async fn retried(
    world: Arc<World>,
    conductor: Arc<Conductor>,
    number: u32,
    wish: RetryRun,
) -> Result<RunId, RetryError> {
    let (store, clock) = (world.store_of(number), world.network.clock);
    Ok(retry_run(&ports(&world, &store, &clock), &conductor, wish).await?.id)
}

async fn started(world: &Arc<World>, number: u32, wish: &Wish) -> Option<RunId> {
    loop {
        let handler = start(Arc::clone(world), number, wish.clone());
        match handled(world, format!("start {number}"), number, handler).await {
            Some(Ok(run)) => {
                world.judge.accepted(run, wish.key.as_deref(), &wish.inputs);
                return Some(run);
            }
            Some(Err(StartError::KeyReused)) => {
                world.network.count("keys reused");
                world.judge.refused(wish.key.as_deref(), &wish.inputs);
                return None;
            }
            // Without a key, asking again might start a second run.
            _ if wish.key.is_none() => return None,
            _ => sleep(Duration::from_secs(1 + u64::from(number))).await,
        }
    }
}

async fn start(world: Arc<World>, number: u32, wish: Wish) -> Result<RunId, StartError> {
    let (store, clock) = (world.store_of(number), world.network.clock);
    let wish = StartRun {
        team_id: team(),
        target: Target::Workflow(world.flows[wish.flow].version.workflow_id),
        inputs: wish.inputs,
        trigger: trigger(),
        service: None,
        idempotency_key: wish.key,
        priority: wish.priority,
    };
    let started = start_run(&ports(&world, &store, &clock), wish).await?;
    world.network.count(if started.is_repeat { "starts repeated" } else { "starts" });
    Ok(started.run.id)
}

fn ports<'a>(world: &'a World, store: &'a StoreClient, clock: &'a SimClock) -> StartPorts<'a> {
    StartPorts {
        limits: &Unlimited,
        store,
        queue: &*world.queue,
        catalog: &world.catalog,
        clock,
        ids: &world.ids,
    }
}

async fn cancel(world: &Arc<World>, conductor: &Arc<Conductor>, number: u32, run: RunId) {
    loop {
        let handler = cancelled(Arc::clone(conductor), run);
        match handled(world, format!("cancel {number}"), number, handler).await {
            Some(Ok(is_cancelled)) => {
                if is_cancelled {
                    world.network.count("runs cancelled");
                    world.judge.cancelled(run);
                }
                return;
            }
            _ => sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Whether the run is cancelled; false if it had ended otherwise.
async fn cancelled(conductor: Arc<Conductor>, run: RunId) -> Result<bool, StoreError> {
    match cancel_run(&conductor, team(), run).await {
        Ok(run) => Ok(run.status == RunStatus::Cancelled),
        Err(CancelError::Ended(run)) => Ok(run.status == RunStatus::Cancelled),
        Err(CancelError::NotFound) => Err(StoreError::NotFound),
        Err(CancelError::Failed(error)) => Err(unavailable("cancel a run")(error)),
    }
}

/// Lets a process of its own handle a request. None if it was lost before it answered.
pub async fn handled<T: Send + 'static>(
    world: &Arc<World>,
    name: String,
    number: u32,
    handler: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let job = async move {
        let answer = handler.await;
        let _ = tell.send(answer);
    };
    world.executor.spawn(name, Some(process(number)), Box::pin(job));
    told.await.ok()
}

/// The process that handles the requests of a client.
fn process(number: u32) -> Process {
    1_000 + number
}
