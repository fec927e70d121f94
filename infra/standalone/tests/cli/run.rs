//! Running a file.

use std::{
    fs,
    io::Write as _,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Heddle, Target, calls, doubling};

#[tokio::test]
async fn the_result_goes_to_stdout_and_the_steps_to_stderr() {
    let heddle = Heddle::new().await;
    let file = heddle.file("doubling.json", &doubling());
    let ran = heddle.call(&["run", &file]).expect(0);
    assert_eq!(ran.json(), json!({"twice": 6}));
    assert!(ran.err.contains("Doubling"), "{}", ran.err);
    for step in ["✓ double", "✓ is_big", "→ false", "✓ small", "- big skipped", "Succeeded in"] {
        assert!(ran.err.contains(step), "{step}: {}", ran.err);
    }
    assert!(!ran.err.contains('\u{1b}'), "colours only where a terminal shows them: {}", ran.err);

    let ran = heddle.call(&["run", &file, "--inputs", r#"{"n": 6}"#]).expect(0);
    assert_eq!(ran.json(), json!("big"));
    assert!(!ran.err.contains("applied"), "the database was migrated before: {}", ran.err);
}

#[tokio::test]
async fn inputs_are_taken_from_a_file_and_from_stdin() {
    let heddle = Heddle::new().await;
    let file = heddle.file("doubling.json", &doubling());
    let inputs = heddle.file("inputs.json", &json!({"n": 2}));
    let ran = heddle.call(&["run", &file, "--inputs", &format!("@{inputs}")]).expect(0);
    assert_eq!(ran.json(), json!({"twice": 4}));

    let mut command = heddle.command(&["run", &file, "--inputs", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"n": 1}"#).unwrap();
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    assert!(status.success());
    assert_eq!(serde_json::from_slice::<Value>(&stdout).unwrap(), json!({"twice": 2}));
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_reach_what_the_deployment_allows_and_nothing_else() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/a", "/b"]));
    let ran = heddle.call(&["run", &file]).expect(0);
    assert_eq!(ran.json(), json!(7));
    let paths: Vec<String> = target.received().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/a", "/b"]);

    let mut walled_off = heddle.command(&["run", &file]);
    let walled_off = crate::support::ended({
        walled_off.env_remove("EGRESS_ALLOW");
        walled_off
    })
    .expect(1);
    assert!(walled_off.err.contains("Failed in") && walled_off.err.contains("call_1"), "{}", walled_off.err);
    assert_eq!(target.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_lines_of_json_and_the_last_one_holds_the_result() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/a"]));
    let ran = heddle.call(&["run", &file, "--json"]).expect(0);
    let events = ran.events();
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            [&event["event"], &event["node"]].map(|part| part.as_str().unwrap_or_default()).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "run.accepted ",
            "step.started call_1",
            "step.succeeded call_1",
            "step.started answer",
            "step.succeeded answer",
            "run.succeeded "
        ]
    );
    assert_eq!(events[0]["workflow_name"], "calls");
    assert!(events[2]["notes"][0].as_str().unwrap().starts_with("GET 127.0.0.1"), "{}", events[2]);
    let end = &events[5];
    assert_eq!(
        (&end["status"], &end["result"], &end["error"]),
        (&json!("succeeded"), &json!(7), &Value::Null)
    );
    assert_eq!(end["run_id"], events[0]["run_id"]);

    let again = heddle.call(&["run", &file, "--json"]).expect(0).events();
    assert_eq!(again[0]["version_id"], events[0]["version_id"], "the same file is the same version");
    assert_ne!(again[0]["run_id"], events[0]["run_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_says_where_and_why() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/a", "/status/404"]));
    let ran = heddle.call(&["run", &file]).expect(1);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("✓ call_1") && ran.err.contains("✗ call_2"), "{}", ran.err);
    assert!(ran.err.lines().last().unwrap().starts_with("Failed in"), "{}", ran.err);

    let events = heddle.call(&["run", &file, "--json"]).expect(1).events();
    let end = events.last().unwrap();
    assert_eq!((&end["event"], &end["error"]["node"]), (&json!("run.failed"), &json!("call_2")));
    assert_eq!(end["result"], Value::Null);
}

#[tokio::test]
async fn wrong_workflows_and_wrong_inputs_are_refused_before_anything_runs() {
    let heddle = Heddle::new().await;
    let mut wrong = doubling();
    wrong["graph"]["nodes"][0]["node_type"] = json!("teleport");
    wrong["graph"]["nodes"][1]["metadata"]["condition"] = json!("{{ input.n > }}");
    let file = heddle.file("wrong.json", &wrong);
    let refused = heddle.call(&["run", &file]).expect(2);
    assert!(refused.out.is_empty() && refused.err.ends_with("wrong.json: 2 errors\n"), "{}", refused.err);
    let refused = heddle.call(&["run", &file, "--json"]).expect(2).json();
    assert_eq!(refused["violations"].as_array().unwrap().len(), 2, "{refused:#}");

    let file = heddle.file("doubling.json", &doubling());
    let refused = heddle.call(&["run", &file, "--inputs", r#"{"n": "x"}"#, "--json"]).expect(2).json();
    assert_eq!(refused["violations"][0]["pointer"], "/inputs/n");
    for malformed in ["[1]", "{", "@no/such/file"] {
        heddle.call(&["run", &file, "--inputs", malformed]).expect(2);
    }
    assert!(!heddle.path("data").exists(), "nothing was opened");
}

#[tokio::test]
async fn a_reference_to_something_that_the_team_lacks_is_found_in_the_database() {
    let heddle = Heddle::new().await;
    let mut foreign = doubling();
    foreign["graph"]["nodes"][0] = json!({
        "key": "double", "node_type": "get_api",
        "metadata": {"url": "https://example.com", "auth": {"type": "bearer", "token": "{{ secret.SHOP }}"}},
    });
    let file = heddle.file("foreign.json", &foreign);
    let refused = heddle.call(&["run", &file, "--json"]).expect(2).json();
    assert_eq!(refused["violations"][0]["code"], "unknown_reference", "{refused:#}");
    assert!(
        refused["violations"][0]["pointer"].as_str().unwrap().starts_with("/graph/nodes/0/"),
        "{refused:#}"
    );
}

#[tokio::test]
async fn values_too_large_for_the_database_are_files() {
    let heddle = Heddle::new().await;
    let graph = json!({"nodes": [
        {"key": "large", "node_type": "advanced", "metadata": {"program": "$pad('', 300000, 'x')"}},
        {"key": "answer", "node_type": "return", "metadata": {"output": "{{ $length(input) }}"}},
    ], "edges": [{"from": "large", "to": "answer"}]});
    let file = heddle.file("large.json", &graph);
    assert_eq!(heddle.call(&["run", &file]).expect(0).json(), json!(300_000));
    assert!(fs::read_dir(heddle.path("data").join("blobs")).unwrap().next().is_some());
}
