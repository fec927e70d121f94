//! Rules of annotations.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{AnnotationId, MemberId, RunId, ServiceId, TeamId};

use super::run_store::morning;
use crate::{
    fakes::team,
    ports::{ANNOTATION_MAX, Actor, Annotation, Annotations},
};

/// Annotations, and teams that may have them.
#[async_trait]
pub trait AnnotationWorld: Send + Sync {
    /// What is tested.
    fn annotations(&self) -> &dyn Annotations;

    /// A team that exists.
    async fn team(&self) -> TeamId;
}

fn remark(run_id: RunId, text: &str) -> Annotation {
    Annotation {
        // Drawn one after the other.
        id: AnnotationId::new(team().uuid()),
        run_id,
        node: None,
        text: text.to_owned(),
        author: Actor::Service(ServiceId::new(team().uuid())),
        created_on: morning(),
    }
}

fn a_run() -> RunId {
    RunId::new(team().uuid())
}

pub async fn remarks_are_read_back_newest_first(world: &dyn AnnotationWorld) {
    let (ours, run) = (world.team().await, a_run());
    let first = Annotation { node: Some("fetch".into()), ..remark(run, "The shop was down.\nSee #7. ä") };
    let author = Actor::Member(MemberId::new(team().uuid()));
    let created_on = morning() + TimeDelta::microseconds(1);
    let second = Annotation { author, created_on, ..remark(run, &"ä".repeat(ANNOTATION_MAX)) };
    for remark in [&first, &second] {
        world.annotations().annotate(ours, remark).await.unwrap();
    }
    let found = world.annotations().annotations(ours, run, None, 10).await.unwrap();
    assert_eq!(found, [second, first]);
}

pub async fn remarks_are_their_runs_and_their_teams(world: &dyn AnnotationWorld) {
    let (ours, theirs, run) = (world.team().await, world.team().await, a_run());
    world.annotations().annotate(ours, &remark(run, "ours")).await.unwrap();
    for (team, run) in [(theirs, run), (ours, a_run())] {
        assert_eq!(world.annotations().annotations(team, run, None, 10).await.unwrap(), []);
    }
}

pub async fn remarks_come_in_pages(world: &dyn AnnotationWorld) {
    let (ours, run) = (world.team().await, a_run());
    let mut newest_first = Vec::new();
    for n in 0..5 {
        let remark = remark(run, &n.to_string());
        world.annotations().annotate(ours, &remark).await.unwrap();
        newest_first.insert(0, remark);
    }
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = world.annotations().annotations(ours, run, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        before = Some(last.id);
        found.extend(page);
    }
    assert_eq!(found, newest_first);
}
