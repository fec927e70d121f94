//! Teams that may have only so many runs under way: never more are, all have their turn, and others pay nothing for it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use app::{
    cancel_run,
    fakes::{MemoryQueue, ScriptedConnectors, a_version, graph, team},
    ports::{Admissions as _, Clock as _, Hint, RunStore as _},
    remind_runs,
};
use chrono::TimeDelta;
use common::{World, effect, flow, hint};
use domain::{RunStatus, TeamId, WorkflowVersion};
use engine::Run;
use serde_json::json;

fn echo() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| Ok(call.config["body"].clone()))
}

/// Calls, waits a minute, and calls.
fn slow(team: TeamId) -> WorkflowVersion {
    let wait = json!({"key": "pause", "node_type": "wait", "metadata": {"seconds": 60}});
    let nodes = vec![effect("first"), wait, effect("second")];
    a_version(team, graph(flow(nodes, &["first > pause", "pause > second"])))
}

/// A team that may have so many runs under way, with so many accepted at once.
struct Crowd {
    team: TeamId,
    limit: u32,
    runs: Vec<Run>,
}

impl Crowd {
    async fn of(world: &mut World, count: usize, limit: u32) -> Self {
        let version = slow(team());
        world.catalog.put_version(version.clone());
        world.limits.put(version.team_id, limit);
        let mut runs = Vec::new();
        for n in 0..count {
            runs.push(world.start(&version, json!(n), None).await.unwrap().run);
        }
        world.collect();
        Self { team: version.team_id, limit, runs }
    }

    /// How many have each status.
    async fn count(&self, world: &World, is: impl Fn(RunStatus) -> bool) -> usize {
        let mut count = 0;
        for run in &self.runs {
            count += usize::from(is(world.store.load_control(run.team_id, run.id).await.unwrap().status));
        }
        count
    }

    /// How many have begun and not ended.
    async fn under_way(&self, world: &World) -> usize {
        self.count(world, |status| matches!(status, RunStatus::Running | RunStatus::Waiting)).await
    }

    /// Delivers all messages in the order of their time; never are more under way than may be.
    async fn drain(&self, world: &mut World, case: &str) {
        for deliveries in 0.. {
            assert!(deliveries < 2000, "{case}: messages multiply: {:#?}", world.messages);
            let Some(next) = (0..world.messages.len()).min_by_key(|at| world.messages[*at].due) else {
                return;
            };
            world.deliver(next).await;
            let under_way = self.under_way(world).await;
            assert!(under_way <= self.limit as usize, "{case}: {under_way} are under way");
        }
    }

    async fn expect_ended(&self, world: &World, case: &str) {
        for run in &self.runs {
            let run = world.load(run).await.run;
            assert!(run.status.is_terminal(), "{case}: {run:#?}");
        }
        assert_eq!(world.admissions.of(self.team), (vec![], vec![]), "{case}: nobody is left behind");
    }
}

#[tokio::test]
async fn no_more_runs_are_under_way_than_may_be_and_all_have_their_turn_in_order() {
    let mut world = World::new(echo());
    let crowd = Crowd::of(&mut world, 7, 2).await;
    crowd.drain(&mut world, "all at once").await;
    crowd.expect_ended(&world, "all at once").await;
    let mut began = Vec::new();
    for run in &crowd.runs {
        began.push(world.load(run).await.run.started_on.unwrap());
    }
    assert!(began.is_sorted(), "{began:?}");
    let took = began[6] - began[0];
    assert!(took <= TimeDelta::seconds(3 * 65), "who ends tells the next one: {took}");
}

#[tokio::test]
async fn a_worker_may_be_lost_at_any_point_of_a_crowd() {
    for point in 1.. {
        let case = format!("lost at point {point}");
        let mut world = World::new(echo());
        let crowd = Crowd::of(&mut world, 3, 1).await;
        world.switch.arm(point);
        crowd.drain(&mut world, &case).await;
        crowd.expect_ended(&world, &case).await;
        assert_eq!(crowd.count(&world, |status| status == RunStatus::Succeeded).await, 3, "{case}");
        if !world.switch.has_stopped() {
            assert!(point > 60, "the crowd has more points than {point}");
            return;
        }
    }
}

#[tokio::test]
async fn all_hints_may_be_lost() {
    let mut world = World::new(echo());
    let crowd = Crowd::of(&mut world, 4, 1).await;
    for _ in 0..60 {
        world.messages.clear();
        world.clock.advance(TimeDelta::seconds(60));
        let queue: &MemoryQueue = &world.queue;
        remind_runs(&*world.store, queue, world.clock.now(), 100).await.unwrap();
        for message in world.collect() {
            world.advance(&message.hint, 1).await.unwrap();
            assert!(crowd.under_way(&world).await <= 1);
        }
        world.collect();
    }
    crowd.expect_ended(&world, "hints are lost").await;
}

#[tokio::test]
async fn a_run_that_waits_has_one_message_however_often_it_is_looked_at() {
    let mut world = World::new(echo());
    let crowd = Crowd::of(&mut world, 3, 1).await;
    for message in std::mem::take(&mut world.messages) {
        world.advance(&message.hint, 1).await.unwrap();
    }
    world.collect();
    let waiting = |world: &World| {
        let of_last = world.messages.iter().filter(|message| message.hint.run_id == crowd.runs[2].id);
        of_last.map(|message| message.due).collect::<Vec<_>>()
    };
    let due = waiting(&world);
    assert_eq!(due, [world.clock.now() + TimeDelta::seconds(6)], "the second in line");
    for _ in 0..5 {
        world.advance(&hint(&crowd.runs[2], None), 1).await.unwrap();
        world.collect();
    }
    assert_eq!(waiting(&world), due);
    let check = world.load(&crowd.runs[2]).await.run.next_check_on.unwrap();
    assert_eq!(check, due[0] + TimeDelta::seconds(60), "nobody needs to remind of it before");
}

#[tokio::test]
async fn a_run_that_is_cancelled_in_line_leaves_it() {
    let mut world = World::new(echo());
    let crowd = Crowd::of(&mut world, 3, 1).await;
    for message in std::mem::take(&mut world.messages) {
        world.advance(&message.hint, 1).await.unwrap();
    }
    world.collect();
    let [_, second, third] = &crowd.runs[..] else { panic!() };
    assert_eq!(world.admissions.position(crowd.team, third.id).await.unwrap(), Some(2));
    cancel_run(&world.conductor, crowd.team, second.id).await.unwrap();
    assert_eq!(world.admissions.position(crowd.team, third.id).await.unwrap(), Some(1));
    assert_eq!(world.collect().iter().map(|message| &message.hint).collect::<Vec<_>>(), [&Hint::at(third)]);
    crowd.drain(&mut world, "one cancelled").await;
    crowd.expect_ended(&world, "one cancelled").await;
    assert_eq!(world.load(second).await.run.started_on, None);
}

#[tokio::test]
async fn a_run_whose_time_is_over_ends_in_line() {
    let mut world = World::new(echo());
    let mut version = slow(team());
    version.settings.timeout_s = Some(90);
    world.catalog.put_version(version.clone());
    world.limits.put(version.team_id, 1);
    let mut runs = Vec::new();
    for n in 0..3 {
        runs.push(world.start(&version, json!(n), None).await.unwrap().run);
    }
    world.collect();
    let crowd = Crowd { team: version.team_id, limit: 1, runs };
    crowd.drain(&mut world, "no time").await;
    crowd.expect_ended(&world, "no time").await;
    let last = world.load(&crowd.runs[2]).await.run;
    assert_eq!((last.status, last.started_on), (RunStatus::Failed, None));
    assert_eq!(last.finished_on.unwrap(), last.created_on + TimeDelta::seconds(90));
}

#[tokio::test]
async fn a_place_that_nobody_gave_back_is_found_by_the_next_in_line() {
    let mut world = World::new(echo());
    let crowd = Crowd::of(&mut world, 3, 2).await;
    let [first, second, third] = &crowd.runs[..] else { panic!() };
    // One was deleted, the other cancelled while somebody else let it in, and nobody lived to tell.
    let gone = Run { id: domain::RunId::new(team().uuid()), ..first.clone() };
    cancel_run(&world.conductor, crowd.team, second.id).await.unwrap();
    for run in [gone.id, second.id] {
        world.admissions.admit(crowd.team, run, 2).await.unwrap();
    }
    world.advance(&hint(third, None), 1).await.unwrap();
    assert_ne!(world.load(third).await.run.status, RunStatus::Pending);
    world.collect();
    crowd.drain(&mut world, "places not given back").await;
    crowd.expect_ended(&world, "places not given back").await;
}

#[tokio::test]
async fn a_run_that_ends_while_it_is_let_in_keeps_no_place() {
    // The first call is claimed with the eighth.
    for point in 1..8 {
        let case = format!("cancelled at point {point}");
        let mut world = World::new(echo());
        let crowd = Crowd::of(&mut world, 1, 1).await;
        let run = &crowd.runs[0];
        world.switch.arm(point);
        let hint = hint(run, None);
        // Its worker is held up, and the run is cancelled meanwhile by somebody who finds it as it was.
        let lost = world.switch.run(world.advance(&hint, 1)).await;
        assert!(lost.is_none(), "{case}");
        let cancelled = cancel_run(&world.conductor, crowd.team, run.id).await;
        assert!(cancelled.is_ok(), "{case}");
        world.advance(&hint, 2).await.unwrap();
        crowd.expect_ended(&world, &case).await;
    }
}

#[tokio::test]
async fn a_run_that_is_let_in_after_it_was_cancelled_keeps_no_place() {
    for late in 0..12 {
        let mut world = World::new(echo());
        let crowd = Crowd::of(&mut world, 1, 1).await;
        let run = &crowd.runs[0];
        let hint = hint(run, None);
        let advancing = async {
            for _ in 0..late {
                tokio::task::yield_now().await;
            }
            world.advance(&hint, 1).await.unwrap();
        };
        let ((), cancelled) = tokio::join!(advancing, cancel_run(&world.conductor, crowd.team, run.id));
        assert!(cancelled.is_ok());
        crowd.expect_ended(&world, &format!("{late} later")).await;
    }
}

#[tokio::test]
async fn without_a_limit_nobody_is_asked() {
    let mut world = World::new(echo());
    let version = slow(team());
    world.limits.put(team(), 1);
    world.catalog.put_version(version.clone());
    for n in 0..5 {
        world.start(&version, json!(n), None).await.unwrap();
    }
    world.collect();
    world.drain().await;
    assert_eq!(world.admissions.requests(), 0);
    assert_eq!(world.limits.requests(), 1, "limits are read once a minute for all teams");
    world.clock.advance(TimeDelta::seconds(60));
    world.start(&version, json!(6), None).await.unwrap();
    assert_eq!(world.limits.requests(), 2);
}

#[tokio::test]
async fn what_a_run_starts_waits_for_nobody() {
    let mut world = World::new(echo());
    let team = team();
    let child = a_version(team, graph(flow(vec![effect("only")], &[])));
    let metadata = json!({"workflow_id": child.workflow_id});
    let run = json!({"key": "run", "node_type": "workflow", "metadata": metadata});
    let mut parent = a_version(team, graph(flow(vec![run], &[])));
    let (workflow_id, version_id) = (child.workflow_id, child.id);
    parent.uses.push(domain::UsedVersion { workflow_id, number: None, version_id });
    world.store.put_version(&child).await.unwrap();
    world.catalog.put_version(parent.clone());
    world.limits.put(team, 1);
    let run = world.start(&parent, json!({}), None).await.unwrap().run;
    world.collect();
    world.drain().await;
    assert_eq!(world.load(&run).await.run.status, RunStatus::Succeeded, "it would wait for itself");
}
