//! Runs whose process ends before they do.

use serde_json::json;

use crate::support::{Heddle, Target, calls};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_was_killed_goes_on_where_it_stood() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/before", "/hold", "/after"]));
    let mut running = heddle.start(&["run", &file, "--json"]);
    let run = running.next("run_id");
    target.arrivals(2).await;
    running.kill();
    target.release();

    let resumed = heddle.call(&["run", "--resume", &run, "--json"]).expect(0);
    let events = resumed.events();
    assert_eq!((&events[0]["event"], &events[0]["run_id"]), (&json!("run.resumed"), &json!(run)));
    assert_eq!(events.last().unwrap()["result"], 7);
    assert!(events.iter().all(|event| event["node"] != "call_1"), "{}", resumed.out);
    let received = target.received();
    let paths: Vec<&str> = received.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/before", "/hold", "/hold", "/after"]);
    assert_eq!(received[1].1, received[2].1, "both attempts have the same idempotency key");

    let told = heddle.call(&["run", "--resume", &run]).expect(0);
    assert_eq!(told.json(), 7, "a run that has ended is told about");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_says_how_it_goes_on() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/hold"]));
    let mut running = heddle.start(&["run", &file, "--json"]);
    let run = running.next("run_id");
    target.arrivals(1).await;
    running.signal("INT");
    let (status, err) = running.wait();
    assert_eq!(status.code(), Some(130));
    assert!(err.contains(&format!("heddle run --resume {run}")), "{err}");
    target.release();
}

#[tokio::test]
async fn only_runs_of_the_team_can_be_resumed() {
    let heddle = Heddle::new().await;
    let nobodys = "019b7700-0000-7000-8000-000000000999";
    let refused = heddle.call(&["run", "--resume", nobodys]).expect(2);
    assert!(refused.err.contains("has no run"), "{}", refused.err);
}
