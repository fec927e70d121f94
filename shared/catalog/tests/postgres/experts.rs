use app::ports::Ids as _;
use catalog::{ExpertFilter, ExpertPatch, NewExpert, Window};
use domain::ExpertStatus;
use serde_json::{Map, json};

use crate::support::{ALL, World, is_not_found, rule};

impl World {
    fn new_expert(&self, name: &str, status: ExpertStatus) -> NewExpert {
        NewExpert {
            id: self.ids.next().into(),
            name: name.to_owned(),
            prompt: "Be {{ input.mood }}.".to_owned(),
            model_name: "gpt-4o-mini".to_owned(),
            status,
            input_params: json!({"type": "object"}).as_object().unwrap().clone(),
            settings: Map::new(),
        }
    }
}

#[tokio::test]
async fn an_expert_lives_its_life_inside_its_team() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let new = world.new_expert("Clerk", ExpertStatus::Draft);

    let made = catalog.expert_insert(*ours, &new).await.unwrap();
    assert_eq!((&made.name, &made.prompt, &made.input_params), (&new.name, &new.prompt, &new.input_params));
    assert_eq!(catalog.expert_get(*ours, new.id).await.unwrap(), made);

    let patch = ExpertPatch { status: Some(ExpertStatus::Historical), ..ExpertPatch::default() };
    let changed = catalog.expert_update(*ours, new.id, &patch).await.unwrap();
    assert_eq!((changed.status, &changed.prompt), (ExpertStatus::Historical, &made.prompt));

    assert!(is_not_found(&catalog.expert_get(*theirs, new.id).await));
    assert!(is_not_found(&catalog.expert_update(*theirs, new.id, &ExpertPatch::default()).await));
    assert!(is_not_found(&catalog.expert_delete(*theirs, new.id).await));

    catalog.expert_delete(*ours, new.id).await.unwrap();
    assert!(is_not_found(&catalog.expert_get(*ours, new.id).await));
}

#[tokio::test]
async fn experts_are_found_by_status_and_by_part_of_their_name() {
    let world = World::new().await;
    for (name, status) in [
        ("Order clerk", ExpertStatus::Active),
        ("Poet", ExpertStatus::Active),
        ("100% clerk", ExpertStatus::Draft),
    ] {
        world.catalog.expert_insert(world.ours, &world.new_expert(name, status)).await.unwrap();
    }
    let names = async |filter: ExpertFilter| -> Vec<String> {
        let page = world.catalog.expert_list(world.ours, &filter, ALL).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|expert| expert.name).collect()
    };
    let active = ExpertFilter { status: Some(ExpertStatus::Active), search: None };
    assert_eq!(names(active).await, ["Poet", "Order clerk"]);
    let clerks = |text: &str| ExpertFilter { status: None, search: Some(text.to_owned()) };
    assert_eq!(names(clerks("CLERK")).await, ["100% clerk", "Order clerk"]);
    assert_eq!(names(clerks("%")).await, ["100% clerk"]);

    let second = Window { limit: 1, offset: 1 };
    let page = world.catalog.expert_list(world.ours, &ExpertFilter::default(), second).await.unwrap();
    assert_eq!((page.total, page.items[0].name.as_str()), (3, "Poet"));
}

#[tokio::test]
async fn an_empty_name_names_its_rule() {
    let world = World::new().await;
    let refused = world.catalog.expert_insert(world.ours, &world.new_expert("", ExpertStatus::Draft)).await;
    assert_eq!(rule(refused), "ck_experts_name");
}
