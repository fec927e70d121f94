//! Those who decide about approvals: they look what waits now and then, decide, sometimes twice, and sometimes about what is decided.

use std::{sync::Arc, time::Duration};

use app::{Conductor, DecideError, Decider, decide_approval, decide_approval::Decision};
use domain::{NodeKey, Role, RunId};
use serde_json::Value;
use tokio::time::sleep;

use crate::{books::Said, chance::Dice, clients::handled, flows::team, world::World};

/// How many there are: as many as an approval asks for at most, and one more.
pub const PEOPLE: u32 = 3;

/// Looks and decides for as long as the world stands.
pub async fn person(world: Arc<World>, number: u32) {
    let dice = Dice::of(world.seed, &format!("person {number}"));
    let conductor = world.conductor_for(100 + number);
    let mut known: Vec<(RunId, NodeKey)> = Vec::new();
    loop {
        sleep(Duration::from_millis(dice.between(100, 60_000))).await;
        let mut open = world.judge.asked();
        let is_repeat = dice.hits(200);
        if is_repeat || open.is_empty() {
            open.clone_from(&known);
        }
        let Some((run, node)) = open.get(dice.below(open.len())).cloned() else { continue };
        known.push((run, node.clone()));
        let said = Said { node, by: format!("person {number}"), approves: dice.hits(700), counts: false };
        decide(&world, &conductor, number, run, said).await;
    }
}

async fn decide(world: &Arc<World>, conductor: &Arc<Conductor>, number: u32, run: RunId, said: Said) {
    let is_news = world.judge.says(run, said.clone());
    let handler = decided(Arc::clone(conductor), number, run, said.clone());
    match handled(world, format!("person {number}"), 100 + number, handler).await {
        Some(Ok(())) => {
            world.network.count("decisions");
            world.judge.counts(run, &said);
            if !is_news {
                world.judge.counted_twice(run, &said);
            }
        }
        Some(Err(DecideError::TooLate(_))) => world.network.count("decisions too late"),
        // What they decided may be written, and nobody has done what it asks for: the next look at the run does.
        _ => {}
    }
}

async fn decided(conductor: Arc<Conductor>, number: u32, run: RunId, said: Said) -> Result<(), DecideError> {
    let by = Decider { id: said.by, role: (number > 0).then_some(Role::Editor) };
    let decision = Decision { approves: said.approves, form: Value::Null };
    decide_approval(&conductor, team(), run, &said.node, &by, decision).await.map(|_| ())
}
