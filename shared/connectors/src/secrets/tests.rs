//! What is put in and what is taken out, without a server.

use app::{fakes::MemoryTeamSecrets, ports::Executed};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use domain::TeamId;
use serde_json::json;
use uuid::Uuid;

use super::*;

const TEAM: TeamId = TeamId::new(Uuid::from_u128(1));
const OTHER: TeamId = TeamId::new(Uuid::from_u128(2));

fn call(config: Value, secrets: Vec<WithSecrets>) -> Call {
    Call {
        team_id: TEAM,
        run_id: "01999999-0000-7000-8000-000000000002".parse().unwrap(),
        node: "fetch".into(),
        attempt: 1,
        node_type: "get_api".to_owned(),
        config,
        secrets,
        idempotency_key: "k".to_owned(),
        timeout_s: 30,
    }
}

fn text(pointer: &str, parts: Vec<Part>) -> WithSecrets {
    WithSecrets { pointer: pointer.to_owned(), parts }
}

fn secret(name: &str) -> Part {
    Part::Secret(name.to_owned())
}

fn redacted(value: &str, echoed: Value) -> Value {
    let value = SecretValue::new(value.to_owned());
    let executed = Executed { outcome: Ok(echoed), notes: Vec::new() };
    Redactor::new([("KEY", &value)].into_iter()).executed(executed).outcome.unwrap()
}

#[tokio::test]
async fn secrets_are_put_where_they_are_named_and_nowhere_else() {
    let secrets =
        MemoryTeamSecrets::default().with(TEAM, "A", "one").with(TEAM, "B", "two \"{{ secret.A }}\"");
    let config = json!({"headers": {"a/b": "x", "c": "{{ secret.A }}"}, "auth": {"token": ""}});
    let parts = vec![Part::Text("Bearer ".to_owned()), secret("B"), secret("A")];
    let call = call(config, vec![text("/headers/a~1b", vec![secret("A")]), text("/auth/token", parts)]);
    let (with, _) = put_in(&call, &secrets).await.unwrap();
    let expected = json!({
        "headers": {"a/b": "one", "c": "{{ secret.A }}"},
        "auth": {"token": "Bearer two \"{{ secret.A }}\"one"},
    });
    assert_eq!((with.config, with.secrets), (expected, vec![]));
}

#[tokio::test]
async fn a_secret_that_is_missing_or_anothers_is_named_and_not_tried_again() {
    let secrets = MemoryTeamSecrets::default().with(OTHER, "SHOP", "theirs");
    let call = call(json!({"headers": {"a": ""}}), vec![text("/headers/a", vec![secret("SHOP")])]);
    let failure = put_in(&call, &secrets).await.map(drop).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Validation, "missing_secret"));
    assert_eq!(failure.message, "there is no secret `SHOP`");
}

#[test]
fn a_value_is_taken_out_in_each_of_its_forms() {
    let value = "p\"ss wörd/+?~";
    for form in [
        value.to_owned(),
        json!(value).to_string(),
        form_urlencoded(value),
        form_urlencoded(value).replace('+', "%20"),
        hex::encode(value),
        hex::encode_upper(value),
    ] {
        let found = redacted(value, json!({"body": [format!("<{form}>"), 7]}));
        let found = found["body"][0].as_str().unwrap();
        assert!(found.contains("[secret KEY]") && !found.contains(&form), "{form}: {found}");
    }
    for before in 0..6 {
        for after in 0..4 {
            let whole = format!("{}{value}{}", "u".repeat(before), "v".repeat(after));
            for encoded in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE.encode(&whole)] {
                let found = redacted(value, json!(format!("Basic {encoded}")));
                let found = found.as_str().unwrap();
                assert!(found.contains("[secret KEY]"), "{encoded}: {found}");
                // What is left at its ends are bits of two characters at the most.
                assert!(found.len() <= "Basic [secret KEY]".len() + before * 2 + after * 2 + 6, "{found}");
            }
        }
    }
}

fn form_urlencoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[test]
fn keys_and_messages_and_notes_are_looked_through_too() {
    let value = SecretValue::new("s3cret-value".to_owned());
    let redactor = Redactor::new([("KEY", &value)].into_iter());
    let echoed = json!({"s3cret-value": 1, "b": {"as3cret-valuea": "s3cret-values3cret-value"}});
    let notes = vec!["GET s3cret-value.example: 200".to_owned()];
    let done = redactor.executed(Executed { outcome: Ok(echoed), notes: notes.clone() });
    let expected = json!({"[secret KEY]": 1, "b": {"a[secret KEY]a": "[secret KEY][secret KEY]"}});
    assert_eq!(
        (done.outcome.unwrap(), done.notes),
        (expected, vec!["GET [secret KEY].example: 200".to_owned()])
    );
    let failure = Failure::new(ErrorClass::Permanent, "http_status", "s3cret-value answered 401");
    let failed = redactor.executed(Executed { outcome: Err(failure), notes });
    assert_eq!(failed.outcome.unwrap_err().message, "[secret KEY] answered 401");
}

#[test]
fn a_short_value_is_taken_out_where_it_is_the_whole_text() {
    assert_eq!(
        redacted("abc", json!(["abc", "abcd", {"abc": 1}])),
        json!(["[secret KEY]", "abcd", {"[secret KEY]": 1}])
    );
    assert_eq!(redacted("1234", json!([1234, 12_345])), json!(["[secret KEY]", 12_345]));
    assert_eq!(
        redacted("1234567890", json!([1_234_567_890, "x1234567890"])),
        json!(["[secret KEY]", "x[secret KEY]"])
    );
}

#[test]
fn the_longer_of_two_is_taken_out_first() {
    let (long, short) =
        (SecretValue::new("abcdefgh-ijkl".to_owned()), SecretValue::new("abcdefgh".to_owned()));
    let redactor = Redactor::new([("SHORT", &short), ("LONG", &long)].into_iter());
    let executed = Executed { outcome: Ok(json!("abcdefgh-ijkl abcdefgh")), notes: Vec::new() };
    assert_eq!(redactor.executed(executed).outcome.unwrap(), json!("[secret LONG] [secret SHORT]"));
}
