use domain::ErrorClass;

use super::*;
use crate::graphs::Temper;

fn shape(does: Does, edges: &[Edge]) -> Shape {
    Shape { does, on_error: OnError::Branch, edges: edges.to_vec() }
}

fn call() -> Does {
    let (posts, is_broken, mismatches) = (false, false, false);
    Does::Call(Call { posts, temper: Temper::Steady, timeout_s: None, retry: None, is_broken, mismatches })
}

fn played(shapes: &[Shape], answers: &[(usize, Answer)]) -> Ending {
    let facts = Facts {
        inputs: json!({"n": 3}),
        id: "r".into(),
        time: "t".into(),
        item: None,
        around: BTreeMap::new(),
    };
    let answers = answers.iter().map(|(i, answer)| (key(*i), answer.clone())).collect();
    play(Names::Deep(0), shapes, &facts, &Told { answers, kept: BTreeMap::new() })
}

/// A choice with a branch each way, and a merge of both.
fn diamond() -> Vec<Shape> {
    vec![
        shape(Does::Choose(Condition::Above(2)), &[]),
        shape(Does::Pair, &[(0, Some("true"))]),
        shape(Does::Wrap, &[(0, Some("false"))]),
        shape(Does::Merge(Join::Object), &[(1, None), (2, None)]),
    ]
}

#[test]
fn only_the_chosen_branch_is_merged() {
    let ending = played(&diamond(), &[]);
    assert_eq!(ending.nodes[2], Settled::Skipped);
    assert_eq!(ending.result, Some(json!({"n1": [{"n": 3}, 1]})));
}

#[test]
fn a_call_without_an_answer_leaves_what_follows_unknown() {
    let shapes = [shape(call(), &[]), shape(Does::Wrap, &[(0, None)])];
    let ending = played(&shapes, &[]);
    assert_eq!((&ending.nodes[1], &ending.result), (&Settled::Unknown, &None));
    let request = json!({"url": "https://example.com/0/3", "query": {"in": {"n": 3}}});
    assert_eq!(ending.requests[&key(0)], Some(request));
    assert_eq!(played(&shapes, &[(0, Answer::Output(json!(5)))]).result, Some(json!({"k": 1, "in": 5})));
}

#[test]
fn a_failure_takes_its_error_edge_or_is_fatal() {
    let failure = Failure::new(ErrorClass::Permanent, "http_status", "404");
    let answers = [(0, Answer::Failure(failure))];
    let handled = played(&[shape(call(), &[]), shape(Does::Pair, &[(0, Some("error"))])], &answers);
    let error = json!({"class": "permanent", "code": "http_status", "message": "404"});
    assert_eq!(handled.result, Some(json!([error, 1])));
    let fatal = played(&[shape(call(), &[]), shape(Does::Pair, &[(0, None)])], &answers);
    assert_eq!((fatal.fatal, fatal.result), (vec![key(0)], None));
}
