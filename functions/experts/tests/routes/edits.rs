//! Changes of experts, and what they leave behind (EXP-02, EXP-03).

use serde_json::{Value, json};

use crate::{
    experts::mistakes,
    world::{World, id_of},
};

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_needs_the_present_tag() {
    let world = World::new().await;
    let path = world.create(json!({"prompt": "first", "settings": {"temperature": 1.5}})).await;
    let changed = world.patch_if("\"1\"", &path, &json!({"name": "after"})).await;
    assert_eq!((changed.code(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!((&changed.body["name"], &changed.body["prompt"]), (&json!("after"), &json!("first")));
    assert_eq!(changed.body["settings"], json!({"temperature": 1.5}));
    let replaced = world.send("PATCH", &path, &json!({"settings": {"max_tokens": 7}})).await;
    assert_eq!(replaced.body["settings"], json!({"max_tokens": 7}));
    let stale = world.patch_if("\"1\"", &path, &json!({"name": "lost"})).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    assert_eq!(world.get(&path).await.body["name"], "after");
}

#[tokio::test]
async fn of_two_changes_of_one_revision_one_is_made() {
    let world = World::new().await;
    let path = world.create(json!({"status": "active", "prompt": "first"})).await;
    let change =
        async |prompt: &str| world.patch_if("\"1\"", &path, &json!({ "prompt": prompt })).await.code();
    let codes = tokio::join!(change("a"), change("b"), change("c"));
    let mut codes = [codes.0, codes.1, codes.2];
    codes.sort_unstable();
    assert_eq!(codes, [200, 412, 412]);
    let history = world.get(&format!("{path}/history")).await.body;
    assert_eq!((&history["total"], &history["items"][0]["prompt"]), (&json!(1), &json!("first")));
}

#[tokio::test]
async fn exp_02_a_status_moves_on_and_never_back() {
    let world = World::new().await;
    let all = ["draft", "active", "archive", "historical"];
    for (reached, allowed) in [
        (vec![], vec!["draft", "active"]),
        (vec!["active"], vec!["active", "archive"]),
        (vec!["active", "archive"], vec!["archive"]),
    ] {
        for next in all {
            let path = world.create(json!({})).await;
            for status in &reached {
                assert_eq!(world.send("PATCH", &path, &json!({ "status": status })).await.code(), 200);
            }
            let moved = world.send("PATCH", &path, &json!({ "status": next })).await;
            if allowed.contains(&next) {
                assert_eq!((moved.code(), &moved.body["status"]), (200, &json!(next)));
            } else {
                assert_eq!(mistakes(&moved), [("/status".to_owned(), "wrong_status".to_owned())], "{next}");
            }
        }
    }
}

#[tokio::test]
async fn exp_02_what_an_active_expert_was_is_read_in_its_history() {
    let world = World::new().await;
    let path = world.create(json!({"prompt": "draft"})).await;
    for change in [
        json!({"prompt": "first"}),
        json!({"status": "active"}),
        json!({"prompt": "second"}),
        json!({"prompt": "second"}),
        json!({"prompt": "third", "settings": {"temperature": 1}}),
        json!({"status": "archive"}),
        json!({"prompt": "fourth"}),
    ] {
        let changed = world.send("PATCH", &path, &change).await;
        assert_eq!(changed.code(), 200, "{changed:?}");
    }
    let history = world.get(&format!("{path}/history")).await.body;
    let states: Vec<_> = history["items"].as_array().unwrap().iter().collect();
    let told = |state: &Value| (state["revision"].clone(), state["prompt"].clone(), state["status"].clone());
    assert_eq!(history["total"], 2);
    assert_eq!(told(states[0]), (json!(5), json!("second"), json!("historical")));
    assert_eq!(told(states[1]), (json!(3), json!("first"), json!("historical")));
    assert!(states.iter().all(|state| state["history_of"] == id_of(&path)), "{states:?}");
    assert_eq!(world.get(&format!("{path}/history?limit=1&offset=1")).await.body["items"][0], *states[1]);
    assert_eq!(world.get(&format!("{path}/history?limit=0")).await.problem_code(), "validation");

    // Experts are listed without what they were, unless that is asked for.
    assert_eq!(world.get("experts").await.body["total"], 1);
    let earlier = world.get("experts?status=historical").await.body;
    assert_eq!((&earlier["total"], &earlier["items"][0]["history_of"]), (&json!(2), &json!(id_of(&path))));
    let state = format!("experts/{}", states[0]["id"].as_str().unwrap());
    for answer in [
        world.get(&state).await,
        world.send("PATCH", &state, &json!({"name": "x"})).await,
        world.delete(&state).await,
        world.get(&format!("{state}/history")).await,
    ] {
        assert_eq!(answer.problem_code(), "not_found");
    }
    assert_eq!(world.delete(&path).await.code(), 204);
    assert_eq!(world.get("experts?status=historical").await.body["total"], 0);
}

#[tokio::test]
async fn exp_11_a_change_may_not_close_a_circle() {
    let world = World::new().await;
    let last = world.create(json!({})).await;
    let middle = world.create(json!({"settings": {"sub_experts": [id_of(&last)]}})).await;
    let first = world.create(json!({"settings": {"sub_experts": [id_of(&middle)]}})).await;
    let refused = world.send("PATCH", &last, &json!({"settings": {"sub_experts": [id_of(&first)]}})).await;
    assert_eq!(mistakes(&refused), [("/settings/sub_experts/0".to_owned(), "circular".to_owned())]);
    let wider = json!({"settings": {"sub_experts": [id_of(&middle), id_of(&last)]}});
    assert_eq!(world.send("PATCH", &first, &wider).await.code(), 200);
}
