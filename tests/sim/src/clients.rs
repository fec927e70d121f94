//! Those who start runs and cancel them: some twice, some with a key, some give up.

use std::{sync::Arc, time::Duration};

use app::{
    CancelError, StartError, StartPorts, StartRun, Target, cancel_run,
    fakes::trigger,
    ports::{StoreError, Unlimited, unavailable},
    start_run,
};
use domain::{Priority, RunId, RunStatus};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::sleep};

use crate::{
    chance::Dice,
    executor::Process,
    flows::{Flow, team},
    world::World,
};

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
}

/// The workflows and wishes of a seed.
pub fn draw(seed: u64) -> (Vec<Arc<Flow>>, Vec<Wish>) {
    let (graphs, dice) = (Dice::of(seed, "graphs"), Dice::of(seed, "clients"));
    let count = dice.pick(&[1, 1, 1, 2]);
    let flows: Vec<_> = (0..count).map(|i| Arc::new(Flow::new(i, crate::graphs::draw(&graphs)))).collect();
    let mut wishes = Vec::new();
    for number in 0..dice.pick(&[1, 1, 1, 2, 3]) {
        let flow = dice.below(flows.len());
        let ms = |most| Duration::from_millis(dice.between(0, most));
        let wish = Wish {
            flow,
            inputs: inputs(&dice),
            at: ms(3_000),
            key: dice.hits(600).then(|| format!("key {number}")),
            cancel_after: dice.hits(200).then(|| ms(if dice.hits(500) { 300 } else { 60_000 })),
        };
        if wish.key.is_some() && dice.hits(400) {
            let at = ms(if dice.hits(500) { 100 } else { 60_000 });
            let inputs = if dice.hits(300) { inputs(&dice) } else { wish.inputs.clone() };
            wishes.push(Wish { at: wish.at + at, inputs, cancel_after: None, ..wish.clone() });
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
    let Some(after) = wish.cancel_after else { return };
    sleep(after).await;
    cancel(&world, number, run).await;
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
    let ports = StartPorts {
        limits: &Unlimited,
        store: &store,
        queue: &*world.queue,
        catalog: &world.catalog,
        clock: &clock,
        ids: &world.ids,
    };
    let wish = StartRun {
        team_id: team(),
        target: Target::Workflow(world.flows[wish.flow].version.workflow_id),
        inputs: wish.inputs,
        trigger: trigger(),
        idempotency_key: wish.key,
        priority: Priority::Default,
    };
    let started = start_run(&ports, wish).await?;
    world.network.count(if started.is_repeat { "starts repeated" } else { "starts" });
    Ok(started.run.id)
}

async fn cancel(world: &Arc<World>, number: u32, run: RunId) {
    loop {
        let handler = cancelled(Arc::clone(world), number, run);
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
async fn cancelled(world: Arc<World>, number: u32, run: RunId) -> Result<bool, StoreError> {
    let conductor = world.conductor_of(number, world.network.clock);
    match cancel_run(&conductor, team(), run).await {
        Ok(run) => Ok(run.status == RunStatus::Cancelled),
        Err(CancelError::Ended(run)) => Ok(run.status == RunStatus::Cancelled),
        Err(CancelError::NotFound) => Err(StoreError::NotFound),
        Err(CancelError::Failed(error)) => Err(unavailable("cancel a run")(error)),
    }
}

/// Lets a process of its own handle a request. None if it was lost before it answered.
async fn handled<T: Send + 'static>(
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
