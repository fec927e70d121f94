//! Nodes that wait: for a time, for people. What a run with nothing else to do says of itself.

use chrono::TimeDelta;
use domain::RunStatus;
use engine::{Awaited, Effect, Event, NodeState, Rejected, Vote, effects};
use serde_json::{Value, json};

use crate::world::{World, advanced, permanent, start};

#[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
fn wait(metadata: Value) -> Value {
    json!({"node_type": "wait", "metadata": metadata})
}

#[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
fn approval(more: Value) -> Value {
    let mut metadata = json!({"title": "Refund {{ input.amount }}?"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"node_type": "approval", "metadata": metadata})
}

fn asked(more: Value) -> World {
    let details = json!({"ask": approval(more), "yes": advanced("input"), "no": advanced("input")});
    let graph = crate::world::graph("ask -approved-> yes; ask -rejected-> no", &details);
    let mut world = World::new(graph, json!({"amount": 5}));
    world.wake();
    world
}

fn vote(by: &str, approves: bool, form: Value) -> Event {
    Event::Decided { node: "ask".into(), vote: Vote { by: by.to_owned(), approves, on: start(), form } }
}

#[test]
fn a_wait_hands_its_input_on_when_its_time_has_come() {
    let details = json!({"a": advanced("{'n': 7}"), "w": wait(json!({"seconds": "{{ input.n * 10 }}"})), "b": advanced("input.n")});
    let mut world = World::of("a -> w; w -> b", &details);
    world.wake();
    let then = start() + TimeDelta::seconds(70);
    assert_eq!(world.states(), "a succeeded, w waiting, b blocked; run waiting");
    assert_eq!(world.run.next_check_on, Some(then));
    assert_eq!(effects(&world.plan, &world.run), [Effect::Wake { node: "w".into(), at: then }]);
    world.pass(69);
    assert_eq!(world.wake().run, None, "it is too early");
    world.pass(1);
    world.wake();
    assert_eq!(
        (world.states().as_str(), world.result()),
        ("a succeeded, w succeeded, b succeeded; run succeeded", Some(json!(7)))
    );
    let waited = world.records.iter().find(|record| record.node.as_str() == "w").unwrap();
    assert_eq!((waited.started_on, waited.finished_on), (start(), then));
}

#[test]
fn a_time_that_has_passed_is_not_waited_for() {
    for metadata in
        [json!({"until": "2026-01-02T03:04:05Z"}), json!({"seconds": 0}), json!({"until": "{{ base.time }}"})]
    {
        let mut world = World::of("w", &json!({"w": wait(metadata)}));
        world.wake();
        assert_eq!(world.states(), "w succeeded; run succeeded");
    }
}

#[test]
fn what_is_no_time_fails_the_node() {
    for metadata in [
        json!({"until": "tomorrow"}),
        json!({"until": "2046-01-02T03:04:05Z"}),
        json!({"seconds": "{{ 'x' }}"}),
        json!({"seconds": "{{ -1 }}"}),
    ] {
        let mut world = World::of("w", &json!({"w": wait(metadata)}));
        world.wake();
        assert_eq!(world.run.error.unwrap().failure.code, "wrong_time");
    }
}

#[test]
fn a_run_waits_only_while_nothing_else_is_to_be_done() {
    let mut world = World::of("w; a", &json!({"w": wait(json!({"seconds": 60}))}));
    world.wake();
    assert_eq!(world.run.status, RunStatus::Running);
    world.execute("a", Ok(json!(1)));
    assert_eq!(world.run.status, RunStatus::Waiting);
}

#[test]
fn one_approval_lets_the_run_go_on_where_no_more_are_asked_for() {
    let mut world = asked(json!({}));
    assert_eq!(world.states(), "ask waiting, yes blocked, no blocked; run waiting");
    let Some(NodeState::Waiting { on: Awaited::Approval { title, .. }, until: None, .. }) =
        world.state("ask")
    else {
        panic!()
    };
    assert_eq!(title, "Refund 5?");
    world.apply(vote("ann", true, json!(null)), None).unwrap();
    assert_eq!(world.states(), "ask succeeded, yes succeeded, no skipped; run succeeded");
    let output = world.output("ask");
    assert_eq!((&output["decision"], &output["by"]), (&json!("approved"), &json!("ann")));
    assert_eq!(
        output["votes"][0],
        json!({"by": "ann", "decision": "approved", "on": "2026-01-02T03:04:05Z", "form": null})
    );
}

#[test]
fn a_quorum_counts_people_and_one_rejection_rejects() {
    let mut world = asked(json!({"quorum": 2}));
    world.apply(vote("ann", true, json!(null)), None).unwrap();
    assert_eq!(world.states(), "ask waiting, yes blocked, no blocked; run waiting");
    let again = Rejected::DecidedBefore { node: "ask".into(), by: "ann".into() };
    assert_eq!(world.apply(vote("ann", false, json!(null)), None), Err(again), "the first decision counts");
    world.apply(vote("bob", false, json!(null)), None).unwrap();
    assert_eq!(world.states(), "ask succeeded, yes skipped, no succeeded; run succeeded");
    assert_eq!(world.apply(vote("cyd", true, json!(null)), None), Err(Rejected::Ended));
}

#[test]
fn a_form_has_to_be_filled_in_by_who_approves() {
    let form =
        json!({"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}});
    let mut world = asked(json!({"form": form}));
    let Err(Rejected::WrongForm { problems, .. }) =
        world.apply(vote("ann", true, json!({"reason": 7})), None)
    else {
        panic!()
    };
    assert_eq!(problems[0].0, "/reason");
    assert!(matches!(
        world.apply(vote("ann", true, json!({"reason": "x".repeat(9000)})), None),
        Err(Rejected::WrongForm { .. })
    ));
    world.apply(vote("ann", true, json!({"reason": "broken"})), None).unwrap();
    assert_eq!(world.output("ask")["form"], json!({"reason": "broken"}));
}

#[test]
fn nobody_is_asked_at_a_node_that_does_not_wait() {
    let mut world = World::of("a", &json!({}));
    world.wake();
    let event = Event::Decided {
        node: "a".into(),
        vote: Vote { by: "ann".into(), approves: true, on: start(), form: json!(null) },
    };
    assert_eq!(world.apply(event, None), Err(Rejected::NotAwaited("a".into())));
}

#[test]
fn what_a_timeout_means_is_the_authors_choice() {
    for (on_timeout, states) in [
        (json!({"timeout_s": 60}), "ask failed, yes cancelled, no cancelled; run failed"),
        (
            json!({"timeout_s": 60, "on_timeout": "approve"}),
            "ask succeeded, yes succeeded, no skipped; run succeeded",
        ),
        (
            json!({"timeout_s": 60, "on_timeout": "reject"}),
            "ask succeeded, yes skipped, no succeeded; run succeeded",
        ),
    ] {
        let mut world = asked(on_timeout);
        world.pass(60);
        world.wake();
        assert_eq!(world.states(), states);
    }
}

#[test]
fn a_deadline_fails_a_run_whatever_it_waits_for() {
    let mut world = World::of("w; a", &json!({"w": wait(json!({"seconds": 600}))}));
    world.run.deadline = Some(start() + TimeDelta::seconds(30));
    world.wake();
    assert_eq!(world.run.next_check_on, world.run.deadline);
    world.pass(30);
    world.wake();
    assert_eq!(world.states(), "w cancelled, a cancelled; run failed");
    let error = world.run.error.unwrap();
    assert_eq!((error.node, error.failure.code.as_str()), (None, "deadline"));
}

#[test]
fn a_delivery_after_three_that_came_to_nothing_ends_a_run() {
    let mut world = World::of("a", &json!({}));
    let redelivered = |message: &str| Event::Redelivered { message: message.to_owned() };
    for counted in 1..=3 {
        world.apply(redelivered("m"), None).unwrap();
        world.apply(redelivered(&format!("other {counted}")), None).unwrap();
        assert_eq!((world.run.lost_deliveries["m"], world.run.status), (counted, RunStatus::Pending));
    }
    world.wake();
    assert!(world.run.lost_deliveries.is_empty(), "a commit of its own starts the count anew");
    for _ in 0..5 {
        world.apply(redelivered("m"), None).unwrap();
        world.apply(Event::Excused { message: "m".to_owned() }, None).unwrap();
    }
    assert!(world.run.lost_deliveries.is_empty(), "a store that fails is no worker that is lost");
    for _ in 0..4 {
        assert!(!world.run.status.is_terminal());
        world.apply(redelivered("m"), None).unwrap();
    }
    assert_eq!(world.states(), "a cancelled; run failed");
    assert_eq!(world.run.error.unwrap().failure.code, "workers_lost");
}

#[test]
fn other_branches_finish_where_the_version_says_so() {
    let mut world = World::of("a -> b; c -> d; b, d -> m", &json!({}));
    world.finish_branches();
    world.wake();
    world.execute("a", Err(permanent()));
    assert_eq!(world.states(), "a failed, b cancelled, c ready, d blocked, m blocked; run running");
    world.execute("c", Ok(json!(1)));
    world.execute("d", Ok(json!(1)));
    assert_eq!(world.states(), "a failed, b cancelled, c succeeded, d succeeded, m cancelled; run failed");
    assert_eq!(world.run.error.unwrap().node, Some("a".into()));
}

#[test]
fn a_run_that_makes_too_many_steps_fails() {
    let mut world = World::of("a; b; c; d", &json!({}));
    world.limit_steps(2);
    world.wake();
    world.execute("a", Ok(json!(1)));
    world.execute("b", Ok(json!(1)));
    assert_eq!((world.run.status, world.run.steps), (RunStatus::Running, 2));
    world.execute("c", Ok(json!(1)));
    assert_eq!(world.run.error.unwrap().failure.code, "too_many_steps");
}
