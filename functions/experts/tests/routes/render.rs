//! What a model would be told (EXP-09).

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn exp_09_a_prompt_is_rendered_with_its_parameters() {
    let world = World::new().await;
    let path = world
        .create(json!({
            "prompt": "Be {{ input.mood }} to {{ input.names[*] }}.{{ $count(input.names) > 1 ? ' All.' : '' }}",
            "input_params": {"type": "object", "required": ["mood"]},
        }))
        .await;
    let params = json!({"params": {"mood": "kind", "names": ["Ada", "Bo"]}});
    let rendered = world.send("POST", &format!("{path}/render"), &params).await;
    let expected = json!({"text": "Be kind to [\"Ada\",\"Bo\"]. All.", "unfilled": [], "mismatches": []});
    assert_eq!((rendered.code(), &rendered.body), (200, &expected));
    assert_eq!(world.get(&path).await.body["revision"], 1, "nothing is stored");
}

#[tokio::test]
async fn exp_09_places_that_can_not_be_filled_are_named() {
    let world = World::new().await;
    let path = world
        .create(json!({
            "prompt": "Be {{ input.mood }}, {{ input.n + 'x' }}, {{ input.n }}.",
            "input_params": {"type": "object", "required": ["mood"], "properties": {"n": {"type": "string"}}},
        }))
        .await;
    let rendered = world.send("POST", &format!("{path}/render"), &json!({"params": {"n": 1}})).await.body;
    assert_eq!(rendered["text"], "Be {{ input.mood }}, {{ input.n + 'x' }}, 1.");
    let unfilled = &rendered["unfilled"];
    assert_eq!((&unfilled[0]["expression"], &unfilled[0]["code"]), (&json!("input.mood"), &json!("missing")));
    assert_eq!((&unfilled[0]["offset"], &unfilled[1]["code"]), (&json!(5), &json!("T2002")), "{unfilled}");
    assert_eq!(unfilled.as_array().unwrap().len(), 2);
    let mismatches = rendered["mismatches"].as_array().unwrap();
    let pointers: Vec<_> = mismatches.iter().map(|mistake| mistake["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/params", "/params/n"]);

    let nothing = world.send("POST", &format!("{path}/render"), &json!({})).await.body;
    assert_eq!(nothing["unfilled"].as_array().unwrap().len(), 3);
    let wrong = world.send("POST", &format!("{path}/render"), &json!({"params": [], "more": 1})).await;
    assert_eq!(wrong.problem().errors.len(), 2);
}
