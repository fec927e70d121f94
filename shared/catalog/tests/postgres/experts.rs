use app::ports::Ids as _;
use catalog::{ExpertFilter, ExpertPatch, NewExpert, StoreError, Window};
use domain::{ExpertId, ExpertStatus};
use serde_json::{Map, json};

use crate::support::{ALL, World, is_not_found, rule};

impl World {
    pub(crate) fn new_expert(&self, name: &str, status: ExpertStatus) -> NewExpert {
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

    let made = catalog.expert_insert(*ours, &new, &world.act()).await.unwrap();
    assert_eq!((&made.name, &made.prompt, &made.input_params), (&new.name, &new.prompt, &new.input_params));
    assert_eq!(catalog.expert_get(*ours, new.id).await.unwrap(), made);

    let patch = ExpertPatch { status: Some(ExpertStatus::Archive), ..ExpertPatch::default() };
    let earlier = world.ids.next().into();
    let changed = catalog.expert_update(*ours, new.id, &patch, None, earlier, &world.act()).await.unwrap();
    assert_eq!((changed.status, &changed.prompt), (ExpertStatus::Archive, &made.prompt));

    assert!(is_not_found(&catalog.expert_get(*theirs, new.id).await));
    let foreign =
        catalog.expert_update(*theirs, new.id, &ExpertPatch::default(), None, earlier, &world.act()).await;
    assert!(is_not_found(&foreign));
    assert!(is_not_found(&catalog.expert_delete(*theirs, new.id, &world.act()).await));
    assert!(is_not_found(&catalog.expert_history(*theirs, new.id, ALL).await));

    assert_eq!(catalog.expert_delete(*ours, new.id, &world.act()).await.unwrap(), []);
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
        world.catalog.expert_insert(world.ours, &world.new_expert(name, status), &world.act()).await.unwrap();
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
    let refused = world
        .catalog
        .expert_insert(world.ours, &world.new_expert("", ExpertStatus::Draft), &world.act())
        .await;
    assert_eq!(rule(refused), "ck_experts_name");
}

fn with_prompt(prompt: &str) -> ExpertPatch {
    ExpertPatch { prompt: Some(prompt.to_owned()), ..ExpertPatch::default() }
}

/// EXP-02.
#[tokio::test]
async fn exp_02_an_edit_of_an_active_expert_keeps_its_earlier_state() {
    let world = World::new().await;
    let (catalog, ours) = (&world.catalog, world.ours);
    let new = world.new_expert("Clerk", ExpertStatus::Draft);
    let draft = catalog.expert_insert(ours, &new, &world.act()).await.unwrap();
    let update = async |patch: ExpertPatch| {
        catalog
            .expert_update(ours, new.id, &patch, None, world.ids.next().into(), &world.act())
            .await
            .unwrap()
    };
    let to = |status| ExpertPatch { status: Some(status), ..ExpertPatch::default() };
    update(with_prompt("of a draft")).await;
    let active = update(to(ExpertStatus::Active)).await;
    update(with_prompt("of a draft")).await;
    assert_eq!(catalog.expert_history(ours, new.id, ALL).await.unwrap().total, 0, "nothing else was said");
    let before = catalog.expert_get(ours, new.id).await.unwrap();
    let after = update(with_prompt("second")).await;
    update(ExpertPatch { status: Some(ExpertStatus::Archive), ..with_prompt("third") }).await;
    update(with_prompt("of the archive")).await;

    assert_eq!((draft.revision, active.revision, after.revision), (1, 3, 5));
    let history = catalog.expert_history(ours, new.id, ALL).await.unwrap();
    let kept: Vec<_> =
        history.items.iter().map(|state| (state.revision, state.prompt.as_str(), state.status)).collect();
    let historical = ExpertStatus::Historical;
    assert_eq!(kept, [(5, "second", historical), (4, "of a draft", historical)]);
    assert!(history.items.iter().all(|state| state.history_of == Some(new.id)));
    assert_eq!(history.items[1].created_on, before.updated_on, "when that state came to be");
    let second = catalog.expert_history(ours, new.id, Window { limit: 1, offset: 1 }).await.unwrap();
    assert_eq!((second.total, second.items.len(), second.items[0].revision), (2, 1, 4));

    // An earlier state is no expert: it is found in the list of such states, and nothing can be done to it.
    let state = history.items[0].id;
    assert!(is_not_found(&catalog.expert_get(ours, state).await));
    assert!(is_not_found(
        &catalog
            .expert_update(ours, state, &with_prompt("x"), None, world.ids.next().into(), &world.act())
            .await
    ));
    assert!(is_not_found(&catalog.expert_delete(ours, state, &world.act()).await));
    let listed = async |status| {
        let filter = ExpertFilter { status, search: None };
        let page = catalog.expert_list(ours, &filter, ALL).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.into_iter().map(|expert| expert.revision).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, [7]);
    assert_eq!(listed(Some(ExpertStatus::Historical)).await, [5, 4]);

    assert_eq!(catalog.expert_delete(ours, new.id, &world.act()).await.unwrap(), []);
    assert_eq!(listed(Some(ExpertStatus::Historical)).await, Vec::<i64>::new());
}

#[tokio::test]
async fn of_two_edits_of_one_revision_one_is_made() {
    let world = World::new().await;
    let new = world.new_expert("Clerk", ExpertStatus::Active);
    world.catalog.expert_insert(world.ours, &new, &world.act()).await.unwrap();
    let edit = async |prompt: &str| {
        let (patch, earlier) = (with_prompt(prompt), world.ids.next().into());
        world.catalog.expert_update(world.ours, new.id, &patch, Some(1), earlier, &world.act()).await
    };
    let edits = tokio::join!(edit("a"), edit("b"), edit("c"));
    let edits = [edits.0, edits.1, edits.2];
    assert_eq!(edits.iter().filter(|edit| edit.is_ok()).count(), 1, "{edits:?}");
    assert_eq!(edits.iter().filter(|edit| matches!(edit, Err(StoreError::Conflict))).count(), 2, "{edits:?}");
    let history = world.catalog.expert_history(world.ours, new.id, ALL).await.unwrap();
    assert_eq!((history.total, history.items[0].prompt.as_str()), (1, "Be {{ input.mood }}."));
}

#[tokio::test]
async fn an_earlier_state_is_historical_and_of_another_expert_of_the_team() {
    let world = World::new().await;
    let [one, two] = ["one", "two"].map(|name| world.new_expert(name, ExpertStatus::Draft));
    world.catalog.expert_insert(world.ours, &one, &world.act()).await.unwrap();
    world.catalog.expert_insert(world.theirs, &two, &world.act()).await.unwrap();
    let (one, two) = (one.id, two.id);
    let point = |status: &str, at: ExpertId| {
        format!("update experts set status = '{status}', history_of = '{at}' where id = '{one}'")
    };
    for (sql, rule) in [
        (point("draft", two), "ck_experts_history_of"),
        (point("historical", one), "ck_experts_history_of"),
        (point("historical", two), "fk_experts_history_of"),
        ("update experts set revision = 0".to_owned(), "ck_experts_revision"),
    ] {
        assert_eq!(world.refusal(&sql).await, rule, "{sql}");
    }
}
