//! Claims, fencing, retries, lost workers, cancellation, the next check.

use chrono::TimeDelta;
use domain::{ErrorClass, NodeKey, RunStatus};
use engine::{Effect, Event, NodeState, Rejected, Turn, effects, expr::Part, new_effects, next_lease};
use serde_json::json;

use crate::world::{World, advanced, permanent, settled, start, transient};

fn later(seconds: i64) -> domain::Timestamp {
    start() + TimeDelta::seconds(seconds)
}

#[test]
fn ten_pure_nodes_in_a_row_are_one_commit() {
    let keys: Vec<_> = (0..10).map(|i| format!("n{i}")).collect();
    let text = keys.windows(2).map(|pair| pair.join(" -> ")).collect::<Vec<_>>().join("; ");
    let details = keys.iter().map(|key| (key.clone(), advanced("input + 1"))).collect();
    let mut world = World::new(crate::world::graph(&text, &serde_json::Value::Object(details)), json!(0));
    let decision = world.wake();
    assert_eq!((world.run.revision, world.run.status, decision.records.len()), (1, RunStatus::Succeeded, 10));
    assert_eq!(world.result(), Some(json!(10)));
    assert_eq!((world.run.started_on, world.run.finished_on), (Some(start()), Some(start())));
}

#[test]
fn a_chain_of_two_effects_costs_three_commits() {
    let mut world = World::of("a -> b", &json!({}));
    let call = world.claim(None).unwrap();
    assert_eq!((call.node.as_str(), call.attempt, call.timeout_s), ("a", 1, 30));
    let turn = Some(world.turn(None));
    let event = Event::Settled(vec![settled("a", 1, Ok(json!(1)))]);
    let call = world.apply(event, turn).unwrap().calls.pop().unwrap();
    assert_eq!(call.node.as_str(), "b");
    world.settle("b", 1, Ok(json!(2))).unwrap();
    assert_eq!((world.run.revision, world.run.status), (3, RunStatus::Succeeded));
}

#[test]
fn a_second_wake_changes_nothing() {
    let mut world = World::of("a", &json!({}));
    world.wake();
    world.pass(10);
    let decision = world.wake();
    assert_eq!((decision.run, decision.records.len(), decision.calls), (None, 0, vec![]));
}

#[test]
fn a_turn_for_a_node_takes_it_first_and_then_those_after_it() {
    let mut world = World::of("a; b; c", &json!({}));
    world.wake();
    assert_eq!(world.claim(Some("b")).unwrap().node.as_str(), "b");
    assert_eq!(world.claim(Some("b")).unwrap().node.as_str(), "c", "b runs already");
    assert_eq!(world.claim(Some("b")).unwrap().node.as_str(), "a", "from the first node on after the last");
    assert_eq!(world.claim(Some("b")), None);
}

#[test]
fn a_turn_takes_only_what_fits_its_time() {
    let mut world = World::of("a; b", &json!({"a": {"timeout_s": 200}, "b": {"timeout_s": 20}}));
    let turn = |node: Option<&str>| {
        Some(Turn { node: node.map(NodeKey::from), lease_until: later(60), max_timeout_s: 100, at_most: 1 })
    };
    assert_eq!(world.apply(Event::Woken, turn(Some("a"))).unwrap().calls[0].node.as_str(), "b");
    assert_eq!(world.apply(Event::Woken, turn(Some("a"))).unwrap().calls, []);
}

#[test]
fn the_call_has_the_evaluated_metadata_and_one_key_for_every_attempt() {
    let details = json!({"a": {"metadata": {"url": "https://example.com/{{ input.id }}", "query": {"n": "{{ input.n }}"}, "max_bytes": 5}}});
    let mut world = World::new(crate::world::graph("a", &details), json!({"id": "x", "n": 3}));
    let first = world.claim(None).unwrap();
    assert_eq!(first.config, json!({"url": "https://example.com/x", "query": {"n": 3}, "max_bytes": 5}));
    world.settle("a", 1, Err(transient())).unwrap();
    world.pass(5);
    let second = world.claim(None).unwrap();
    assert_eq!((first.attempt, second.attempt), (1, 2));
    assert_eq!(first.idempotency_key, second.idempotency_key);
    assert_eq!(first.idempotency_key, format!("{}:a:0", world.run.id));
}

#[test]
fn claims_are_renewed_together_and_what_is_not_held_is_passed_over() {
    let mut world = World::of("a; b; c", &json!({}));
    world.claim(Some("a"));
    world.claim(Some("b"));
    world.settle("b", 1, Ok(json!(1))).unwrap();
    world.pass(20);
    let claims = |nodes: &[&str]| Event::Renewed(nodes.iter().map(|node| ((*node).into(), 1)).collect());
    let turn = Some(world.turn(None));
    world.apply(claims(&["a", "b"]), turn.clone()).unwrap();
    let held =
        NodeState::Running { attempt: 1, started_on: later(20), lease_until: later(80), claimed_at: 1 };
    assert_eq!(world.run.nodes["a"], held);
    let stale = Rejected::Stale { node: "b".into(), attempt: 1 };
    assert_eq!(world.apply(claims(&["b"]), turn).unwrap_err(), stale);
    let no_time = Rejected::Stale { node: "a".into(), attempt: 1 };
    assert_eq!(world.apply(claims(&["a"]), None).unwrap_err(), no_time);
}

#[test]
fn templates_that_fail_fail_the_node_and_the_turn_goes_on() {
    let details = json!({"a": {
        "metadata": {"url": "https://example.com/{{ $error('no id') }}"},
        "on_error": {"action": "continue", "default": null},
    }});
    let mut world = World::of("a; b", &details);
    assert_eq!(world.claim(None).unwrap().node.as_str(), "b");
    assert_eq!(world.states(), "a succeeded, b running; run running");
    let failure = world.records[0].error.clone().unwrap();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Validation, "expression"));
    assert!(failure.message.starts_with("url: ") && failure.message.contains("no id"), "{}", failure.message);
}

#[test]
fn secrets_are_left_to_who_makes_the_call() {
    let details = json!({"a": {"metadata": {
        "url": "https://example.com/",
        "headers": {"x-key": "{{ secret.KEY }}", "x-run": "{{ 1 + 1 }}"},
        "auth": {"type": "bearer", "token": "{{ 'a' }}.{{secret.TOKEN}}.{{ 1 + 1 }}"},
    }}});
    let mut world = World::of("a", &details);
    let call = world.claim(None).unwrap();
    let shown = json!({"x-key": "{{ secret.KEY }}", "x-run": 2});
    assert_eq!(call.config["headers"], shown);
    assert_eq!(call.config["auth"]["token"], "a.{{ secret.TOKEN }}.2");
    let (text, secret) = (|text: &str| Part::Text(text.into()), |name: &str| Part::Secret(name.into()));
    let expected = [
        ("/headers/x-key", vec![secret("KEY")]),
        ("/auth/token", vec![text("a"), text("."), secret("TOKEN"), text("."), text("2")]),
    ];
    let found: Vec<_> = call.secrets.into_iter().map(|text| (text.pointer, text.parts)).collect();
    assert_eq!(found, expected.map(|(pointer, parts)| (pointer.to_owned(), parts)));
}

#[test]
fn a_text_that_only_looks_like_a_secret_is_a_text() {
    let details = json!({"a": {"metadata": {"url": "https://example.com/", "headers": {"x": "{{ '{' & '{ secret.KEY }' & '}' }}"}}}});
    let mut world = World::of("a", &details);
    let call = world.claim(None).unwrap();
    assert_eq!((&call.config["headers"]["x"], call.secrets.len()), (&json!("{{ secret.KEY }}"), 0));
}

#[test]
fn a_late_attempt_is_stale() {
    let mut world = World::of("a; b", &json!({}));
    let stale = |attempt| Err(Rejected::Stale { node: "a".into(), attempt });
    world.wake();
    assert_eq!(world.settle("a", 1, Ok(json!(1))).map(|_| ()), stale(1), "nobody has claimed it");
    world.claim(Some("a"));
    world.pass(60);
    world.claim(Some("a"));
    assert_eq!(world.settle("a", 1, Ok(json!(1))).map(|_| ()), stale(1), "the second attempt runs");
    world.settle("a", 2, Ok(json!(2))).unwrap();
    assert_eq!(world.settle("a", 2, Ok(json!(3))).map(|_| ()), stale(2), "it is settled");
    assert_eq!(world.output("a"), &json!(2));
}

#[test]
fn transient_failures_are_tried_again_until_the_retries_are_used_up() {
    let mut world = World::of("a", &json!({}));
    for (attempt, wait) in [(1, 5), (2, 30), (3, 120)] {
        world.execute("a", Err(transient()));
        let not_before = Some(world.now + TimeDelta::seconds(wait));
        assert_eq!(world.state("a"), Some(&NodeState::Ready { attempt: attempt + 1, not_before }));
        assert_eq!(world.run.next_check_on, not_before);
        assert!(world.records.last().unwrap().retried);
        world.pass(wait - 1);
        assert_eq!(world.claim(Some("a")), None, "it is too early");
        world.pass(1);
    }
    world.execute("a", Err(transient()));
    assert_eq!(world.states(), "a failed; run failed");
    assert_eq!(
        world.records.iter().map(|record| record.retried).collect::<Vec<_>>(),
        [true, true, true, false]
    );
    assert_eq!(world.records[3].notes, ["told"]);
}

#[test]
fn retry_after_decides_the_delay() {
    let mut world = World::of("a", &json!({}));
    world.execute("a", Err(domain::Failure { retry_after_s: Some(42), ..transient() }));
    assert_eq!(world.state("a"), Some(&NodeState::Ready { attempt: 2, not_before: Some(later(42)) }));
}

#[test]
fn permanent_failures_are_not_tried_again() {
    let mut world = World::of("a", &json!({}));
    world.execute("a", Err(permanent()));
    let error = world.run.error.clone().unwrap();
    assert_eq!((error.node, error.failure), (Some("a".into()), permanent()));
    assert_eq!(world.run.next_check_on, None);
}

#[test]
fn a_lost_worker_is_replaced_and_the_third_loss_ends_the_node() {
    let mut world = World::of("a -> b; a -error-> c", &json!({"a": {"on_error": {"action": "branch"}}}));
    for attempt in 1..=3 {
        assert_eq!(world.claim(Some("a")).unwrap().attempt, attempt);
        assert_eq!(world.run.next_check_on, Some(world.now + TimeDelta::seconds(60)));
        world.pass(59);
        assert_eq!(world.wake().run, None, "the lease holds");
        world.pass(1);
    }
    world.wake();
    assert_eq!(world.states(), "a failed, b skipped, c ready; run running");
    assert_eq!(world.output("a")["class"], "crashed");
    assert!(world.run.crashes.is_empty(), "settled nodes are not counted");
}

#[test]
fn a_lost_worker_does_not_use_up_a_retry() {
    let mut world = World::of("a", &json!({"a": {"retry": {"max_retries": 1}}}));
    world.claim(None);
    world.pass(60);
    world.execute("a", Err(transient()));
    assert_eq!(world.states(), "a ready; run running");
    world.pass(5);
    world.execute("a", Err(transient()));
    assert_eq!(world.states(), "a failed; run failed");
}

#[test]
fn cancelling_settles_everything_and_lets_nothing_start() {
    let mut world = World::of("a -> b; c; p", &json!({"p": advanced("1")}));
    world.claim(Some("a"));
    world.apply(Event::CancelRequested, None).unwrap();
    assert_eq!(world.states(), "a cancelled, b cancelled, c cancelled, p succeeded; run cancelled");
    assert_eq!((world.run.finished_on, world.run.next_check_on), (Some(start()), None));
    assert!(effects(&world.plan, &world.run).is_empty());
    for event in [Event::Woken, Event::CancelRequested] {
        assert_eq!(world.apply(event, None), Err(Rejected::Ended));
    }
    assert_eq!(world.settle("a", 1, Ok(json!(1))), Err(Rejected::Ended));
}

#[test]
fn a_pending_run_can_be_cancelled() {
    let mut world = World::of("a", &json!({}));
    world.apply(Event::CancelRequested, None).unwrap();
    assert_eq!((world.states().as_str(), world.run.started_on), ("a cancelled; run cancelled", None));
}

#[test]
fn effects_are_derived_from_the_committed_state() {
    let mut world = World::of("a -> b, c", &json!({}));
    let claims = |effects: Vec<Effect>| {
        let keys = effects.into_iter().filter_map(|effect| match effect {
            Effect::Claim { node, .. } => Some(node.to_string()),
            _ => None,
        });
        keys.collect::<Vec<_>>()
    };
    let created = world.run.clone();
    world.wake();
    assert_eq!(claims(new_effects(&world.plan, &created, &world.run)), ["a"]);
    let call = world.claim(Some("a")).unwrap();
    assert!(effects(&world.plan, &world.run).is_empty());
    let claimed = world.run.clone();
    world.settle("a", call.attempt, Ok(json!(1))).unwrap();
    assert_eq!(claims(new_effects(&world.plan, &claimed, &world.run)), ["b", "c"]);
    let both = world.run.clone();
    world.execute("b", Err(transient()));
    let again = Effect::Claim { node: "b".into(), not_before: Some(later(5)) };
    assert_eq!(new_effects(&world.plan, &both, &world.run), [again]);
    assert_eq!(claims(effects(&world.plan, &world.run)), ["b", "c"]);
}

#[test]
fn the_next_check_is_soon_while_work_is_ready() {
    let mut world = World::of("a; b", &json!({}));
    assert_eq!(world.run.next_check_on, Some(later(60)), "of a run that was accepted");
    world.pass(3);
    world.wake();
    assert_eq!((world.run.next_check_on, next_lease(&world.run, world.now)), (Some(later(63)), None));
    world.pass(3);
    world.claim(Some("a"));
    world.claim(Some("b"));
    assert_eq!(
        (world.run.next_check_on, next_lease(&world.run, world.now)),
        (Some(later(66)), Some((&"a".into(), later(66))))
    );
}

#[test]
fn control_state_survives_being_stored() {
    let mut world = World::of("a -> b; c", &json!({}));
    world.execute("a", Ok(json!(1)));
    world.claim(Some("b"));
    world.execute("c", Err(transient()));
    let stored = serde_json::to_string(&world.run).unwrap();
    assert_eq!(serde_json::from_str::<engine::Run>(&stored).unwrap(), world.run);
}
