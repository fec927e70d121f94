//! What needs no run: the schema, the demo team, the check of a file.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::support::{Heddle, bare, doubling, ended};

#[tokio::test]
async fn migrating_twice_applies_everything_once() {
    let heddle = Heddle::new().await;
    let first = heddle.call(&["migrate"]).expect(0);
    assert!(first.out.contains("applied catalog 202611210300 teams\n"), "{}", first.out);
    assert!(first.out.contains("applied embedded "), "{}", first.out);
    let second = heddle.call(&["migrate"]).expect(0);
    assert!(!second.out.contains("applied"), "{}", second.out);
}

#[tokio::test]
async fn the_demo_team_is_seeded_with_one_key_that_only_its_owner_can_read() {
    let heddle = Heddle::new().await;
    let file = heddle.path("key");
    let args = ["seed", "--key-file", file.to_str().unwrap()];

    let refused = heddle.call(&args).expect(1);
    assert!(refused.err.contains("run `heddle migrate`"), "{}", refused.err);
    assert!(!file.exists());

    heddle.call(&["migrate"]).expect(0);
    let seeded = heddle.call(&args).expect(0);
    let key = fs::read_to_string(&file).unwrap();
    assert!(key.starts_with("hdl_") && !seeded.out.contains(key.trim()), "{}", seeded.out);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for role in ["owner", "admin", "editor", "viewer"] {
        let is_told = |line: &str| line.contains(&format!("{role}@demo.example")) && line.ends_with(role);
        assert!(seeded.out.lines().any(is_told), "{}", seeded.out);
    }
    heddle.call(&args).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), key);
}

#[test]
fn a_database_that_is_missing_is_named_with_the_remedy_and_without_its_password() {
    let none = ended(bare(&["migrate"])).expect(2);
    assert!(none.err.contains("set DATABASE_URL"), "{}", none.err);
    let mut nobody = bare(&["migrate"]);
    nobody.env("DATABASE_URL", "postgres://heddle:hunter2@127.0.0.1:1/x");
    let nobody = ended(nobody).expect(1);
    assert!(nobody.err.contains("can't be reached at 127.0.0.1:1/x"), "{}", nobody.err);
    let malformed = ended(bare(&["migrate", "--database-url", "mysql://heddle:hunter2@x"])).expect(2);
    assert!(!(nobody.err + &malformed.err).contains("hunter2"));
}

#[tokio::test]
async fn a_valid_file_is_said_to_be() {
    let heddle = Heddle::new().await;
    let file = heddle.file("doubling.json", &doubling());
    let checked = ended(bare(&["validate", &file])).expect(0);
    assert!(checked.out.ends_with("doubling.json: valid\n"), "{}", checked.out);
    let checked = ended(bare(&["validate", &file, "--json"])).expect(0);
    assert_eq!(checked.json(), json!({"valid": true, "violations": []}));
}

#[tokio::test]
async fn every_mistake_of_a_file_is_listed_with_its_place() {
    let heddle = Heddle::new().await;
    let file = heddle.file(
        "bad.json",
        &json!({
            "workflow": {"input_params": {"type": "text"}},
            "graph": {
                "nodes": [
                    {"key": "loop_a", "node_type": "advanced", "metadata": {"program": "input"}},
                    {"key": "loop_b", "node_type": "advanced", "metadata": {"program": "input"}},
                    {"key": "left", "node_type": "advanced", "metadata": {"program": "1"}},
                    {"key": "right", "node_type": "advanced", "metadata": {"program": "2"}},
                    {"key": "two_parents", "node_type": "advanced", "metadata": {"program": "input"}},
                    {"key": "strange", "node_type": "teleport"},
                    {"key": "broken", "node_type": "filter", "metadata": {"items": "{{ input }}", "condition": "{{ item.a = }}"}},
                ],
                "edges": [
                    {"from": "loop_a", "to": "loop_b"}, {"from": "loop_b", "to": "loop_a"},
                    {"from": "left", "to": "two_parents"}, {"from": "right", "to": "two_parents"},
                ],
            },
        }),
    );
    let found = ended(bare(&["validate", &file, "--json"])).expect(2).json();
    assert_eq!(found["valid"], false);
    let violations = found["violations"].as_array().unwrap();
    let has = |code: &str, node: Option<&str>, pointer: &str| {
        violations.iter().any(|found| {
            found["code"] == code
                && node.is_none_or(|node| found["node"] == node)
                && found["pointer"].as_str().unwrap().starts_with(pointer)
        })
    };
    assert!(has("cycle", None, "/graph/"), "{found:#}");
    assert!(has("several_parents", Some("two_parents"), "/graph/"), "{found:#}");
    assert!(has("unknown_type", Some("strange"), "/graph/nodes/5/node_type"), "{found:#}");
    assert!(has("wrong_schema", None, "/workflow/input_params/type"), "{found:#}");
    let broken = violations.iter().find(|found| found["node"] == "broken").unwrap();
    assert_eq!(broken["pointer"], "/graph/nodes/6/metadata/condition");

    let told = ended(bare(&["validate", &file])).expect(2).out;
    let offset = usize::try_from(broken["offset"].as_u64().unwrap()).unwrap();
    let place = format!("node broken, /graph/nodes/6/metadata/condition, character {offset}\n");
    let excerpt = format!("{place}  | {{{{ item.a = }}}}\n  | {}^\n", " ".repeat(offset));
    assert!(told.contains(&excerpt), "{told}");
    assert!(told.ends_with(&format!("bad.json: {} errors\n", violations.len())), "{told}");
}

#[test]
fn what_can_not_be_read_is_wrong_usage() {
    for args in [&["validate", "no/such/file.json"][..], &["run", "no/such/file.json"], &["run"], &["fly"]] {
        ended(bare(args)).expect(2);
    }
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ended(bare(&["completions", shell])).expect(0).out;
        assert!(script.contains("heddle") && script.contains("validate"), "{shell}");
    }
}

#[test]
fn keys_are_rotated_in_their_folder_where_only_their_owner_can_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let rotate = || ended(bare(&["keys", "rotate", "--data", data]));
    let none = rotate().expect(1);
    assert!(none.err.contains("the first who signs in makes them"), "{}", none.err);
    let (file, seed) = (folder.path().join("secrets/token-keys"), |letter: &str| letter.repeat(42) + "A");
    fs::write(&file, json!({"current": seed("a"), "next": seed("b")}).to_string()).unwrap();
    let rotated = rotate().expect(0);
    let keys: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&keys["current"], &keys["previous"]), (&json!(seed("b")), &json!(seed("a"))));
    assert!(!rotated.out.contains(keys["next"].as_str().unwrap()), "{}", rotated.out);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
