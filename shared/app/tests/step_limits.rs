//! Teams that may have only so many calls under way: never more are, all have their turn, and others pay nothing for it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use app::{
    Delivery, MessageName, Worker, advance_run,
    fakes::{ScriptedConnectors, a_version, graph, team},
    ports::{Clock as _, Connectors, Executed, Polling, RunStore as _, SlotWish, Slots, StepSlots as _},
    remind_runs,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use common::{Message, World, effect, flow, hint, pure};
use domain::{RunStatus, TeamId, UsedVersion, WorkflowVersion};
use engine::{Call, Run};
use futures::future::join_all;
use serde_json::json;

/// Connectors whose calls take a while, and that know how many are under way.
#[derive(Default)]
struct Busy {
    now: AtomicU32,
    most: AtomicU32,
    calls: AtomicU32,
}

/// A call under way, however it ends.
struct UnderWay<'a>(&'a Busy);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Connectors for Busy {
    async fn execute(&self, call: &Call, _budget: Duration) -> Executed {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let _under_way = UnderWay(self);
        // Calls of one commit do not end together.
        for _ in 0..20 + call.node.as_str().len() % 5 * 7 {
            tokio::task::yield_now().await;
        }
        Executed { outcome: Ok(call.config["body"].clone()), notes: Vec::new() }
    }
}

/// Workers that do what is due at a time all at once.
struct Crew {
    busy: Arc<Busy>,
    worker: Worker,
    deliveries: u32,
}

impl Crew {
    fn of(world: &World) -> Self {
        let busy = Arc::new(Busy::default());
        let worker = Worker::new(world.conductor.clone(), busy.clone(), Arc::new(Polling));
        Self { busy, worker, deliveries: 0 }
    }

    /// Delivers what is due first, all of it together, until nothing is left.
    async fn drain(&mut self, world: &mut World) {
        world.collect();
        while let Some(next) = world.messages.iter().map(|message| message.due).min() {
            world.clock.advance_to(next);
            let now = world.clock.now();
            let due: Vec<Message> = world.messages.extract_if(.., |message| message.due <= now).collect();
            let deliveries = due.iter().map(|message| {
                self.deliveries += 1;
                let name = MessageName::of(&self.deliveries.to_string());
                (message, Delivery { message: name, ..world.delivery(1) })
            });
            let deliveries: Vec<_> = deliveries.collect();
            let working = deliveries
                .iter()
                .map(|(message, delivery)| advance_run(&self.worker, &message.hint, delivery));
            for done in join_all(working).await {
                done.unwrap();
            }
            world.collect();
            assert!(self.deliveries < 3000, "messages multiply: {:#?}", world.messages);
        }
    }

    fn most(&self) -> u32 {
        self.busy.most.load(Ordering::SeqCst)
    }

    fn calls(&self) -> u32 {
        self.busy.calls.load(Ordering::SeqCst)
    }
}

/// So many calls beside each other, and one after them.
fn fan(team: TeamId, width: usize) -> WorkflowVersion {
    let mut nodes: Vec<_> =
        (0..width).map(|n| effect(&format!("call{}", "_".repeat(n % 4) + &n.to_string()))).collect();
    let keys: Vec<_> = nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()).collect();
    nodes.push(json!({"key": "all", "node_type": "merge", "metadata": {}}));
    nodes.push(pure("count", "$count($keys(input))"));
    let mut edges: Vec<_> = keys.iter().map(|key| format!("{key} > all")).collect();
    edges.push("all > count".to_owned());
    let edges: Vec<_> = edges.iter().map(String::as_str).collect();
    a_version(team, graph(flow(nodes, &edges)))
}

/// Starts a workflow of a team that may have so many calls under way.
async fn start(world: &mut World, version: &WorkflowVersion, limit: u32, runs: usize) -> Vec<Run> {
    world.catalog.put_version(version.clone());
    world.limits.put_steps(version.team_id, limit);
    let mut started = Vec::new();
    for n in 0..runs {
        started.push(world.start(version, json!(n), None).await.unwrap().run);
    }
    world.collect();
    started
}

/// Everybody else's slots.
async fn occupy(world: &World, team: TeamId, limit: u32, until: TimeDelta) {
    let now = world.clock.now();
    let wish = SlotWish { holder: "somebody else".to_owned(), wanted: limit, until: now + until };
    let taken = world.admissions.take(team, &wish, limit, now).await.unwrap();
    assert_eq!(taken, Slots::Held(limit));
}

async fn expect_succeeded(world: &World, runs: &[Run], case: &str) {
    for run in runs {
        let run = world.load(run).await.run;
        assert_eq!(run.status, RunStatus::Succeeded, "{case}: {run:#?}");
    }
}

fn expect_no_slots_held(world: &World, team: TeamId, case: &str) {
    let book = world.admissions.slots(team);
    assert!(book.holders.is_empty(), "{case}: {book:#?}");
}

#[tokio::test]
async fn never_more_calls_are_under_way_than_may_be_and_all_runs_end() {
    for (limit, width, runs) in [(3, 10, 2), (1, 3, 5), (30, 45, 2), (7, 60, 3)] {
        let case = format!("{limit} at once of {runs} times {width}");
        let mut world = World::new(ScriptedConnectors::echo());
        let version = fan(team(), width);
        let runs = start(&mut world, &version, limit, runs).await;
        let mut crew = Crew::of(&world);
        crew.drain(&mut world).await;
        expect_succeeded(&world, &runs, &case).await;
        expect_no_slots_held(&world, version.team_id, &case);
        assert_eq!(crew.most(), limit, "{case}");
        assert_eq!(crew.calls() as usize, width * runs.len(), "{case}");
    }
}

#[tokio::test]
async fn a_loop_has_no_more_calls_under_way_than_may_be_and_keeps_its_order() {
    let mut world = World::new(ScriptedConnectors::echo());
    let body = json!([{"key": "call", "node_type": "post_api", "metadata": {"url": "https://api.example.com/", "body": "{{ item }}"}}]);
    let each = json!({"key": "each", "node_type": "for_each", "metadata": {
        "items": "{{ [1..60] }}", "max_concurrency": 40, "body": body,
    }});
    let version = a_version(team(), graph(flow(vec![each], &[])));
    let runs = start(&mut world, &version, 3, 2).await;
    let mut crew = Crew::of(&world);
    crew.drain(&mut world).await;
    expect_succeeded(&world, &runs, "a loop").await;
    expect_no_slots_held(&world, version.team_id, "a loop");
    assert_eq!((crew.most(), crew.calls()), (3, 120));
    assert_eq!(world.result(&runs[0]).await.unwrap(), json!((1..=60).collect::<Vec<_>>()));
}

#[tokio::test]
async fn calls_of_runs_that_runs_start_count_too() {
    let mut world = World::new(ScriptedConnectors::echo());
    let child = fan(team(), 5);
    world.store.put_version(&child).await.unwrap();
    let metadata = json!({"workflow_id": child.workflow_id});
    let run = |key: &str| json!({"key": key, "node_type": "workflow", "metadata": metadata});
    let nodes = vec![run("one"), run("two"), effect("own")];
    let mut parent = a_version(child.team_id, graph(flow(nodes, &[])));
    let (workflow_id, version_id) = (child.workflow_id, child.id);
    parent.uses.push(UsedVersion { workflow_id, number: None, version_id });
    let runs = start(&mut world, &parent, 2, 1).await;
    let mut crew = Crew::of(&world);
    crew.drain(&mut world).await;
    expect_succeeded(&world, &runs, "children").await;
    assert_eq!((crew.most(), crew.calls()), (2, 11));
}

#[tokio::test]
async fn a_worker_may_be_lost_at_any_point_with_its_slots() {
    for point in 1.. {
        let case = format!("lost at point {point}");
        let mut world = World::new(ScriptedConnectors::echo());
        let version = fan(team(), 5);
        let runs = start(&mut world, &version, 2, 2).await;
        world.switch.arm(point);
        let mut deliveries = 0;
        while let Some(next) = (0..world.messages.len()).min_by_key(|at| world.messages[*at].due) {
            world.deliver(next).await;
            deliveries += 1;
            assert!(deliveries < 200, "{case}: messages multiply: {:#?}", world.messages);
            let book = world.admissions.slots(version.team_id);
            assert!(book.out() <= 2, "{case}: {book:#?}");
        }
        expect_succeeded(&world, &runs, &case).await;
        if !world.switch.has_stopped() {
            expect_no_slots_held(&world, version.team_id, &case);
            assert!(point > 50, "they have more points than {point}");
            return;
        }
    }
}

#[tokio::test]
async fn a_run_that_waits_has_one_message_and_writes_little() {
    let mut world = World::new(ScriptedConnectors::echo());
    let version = fan(team(), 50);
    occupy(&world, version.team_id, 2, TimeDelta::hours(1)).await;
    let runs = start(&mut world, &version, 2, 1).await;
    for _ in 0..60 {
        assert_eq!(world.messages.len(), 1, "{:#?}", world.messages);
        let due = world.messages[0].due;
        world.deliver(0).await.unwrap();
        let wait = world.messages[0].due - world.clock.now();
        assert!(wait >= TimeDelta::seconds(1) && wait <= TimeDelta::seconds(3), "{wait}");
        let run = world.load(&runs[0]).await.run;
        assert!(run.next_check_on.unwrap() > due, "nobody needs to remind of it");
    }
    let run = world.load(&runs[0]).await.run;
    assert_eq!((run.status, run.due(world.clock.now()).count()), (RunStatus::Running, 50));
    assert!(run.revision <= 3, "{} commits", run.revision);
    world.admissions.give_back(version.team_id, "somebody else", 2, 0).await.unwrap();
    world.drain().await;
    expect_succeeded(&world, &runs, "after an hour").await;
}

#[tokio::test]
async fn all_hints_may_be_lost() {
    let mut world = World::new(ScriptedConnectors::echo());
    let version = fan(team(), 4);
    occupy(&world, version.team_id, 1, TimeDelta::minutes(7)).await;
    let runs = start(&mut world, &version, 1, 2).await;
    for _ in 0..30 {
        world.messages.clear();
        world.clock.advance(TimeDelta::seconds(60));
        remind_runs(&*world.store, &*world.queue, world.clock.now(), 100).await.unwrap();
        for message in world.collect() {
            world.advance(&message.hint, 1).await.unwrap();
        }
        world.collect();
    }
    expect_succeeded(&world, &runs, "hints are lost").await;
}

#[tokio::test]
async fn messages_that_find_others_at_work_do_not_pile_up() {
    let mut world = World::new(ScriptedConnectors::echo());
    let version = fan(team(), 10);
    let runs = start(&mut world, &version, 2, 1).await;
    let crew = Crew::of(&world);
    let message = world.messages.remove(0);
    let (first, delivery) = (&runs[0], world.delivery(1));
    let working = advance_run(&crew.worker, &message.hint, &delivery);
    let disturbing = async {
        while world.load(first).await.run.revision < 2 {
            tokio::task::yield_now().await;
        }
        let now = world.clock.now();
        for _ in 0..7 {
            let run = world.load(first).await.run;
            let node = run.due(now).last().unwrap();
            let name = MessageName::of(&run.revision.to_string());
            let delivery = Delivery { message: name, ..world.delivery(1) };
            let done = advance_run(&crew.worker, &hint(first, Some(node.as_str())), &delivery).await.unwrap();
            assert_eq!((done.calls, done.hints), (0, 0), "{node}");
        }
    };
    let (done, ()) = tokio::join!(working, disturbing);
    assert_eq!(done.unwrap().calls, 10);
    assert_eq!(world.collect(), []);
    expect_succeeded(&world, &runs, "disturbed").await;
    assert_eq!(crew.most(), 2);
}

#[tokio::test]
async fn slots_that_are_not_needed_are_given_back_before_the_end() {
    let mut world = World::new(ScriptedConnectors::echo());
    // Of twenty calls all but one end soon.
    let mut nodes: Vec<_> = (0..20).map(|n| effect(&format!("n{n}"))).collect();
    nodes.push(effect("last"));
    let version = a_version(team(), graph(flow(nodes, &["n0 > last"])));
    let team = version.team_id;
    let runs = start(&mut world, &version, 40, 1).await;
    let admissions = world.admissions.clone();
    let (store, run) = (world.store.clone(), runs[0].clone());
    let looking = async move {
        let mut held = Vec::new();
        while !store.load_control(run.team_id, run.id).await.unwrap().status.is_terminal() {
            held.push(admissions.slots(team).out());
            tokio::task::yield_now().await;
        }
        held
    };
    let mut crew = Crew::of(&world);
    let (held, ()) = tokio::join!(looking, crew.drain(&mut world));
    assert!(held.contains(&20) && held.contains(&1), "{held:?}");
    expect_no_slots_held(&world, team, "at the end");
}

#[tokio::test]
async fn without_a_limit_nobody_is_asked() {
    let mut world = World::new(ScriptedConnectors::echo());
    let version = fan(team(), 30);
    world.limits.put_steps(team(), 1);
    world.catalog.put_version(version.clone());
    let run = world.start(&version, json!(0), None).await.unwrap().run;
    let mut crew = Crew::of(&world);
    crew.drain(&mut world).await;
    expect_succeeded(&world, &[run], "no limit").await;
    assert_eq!(world.admissions.requests(), 0);
}
