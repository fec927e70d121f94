//! Schedules of workflows: what is kept, refused and previewed (WF-01, WF-10, TRG-02).

use serde_json::{Value, json};

use crate::world::World;

fn starts(preview: &Value) -> Vec<(&str, &str)> {
    let starts = preview["starts"].as_array().unwrap().iter();
    starts.map(|start| (start["at"].as_str().unwrap(), start["local"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_schedule_is_kept_changed_and_taken_away() {
    let world = World::new().await;
    let body = json!({"name": "Daily", "cron_schedule": "0 9 * * MON-FRI", "cron_timezone": "Europe/Berlin"});
    let created = world.send("POST", "workflows", &body).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    let schedule = async || {
        let read = world.get(&path).await.body;
        (read["cron_schedule"].clone(), read["cron_timezone"].clone())
    };
    assert_eq!(schedule().await, (json!("0 9 * * MON-FRI"), json!("Europe/Berlin")));
    world.send("PATCH", &path, &json!({"cron_timezone": "Asia/Tokyo"})).await;
    assert_eq!(schedule().await, (json!("0 9 * * MON-FRI"), json!("Asia/Tokyo")));
    world.send("PATCH", &path, &json!({"cron_schedule": ""})).await;
    assert_eq!(schedule().await, (Value::Null, json!("Asia/Tokyo")));
}

#[tokio::test]
async fn every_mistake_of_a_schedule_is_told_at_once() {
    let world = World::new().await;
    let path = world.create("a").await;
    for (cron, zone, expected) in [
        (
            "60 * * * *",
            "Mars/Base",
            [("/cron_schedule", "invalid_cron"), ("/cron_timezone", "unknown_timezone")].as_slice(),
        ),
        ("0 0 1 * MON", "UTC", &[("/cron_schedule", "invalid_cron")]),
        ("0 0 30 2 *", "UTC", &[("/cron_schedule", "never_due")]),
        ("@daily", "UTC", &[("/cron_schedule", "invalid_cron")]),
        (&"0 ".repeat(60), "UTC", &[("/cron_schedule", "length")]),
    ] {
        for (method, path) in [("POST", "workflows"), ("PATCH", path.as_str())] {
            let body = json!({"name": "b", "cron_schedule": cron, "cron_timezone": zone});
            let problem = world.send(method, path, &body).await.problem();
            let told: Vec<_> =
                problem.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect();
            assert_eq!((problem.status, told.as_slice()), (422, expected), "{cron} {zone}");
        }
    }
    assert_eq!(world.get("workflows").await.body["total"], 1);
}

#[tokio::test]
async fn starts_are_previewed_by_the_clock_of_their_zone() {
    let world = World::new().await;
    let path = world.create("a").await;
    let none = world.get(&format!("{path}/schedule/preview")).await;
    assert_eq!((none.code(), starts(&none.body)), (200, vec![]));
    world
        .send("PATCH", &path, &json!({"cron_schedule": "30 2 * * *", "cron_timezone": "Europe/Berlin"}))
        .await;
    // Berlin's clocks go from 02:00 to 03:00 on 29 March 2026: that day has no half past two.
    let spring = world.get(&format!("{path}/schedule/preview?after=2026-03-27T12:00:00Z&count=2")).await.body;
    let expected = [
        ("2026-03-28T01:30:00Z", "2026-03-28T02:30:00+01:00"),
        ("2026-03-30T00:30:00Z", "2026-03-30T02:30:00+02:00"),
    ];
    assert_eq!(starts(&spring), expected);
    assert_eq!(
        world.get(&format!("{path}/schedule/preview")).await.body["starts"].as_array().unwrap().len(),
        10
    );
    let other = "cron_schedule=0%200%201%201%20*&cron_timezone=UTC&after=2026-06-01T00:00:00Z&count=1";
    let other = world.get(&format!("{path}/schedule/preview?{other}")).await.body;
    assert_eq!(starts(&other), [("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z")]);
}

#[tokio::test]
async fn a_preview_that_makes_no_sense_names_each_parameter() {
    let world = World::new().await;
    let path = world.create("a").await;
    for (query, pointers) in [
        (
            "cron_schedule=x&cron_timezone=y&after=9999-01-01T00:00:00Z",
            ["/query/cron_schedule", "/query/cron_timezone", "/query/after"].as_slice(),
        ),
        ("cron_schedule=0%200%20*%20*%20*&after=%2B262142-12-31T23:59:59Z", &["/query/after"]),
        ("count=0", &["/query/count"]),
        ("count=101", &["/query/count"]),
        ("after=yesterday", &["/query/after"]),
    ] {
        let problem = world.get(&format!("{path}/schedule/preview?{query}")).await.problem();
        let told: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!((problem.status, told.as_slice()), (422, pointers), "{query}");
    }
}

#[tokio::test]
async fn what_the_clock_starts_may_ask_for_no_inputs() {
    let world = World::new().await;
    let body = json!({
        "name": "Daily", "cron_schedule": "0 9 * * *",
        "input_params": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
    });
    let created = world.send("POST", "workflows", &body).await;
    let path = created.header("location").strip_prefix("/api/v1/").unwrap().to_owned();
    let graph =
        json!({"nodes": [{"key": "done", "node_type": "return", "metadata": {"output": "{{ input.day }}"}}]});
    assert_eq!(world.send("PUT", &format!("{path}/graph"), &graph).await.code(), 200);
    let problem = world.send("POST", &format!("{path}/publish"), &json!({})).await.problem();
    let told = (problem.errors[0].pointer.as_str(), problem.errors[0].code.as_str());
    assert_eq!((problem.status, told), (422, ("/cron_schedule", "inputs_required")));
    world.send("PATCH", &path, &json!({"input_params": {}})).await;
    assert_eq!(world.send("POST", &format!("{path}/publish"), &json!({})).await.code(), 201);
}
