//! Nodes whose work other runs do.

use domain::{RunStatus, UsedVersion, VersionId, WorkflowId};
use engine::{
    Effect, Event, NodeState, Plan, Rejected, Run, Values, advance, child_id, children_of, effects,
    item_results, new_effects, run::RECHECK,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, advanced, permanent, settled, start};

#[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
fn for_each(more: Value) -> Value {
    let mut metadata = json!({"items": "{{ input.items }}"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"node_type": "for_each", "metadata": metadata})
}

fn program(key: &str, program: &str) -> Value {
    json!({"key": key, "node_type": "advanced", "metadata": {"program": program}})
}

fn call(key: &str) -> Value {
    json!({"key": key, "node_type": "post_api", "metadata": {"url": "https://example.com/{{ item }}", "body": "{{ index }}"}})
}

/// A run with a `for_each` over so many items, woken.
fn looping(items: usize, more: Value) -> World {
    let details = json!({"outer": advanced("'from outside'"), "each": for_each(more)});
    let numbers: Vec<_> = (0..items).collect();
    let graph = crate::world::graph("start -> outer; outer -> hand; hand -> each; each -> end", &{
        let mut details = details;
        details["start"] = advanced("input");
        details["hand"] = advanced("base.params");
        details["end"] = advanced("input");
        details
    });
    let mut world = World::new(graph, json!({"items": numbers}));
    world.wake();
    world
}

#[test]
fn a_check_that_finds_nothing_to_do_comes_again_as_much_later() {
    let mut world = looping(3, json!({"body": [call("fetch")]}));
    let first = world.run.next_check_on.unwrap();
    world.pass((first - world.now).num_seconds());
    let decision = world.wake();
    assert_eq!(decision.run.unwrap().next_check_on, Some(world.now + (first - start())));
    assert_eq!(world.wake().run, None);
}

/// A chunk of the world's run, as a world of its own.
fn chunk(world: &World, number: u32) -> World {
    let mut children =
        children_of(&world.plan, &world.run, &world.values, &"each".into(), &[number], world.now).unwrap();
    let child = children.remove(0);
    let plan = world.plan.of_run(&child.run).unwrap();
    World::of_plan(plan, child.run, child.inputs)
}

fn ended(numbers: &[u32], outcome: Option<Result<Value, domain::Failure>>) -> Event {
    Event::ChildrenEnded {
        node: "each".into(),
        ended: numbers.to_vec(),
        steps: 1,
        outcome: outcome.map(|outcome| outcome.map(Into::into)),
    }
}

#[test]
fn an_empty_list_starts_nothing() {
    let world = looping(0, json!({"body": [program("double", "item * 2")]}));
    assert_eq!((world.run.status, world.result()), (RunStatus::Succeeded, Some(json!([]))));
    assert!(effects(&world.plan, &world.run).is_empty());
}

#[test]
fn a_pure_body_is_one_commit_for_each_chunk() {
    let body =
        json!([program("double", "item * 2"), program("add", "input + index + $count([base.nodes.outer])")]);
    let world = looping(30, json!({"body": body}));
    assert_eq!(
        world.states(),
        "start succeeded, outer succeeded, hand succeeded, each waiting, end blocked; run running"
    );
    assert_eq!(effects(&world.plan, &world.run), [Effect::StartChild { node: "each".into(), child: 0 }]);
    let mut first = chunk(&world, 0);
    first.wake();
    assert_eq!((first.run.status, first.run.revision), (RunStatus::Succeeded, 1));
    let expected: Vec<_> = (0..25).map(|i| json!(i * 3 + 1)).collect();
    assert_eq!(item_results(&first.plan, &first.run, &first.values), expected);
    let mut second = chunk(&world, 1);
    second.wake();
    let expected: Vec<_> = (25..30).map(|i| json!(i * 3 + 1)).collect();
    assert_eq!(item_results(&second.plan, &second.run, &second.values), expected);
}

#[test]
fn chunks_follow_each_other_and_the_last_brings_the_outcome() {
    let mut world = looping(60, json!({"body": [program("double", "item * 2")]}));
    let before = world.run.clone();
    world.apply(ended(&[0], None), None).unwrap();
    assert_eq!(
        new_effects(&world.plan, &before, &world.run),
        [Effect::StartChild { node: "each".into(), child: 1 }]
    );
    let stale = Err(Rejected::Stale { node: "each".into(), attempt: 1 });
    assert_eq!(world.apply(ended(&[0], None), None), stale, "it has been seen to end");
    assert_eq!(world.apply(ended(&[1], Some(Ok(json!([])))), None), stale, "another one is to come");
    world.apply(ended(&[1], None), None).unwrap();
    assert_eq!(world.apply(ended(&[2], None), None), stale, "it is the last");
    world.apply(ended(&[2], Some(Ok(json!(["all"])))), None).unwrap();
    assert_eq!((world.run.status, world.result()), (RunStatus::Succeeded, Some(json!(["all"]))));
    assert!(world.run.children.is_empty() && effects(&world.plan, &world.run).is_empty());
}

#[test]
fn so_many_items_are_in_work_at_a_time() {
    let world = looping(60, json!({"body": [call("send")], "max_concurrency": 23}));
    let open: Vec<_> = effects(&world.plan, &world.run);
    assert_eq!(open.len(), 3, "three chunks of seven at a time");
    let mut first = chunk(&world, 0);
    let turn = engine::Turn { at_most: 50, ..first.turn(None) };
    let calls = first.apply(Event::Woken, Some(turn.clone())).unwrap().calls;
    let keys: Vec<_> = calls.iter().map(|call| call.node.as_str()).collect();
    assert_eq!(keys, ["send.0", "send.1", "send.2", "send.3", "send.4", "send.5", "send.6"]);
    assert_eq!(calls[3].config["body"], json!(3));
    assert_eq!(calls[3].idempotency_key, format!("{}:each.send:3", world.run.id));
    let done =
        Event::Settled(vec![settled("send.0", 1, Ok(json!("a"))), settled("send.4", 1, Ok(json!("b")))]);
    let more = first.apply(done, Some(turn)).unwrap().calls;
    let keys: Vec<_> = more.iter().map(|call| call.node.as_str()).collect();
    assert_eq!(keys, ["send.7", "send.8"]);
    assert_eq!(chunk(&world, 1).run.parent.unwrap().chunk.unwrap().first, 25);
}

fn failing(on_item_error: &str) -> World {
    let body = json!([call("send"), program("after", "'done ' & $string(item)")]);
    let world = looping(3, json!({"body": body, "on_item_error": on_item_error}));
    let mut chunk = chunk(&world, 0);
    let turn = engine::Turn { at_most: 50, ..chunk.turn(None) };
    chunk.apply(Event::Woken, Some(turn)).unwrap();
    let outcomes = vec![
        settled("send.0", 1, Ok(json!(0))),
        settled("send.1", 1, Err(permanent())),
        settled("send.2", 1, Ok(json!(2))),
    ];
    chunk.apply(Event::Settled(outcomes), None).unwrap();
    chunk
}

#[test]
fn a_failed_item_fails_the_chunk_unless_it_may_be_left_out_or_collected() {
    let failed = failing("fail");
    assert_eq!(
        (failed.run.status, failed.run.error.as_ref().unwrap().node.as_ref().unwrap().as_str()),
        (RunStatus::Failed, "send.1")
    );
    let skipped = failing("skip");
    assert_eq!(skipped.run.status, RunStatus::Succeeded);
    assert_eq!(
        item_results(&skipped.plan, &skipped.run, &skipped.values),
        [json!("done 0"), json!("done 2")]
    );
    let collected = failing("collect");
    let results = item_results(&collected.plan, &collected.run, &collected.values);
    assert_eq!(results[1], json!({"error": {"class": "permanent", "code": "http_status", "message": "404"}}));
    assert_eq!((results.len(), &results[2]), (3, &json!("done 2")));
}

#[test]
fn a_chunk_that_fails_cancels_the_others() {
    let mut world = looping(100, json!({"body": [call("send")], "max_concurrency": 30}));
    world.apply(ended(&[1], Some(Err(permanent()))), None).unwrap();
    assert_eq!(world.run.status, RunStatus::Failed);
    let cancelled: Vec<_> = effects(&world.plan, &world.run);
    assert_eq!(cancelled, [0, 2].map(|child| Effect::CancelChild { node: "each".into(), child }));
}

#[test]
fn cancelling_reaches_everything_that_was_started() {
    let mut world = looping(100, json!({"body": [call("send")], "max_concurrency": 20}));
    world.apply(Event::CancelRequested, None).unwrap();
    let cancelled: Vec<_> = effects(&world.plan, &world.run);
    assert_eq!(cancelled, [0, 1].map(|child| Effect::CancelChild { node: "each".into(), child }));
}

#[test]
fn a_run_that_ends_before_its_children_is_looked_at_until_they_have_ended_too() {
    let mut world = looping(100, json!({"body": [call("send")], "max_concurrency": 20}));
    assert_eq!(world.apply(Event::Closed, None).unwrap().run, None, "it goes on");
    world.apply(Event::CancelRequested, None).unwrap();
    let ended = world.run.clone();
    assert_eq!(ended.next_check_on, Some(world.now + RECHECK));
    assert_eq!(world.apply(Event::Woken, None), Err(Rejected::Ended));
    world.apply(Event::Closed, None).unwrap();
    assert_eq!(world.run, Run { revision: ended.revision + 1, next_check_on: None, ..ended });
    assert_eq!(world.apply(Event::Closed, None).unwrap().run, None, "once is enough");
}

#[test]
fn a_body_may_branch_merge_and_return() {
    let body = json!({
        "nodes": [
            {"key": "big", "node_type": "if_else", "metadata": {"condition": "item > 1"}},
            program("large", "'large'"), program("small", "'small'"),
            {"key": "join", "node_type": "merge", "metadata": {"mode": "any"}},
            {"key": "give", "node_type": "return", "metadata": {"output": "{{ input }} {{ index }}"}},
        ],
        "edges": [
            {"from": "big", "to": "large", "label": "true"}, {"from": "big", "to": "small", "label": "false"},
            {"from": "large", "to": "join"}, {"from": "small", "to": "join"}, {"from": "join", "to": "give"},
        ],
    });
    let world = looping(4, json!({"body": body}));
    let mut chunk = chunk(&world, 0);
    chunk.wake();
    assert_eq!(
        item_results(&chunk.plan, &chunk.run, &chunk.values),
        ["small 0", "small 1", "large 2", "large 3"]
    );
}

#[test]
fn loops_may_stand_in_loops() {
    let inner = json!({"key": "inner", "node_type": "for_each", "metadata": {"items": "[1, 2]", "body": [program("leaf", "$string(item) & base.nodes.outer & base.nodes.name")]}});
    let world = looping(3, json!({"body": [program("name", "'n' & $string(item)"), inner]}));
    let mut outer = chunk(&world, 0);
    outer.wake();
    assert_eq!(outer.run.children.len(), 3);
    let node = "inner.1".into();
    let child = children_of(&outer.plan, &outer.run, &outer.values, &node, &[0], start()).unwrap().remove(0);
    assert_eq!(child.run.id, child_id(outer.run.id, &node, 0));
    let mut inner = World::of_plan(world.plan.of_run(&child.run).unwrap(), child.run, child.inputs);
    inner.wake();
    assert_eq!(item_results(&inner.plan, &inner.run, &inner.values), ["1from outsiden1", "2from outsiden1"]);
}

#[test]
fn a_workflow_runs_the_version_it_was_published_with() {
    let workflow_id = WorkflowId::new(Uuid::from_u128(77));
    let child = json!({"node_type": "workflow", "metadata": {"workflow_id": workflow_id, "input": {"n": "{{ input.n + 1 }}"}}});
    let mut world = World::new(
        crate::world::graph("a -> each", &json!({"a": advanced("input"), "each": child})),
        json!({"n": 1}),
    );
    world.wake();
    assert_eq!(world.run.error.as_ref().unwrap().failure.code, "unknown_version", "it was published without");
    let used = UsedVersion { workflow_id, number: None, version_id: VersionId::new(Uuid::from_u128(78)) };
    let mut world = world.published_with(used.clone());
    world.wake();
    let child =
        children_of(&world.plan, &world.run, &world.values, &"each".into(), &[0], start()).unwrap().remove(0);
    assert_eq!(
        (child.run.workflow_id, child.run.version_id, &child.inputs),
        (used.workflow_id, used.version_id, &json!({"n": 2}))
    );
    assert_eq!(child.run.parent.as_ref().unwrap().run_id, world.run.id);
    world.apply(ended(&[0], Some(Ok(json!("theirs")))), None).unwrap();
    assert_eq!(world.result(), Some(json!("theirs")));
}

#[test]
fn the_failure_of_a_child_takes_the_error_edge() {
    let mut world = looping(3, json!({"body": [call("send")]}));
    let Some(NodeState::Waiting { .. }) = world.state("each") else { panic!("{}", world.states()) };
    world.apply(ended(&[0], Some(Err(permanent()))), None).unwrap();
    assert_eq!(world.run.status, RunStatus::Failed);
    assert!(world.records.iter().all(|record| !record.retried), "waiting is not tried again");
}

#[test]
fn a_chunk_decides_as_often_as_it_is_asked_the_same() {
    let world = looping(3, json!({"body": [program("dice", "$random()")]}));
    let roll = || {
        let child = chunk(&world, 0);
        let (plan, run, values): (&Plan, &Run, &Values) = (&child.plan, &child.run, &child.values);
        let moment = engine::Moment { now: start(), jitter: 0.5, turn: None };
        advance(plan, run, values, Event::Woken, &moment).unwrap().records
    };
    assert_eq!(roll(), roll());
    let values: Vec<_> = roll().iter().map(|record| record.output.clone().unwrap()).collect();
    assert!(values[0] != values[1] && values[1] != values[2], "{values:?}");
}
