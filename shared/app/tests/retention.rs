//! Runs leave for a file before they are deleted, whatever is lost on the way.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use app::{
    RetirePorts, Retired,
    fakes::{Crashing, MemoryExports, ScriptedConnectors, a_run, a_version, graph, team},
    ports::{EndedRuns, Exports as _, RunStore as _, StoreError},
    retire_runs,
};
use chrono::TimeDelta;
use common::{World, effect, flow, pure};
use domain::{RunId, RunStatus, TeamId, Timestamp};
use engine::{Run, child_id};
use serde_json::{Value, json};

/// A team whose runs are over their time, and where they go.
struct Old {
    world: World,
    exports: Arc<MemoryExports>,
    team: TeamId,
    runs: Vec<Run>,
    now: Timestamp,
}

/// How many items the loop of the first run has: enough for several chunks.
const ITEMS: usize = 60;

impl Old {
    /// Runs of an effect, and of a loop over items with a loop in it.
    async fn runs(count: usize) -> Self {
        let mut world = World::new(ScriptedConnectors::new(|call| Ok(call.config["body"].clone())));
        let send = json!({"key": "send", "node_type": "post_api", "metadata": {"url": "https://api.example.com/", "body": "{{ item }}"}});
        let inner =
            json!({"key": "inner", "node_type": "for_each", "metadata": {"items": "[1, 2]", "body": [send]}});
        let each = json!({"key": "each", "node_type": "for_each", "metadata": {
            "items": "base.params.items", "max_concurrency": 100, "body": [inner]}});
        let nodes = vec![effect("fetch"), each, pure("count", "$count(input)")];
        let version = a_version(team(), graph(flow(nodes, &["fetch > each", "each > count"])));
        world.catalog.put_version(version.clone());
        let (mut runs, team) = (Vec::new(), version.team_id);
        for n in 0..count {
            let items: Vec<_> = (0..if n == 0 { ITEMS } else { 3 }).collect();
            runs.push(world.start(&version, json!({"n": n, "items": items}), None).await.unwrap().run);
            world.clock.advance(TimeDelta::seconds(1));
        }
        world.collect();
        drain(&mut world).await;
        for run in &runs {
            assert_eq!(world.load(run).await.run.status, RunStatus::Succeeded);
        }
        world.clock.advance(TimeDelta::days(30));
        let now = app::ports::Clock::now(&*world.clock);
        Self { world, exports: Arc::default(), team, runs, now }
    }

    async fn retire(&self, limit: u32) -> Retired {
        let store = &*self.world.store;
        let ports = RetirePorts { store, ended: store, exports: &*self.exports };
        retire_runs(&ports, self.team, self.now, limit).await.unwrap()
    }

    /// A turn whose process is lost at the nth point. None if it was.
    async fn retire_until(&self, nth: u64) -> Option<Retired> {
        let switch = &self.world.switch;
        let store = Crashing::new(Arc::clone(&self.world.store), Arc::clone(switch));
        let exports = Crashing::new(Arc::clone(&self.exports), Arc::clone(switch));
        switch.arm(nth);
        let ports = RetirePorts { store: &store, ended: &store, exports: &exports };
        let done = switch.run(retire_runs(&ports, self.team, self.now, 10)).await;
        done.map(Result::unwrap)
    }

    /// Every line of every file, by run.
    async fn lines(&self) -> BTreeMap<RunId, Vec<Value>> {
        let mut lines = BTreeMap::<_, Vec<_>>::new();
        for name in self.exports.names(self.team) {
            let file = String::from_utf8(self.exports.export(self.team, &name).await.unwrap()).unwrap();
            for line in file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
                lines.entry(line["id"].as_str().unwrap().parse().unwrap()).or_default().push(line);
            }
        }
        lines
    }

    /// The chunks of the first run that are there.
    async fn chunks(&self) -> Vec<Run> {
        let mut chunks = Vec::new();
        for number in 0..ITEMS {
            let id = child_id(self.runs[0].id, &"each".into(), u32::try_from(number).unwrap());
            chunks.extend(self.world.store.load_control(self.team, id).await.ok());
        }
        chunks
    }

    async fn is_there(&self, run: &Run) -> bool {
        self.world.store.load(self.team, run.id).await.is_ok()
    }
}

/// Works through messages, of which a large loop has many.
async fn drain(world: &mut World) {
    while let Some(next) = (0..world.messages.len()).min_by_key(|at| world.messages[*at].due) {
        world.deliver(next).await;
    }
}

#[tokio::test]
async fn a_run_leaves_with_all_that_is_known_of_it() {
    let old = Old::runs(2).await;
    let chunks = old.chunks().await;
    assert!(chunks.len() > 1, "the loop takes several chunks");
    assert_eq!(old.retire(10).await, Retired { exported: 2, purged: 2, has_more: false });

    let lines = old.lines().await;
    assert_eq!(lines.len(), 2);
    let line = &lines[&old.runs[0].id][0];
    assert_eq!((&line["status"], &line["result"]), (&json!("succeeded"), &json!(ITEMS)));
    assert_eq!((&line["inputs"]["n"], &line["trigger"]["kind"]), (&json!(0), &json!("api")));
    let steps = line["steps"].as_array().unwrap();
    let of = |node: &str| steps.iter().filter(|step| step["node"] == node).collect::<Vec<_>>();
    assert_eq!((of("fetch").len(), of("each").len(), of("count").len()), (1, 1, 1));
    assert_eq!(of("fetch")[0]["log"], json!(["attempt 1"]));
    assert_eq!(of(&format!("inner.{}", ITEMS - 1)).len(), 1, "items are steps of their own");
    assert_eq!(of("send.1").len(), ITEMS, "and so are the items of an inner loop");

    for run in &old.runs {
        assert!(!old.is_there(run).await);
    }
    assert_eq!(old.chunks().await, []);
    let inner = child_id(chunks[0].id, &"inner.0".into(), 0);
    let left = old.world.store.load_control(old.team, inner).await;
    assert!(matches!(left, Err(StoreError::NotFound)), "{left:?}");
    assert_eq!(old.retire(10).await, Retired::default());
    assert_eq!(old.exports.names(old.team).len(), 1);
}

#[tokio::test]
async fn whatever_is_lost_on_the_way_a_run_is_exported_whole_before_any_of_it_is_gone() {
    let whole = {
        let old = Old::runs(2).await;
        old.retire(10).await;
        let lines = old.lines().await;
        let of_run = |run: &Run| lines[&run.id][0].clone();
        old.runs.iter().map(of_run).collect::<Vec<_>>()
    };
    let mut nth = 1;
    loop {
        let old = Old::runs(2).await;
        let is_lost = old.retire_until(nth).await.is_none();
        let lines = old.lines().await;
        for run in &old.runs {
            assert!(old.is_there(run).await || lines.contains_key(&run.id), "lost at {nth}");
        }
        let again = old.retire(10).await;
        assert!(!is_lost || again.purged <= 2, "lost at {nth}: {again:?}");
        let lines = old.lines().await;
        for (run, whole) in old.runs.iter().zip(&whole) {
            assert!(!old.is_there(run).await, "lost at {nth}");
            assert!(!lines[&run.id].is_empty(), "lost at {nth}");
            for line in &lines[&run.id] {
                let (steps, result) = (line["steps"].as_array().unwrap().len(), &line["result"]);
                let all = whole["steps"].as_array().unwrap().len();
                assert_eq!((steps, result), (all, &whole["result"]), "lost at {nth}");
            }
        }
        assert_eq!(old.chunks().await, [], "lost at {nth}");
        if !is_lost {
            break;
        }
        // Many points are alike: each chunk is looked for, read and deleted.
        nth += if nth < 12 { 1 } else { 61 };
    }
    assert!(nth > 100, "{nth}");
}

#[tokio::test]
async fn the_first_accepted_leave_first_and_a_batch_is_bounded() {
    let old = Old::runs(5).await;
    assert_eq!(old.retire(2).await, Retired { exported: 2, purged: 2, has_more: true });
    let mut there = Vec::new();
    for run in &old.runs {
        there.push(old.is_there(run).await);
    }
    assert_eq!(there, [false, false, true, true, true]);
    assert_eq!(old.retire(10).await, Retired { exported: 3, purged: 3, has_more: false });
    assert_eq!(old.exports.names(old.team).len(), 2);
}

#[tokio::test]
async fn turns_at_once_lose_nothing() {
    let old = Old::runs(4).await;
    let store = Crashing::new(Arc::clone(&old.world.store), Arc::clone(&old.world.switch));
    let exports = Crashing::new(Arc::clone(&old.exports), Arc::clone(&old.world.switch));
    let ports = RetirePorts { store: &store, ended: &store, exports: &exports };
    let turn = |limit| retire_runs(&ports, old.team, old.now, limit);
    let _ = tokio::join!(turn(10), turn(2), turn(3));
    old.retire(10).await;
    let lines = old.lines().await;
    for run in &old.runs {
        assert!(!old.is_there(run).await);
        assert!(lines[&run.id].iter().all(|line| line == &lines[&run.id][0]), "a part of a run");
    }
}

#[tokio::test]
async fn a_run_that_cant_be_read_is_kept_and_holds_up_no_other() {
    let old = Old::runs(1).await;
    let odd = a_run(old.team, old.now - TimeDelta::days(60));
    old.world.store.create(&odd, &json!({}), None).await.unwrap();
    let odd = Run { revision: 1, status: RunStatus::Failed, finished_on: Some(odd.created_on), ..odd };
    old.world.store.commit(&odd, &[]).await.unwrap();

    assert_eq!(old.retire(10).await, Retired { exported: 1, purged: 1, has_more: false });
    assert!(old.is_there(&odd).await, "nobody knows whether it had chunks: its version is gone");
    assert!(!old.world.store.exported(old.team, &[odd.id]).await.unwrap().contains(&odd.id));
}

#[tokio::test]
async fn nothing_is_exported_or_deleted_before_its_time() {
    let old = Old::runs(1).await;
    let store = &*old.world.store;
    let ports = RetirePorts { store, ended: store, exports: &*old.exports };
    let before = old.now - TimeDelta::days(31);
    assert_eq!(retire_runs(&ports, old.team, before, 10).await.unwrap(), Retired::default());
    assert_eq!(retire_runs(&ports, team(), old.now, 10).await.unwrap(), Retired::default());
    assert!(old.is_there(&old.runs[0]).await);
    assert!(old.exports.names(old.team).is_empty());
}
