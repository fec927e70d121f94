use app::ports::{
    DataKey, Ids as _, Runnable, SealedSecret, SecretCatalog as _, WorkflowCatalog, WorkflowNames as _,
};
use catalog::{NewExpert, StoreError, Window, WorkflowFilter, WorkflowPatch};
use domain::{ExpertId, ExpertStatus, WorkflowStatus};
use engine::{Reference, ReferenceKind};
use serde_json::{Map, json};

use crate::support::{ALL, World, is_not_found, rule};

#[tokio::test]
async fn a_workflow_lives_its_life_inside_its_team() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let mut new = world.new_workflow("Orders");
    new.tags = vec!["shop".to_owned(), "daily".to_owned()];
    new.input_params = json!({"type": "object"}).as_object().unwrap().clone();

    let made = catalog.workflow_insert(*ours, &new, &world.act()).await.unwrap();
    assert_eq!((&made.name, &made.tags, &made.input_params), (&new.name, &new.tags, &new.input_params));
    assert_eq!((made.status, made.revision, made.published_version_id), (WorkflowStatus::Draft, 1, None));
    assert_eq!(catalog.workflow_get(*ours, new.id).await.unwrap(), made);

    let patch = WorkflowPatch { name: Some("Orders 2".to_owned()), ..WorkflowPatch::default() };
    assert!(is_not_found(&catalog.workflow_get(*theirs, new.id).await));
    assert!(is_not_found(&catalog.workflow_update(*theirs, new.id, &patch, None, &world.act()).await));
    assert!(is_not_found(&catalog.workflow_delete(*theirs, new.id, None, &world.act()).await));
    assert!(is_not_found(&catalog.draft(*theirs, new.id).await));
    assert!(is_not_found(&catalog.runnable(*theirs, new.id, None).await));

    let changed = catalog.workflow_update(*ours, new.id, &patch, None, &world.act()).await.unwrap();
    assert_eq!((changed.name.as_str(), &changed.tags, changed.revision), ("Orders 2", &new.tags, 2));

    assert_eq!(catalog.workflow_delete(*ours, new.id, None, &world.act()).await.unwrap(), []);
    assert!(is_not_found(&catalog.workflow_get(*ours, new.id).await));
}

#[tokio::test]
async fn a_change_of_an_older_revision_is_a_conflict() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let patch = WorkflowPatch { description: Some("first".to_owned()), ..WorkflowPatch::default() };
    world.catalog.workflow_update(world.ours, workflow.id, &patch, Some(1), &world.act()).await.unwrap();

    let stale = world.catalog.workflow_update(world.ours, workflow.id, &patch, Some(1), &world.act()).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    assert_eq!(world.catalog.workflow_get(world.ours, workflow.id).await.unwrap().revision, 2);
}

#[tokio::test]
async fn workflows_are_found_by_status_tag_and_part_of_their_name() {
    let world = World::new().await;
    for (name, tag) in [("Orders", "shop"), ("Refunds", "shop"), ("ORDERS of old", "archive")] {
        let mut new = world.new_workflow(name);
        new.tags = vec![tag.to_owned(), "all".to_owned()];
        world.catalog.workflow_insert(world.ours, &new, &world.act()).await.unwrap();
    }
    let newest = world
        .catalog
        .workflow_list(world.ours, &WorkflowFilter::default(), ALL)
        .await
        .unwrap()
        .items
        .remove(0);
    let put_away = WorkflowStatus::Archived;
    world.catalog.workflow_move(world.ours, newest.id, put_away, None, &world.act()).await.unwrap();

    let names =
        async |status: Option<WorkflowStatus>, tag: Option<&str>, search: Option<&str>| -> Vec<String> {
            let filter =
                WorkflowFilter { status, tag: tag.map(str::to_owned), search: search.map(str::to_owned) };
            let page = world.catalog.workflow_list(world.ours, &filter, ALL).await.unwrap();
            assert_eq!(page.total, page.items.len() as u64);
            page.items.into_iter().map(|workflow| workflow.name).collect()
        };
    assert_eq!(names(None, None, None).await, ["ORDERS of old", "Refunds", "Orders"]);
    assert_eq!(names(Some(WorkflowStatus::Archived), None, None).await, ["ORDERS of old"]);
    assert_eq!(names(None, Some("shop"), None).await, ["Refunds", "Orders"]);
    assert_eq!(names(None, None, Some("order")).await, ["ORDERS of old", "Orders"]);
    assert_eq!(names(Some(WorkflowStatus::Draft), Some("all"), Some("order")).await, ["Orders"]);
    assert_eq!(names(None, None, Some("_")).await, Vec::<String>::new());

    let window = Window { limit: 2, offset: 2 };
    let page = world.catalog.workflow_list(world.ours, &WorkflowFilter::default(), window).await.unwrap();
    assert_eq!((page.total, page.items.len(), page.items[0].name.as_str()), (3, 1, "Orders"));
    let theirs = world.catalog.workflow_list(world.theirs, &WorkflowFilter::default(), ALL).await.unwrap();
    assert_eq!((theirs.total, theirs.items), (0, vec![]));
}

#[tokio::test]
async fn values_that_no_column_takes_break_a_rule_and_store_nothing() {
    let world = World::new().await;
    let mut new = world.new_workflow("nul\0");
    assert_eq!(rule(world.catalog.workflow_insert(world.ours, &new, &world.act()).await), "unstorable_value");
    new.name = "x".repeat(201);
    assert_eq!(
        rule(world.catalog.workflow_insert(world.ours, &new, &world.act()).await),
        "ck_workflows_name"
    );
    new.name = "fine".to_owned();
    new.settings = json!({"text": "\u{0}"}).as_object().unwrap().clone();
    assert_eq!(rule(world.catalog.workflow_insert(world.ours, &new, &world.act()).await), "unstorable_value");
    assert!(is_not_found(&world.catalog.workflow_get(world.ours, new.id).await));
}

#[tokio::test]
async fn a_workflow_that_was_never_published_or_is_archived_has_nothing_to_run() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;
    let runnable = world.catalog.runnable(world.ours, workflow.id, None).await.unwrap();
    assert_eq!(runnable, Runnable { version_id: None, is_archived: false });

    let published = WorkflowStatus::Published;
    let refused = world.catalog.workflow_move(world.ours, workflow.id, published, None, &world.act()).await;
    assert_eq!(rule(refused), "ck_workflows_published");
}

#[tokio::test]
async fn references_to_what_the_team_does_not_have_are_missing() {
    let world = World::new().await;
    let workflow = world.workflow("callee").await;
    let expert = ExpertId::new(world.ids.next());
    let new = NewExpert {
        id: expert,
        name: "e".to_owned(),
        prompt: String::new(),
        model_name: "m".to_owned(),
        status: ExpertStatus::Active,
        input_params: Map::new(),
        settings: Map::new(),
    };
    world.catalog.expert_insert(world.ours, &new, &world.act()).await.unwrap();
    let reference = |kind, id: &str| Reference {
        kind,
        id: id.to_owned(),
        node: "n".into(),
        pointer: "/nodes/0".to_owned(),
    };
    let references = [
        reference(ReferenceKind::Expert, &expert.to_string()),
        reference(ReferenceKind::Workflow, &workflow.id.to_string()),
        reference(ReferenceKind::Expert, &workflow.id.to_string()),
        reference(ReferenceKind::Workflow, "no id"),
        reference(ReferenceKind::Secret, "API_TOKEN"),
        reference(ReferenceKind::Collection, &expert.to_string()),
    ];
    assert_eq!(world.catalog.missing(world.ours, &references).await.unwrap(), references[2..]);
    assert_eq!(world.catalog.missing(world.theirs, &references).await.unwrap(), references);

    let key = DataKey { id: world.ids.next().into(), wrapped: vec![7; 60], master_key_id: "m".to_owned() };
    world.catalog.data_key_insert(world.ours, &key).await.unwrap();
    for version in [1, 2] {
        let nonce = [u8::try_from(version).unwrap(); 12];
        let name = "API_TOKEN".to_owned();
        let secret = SealedSecret { name, version, ciphertext: vec![9; 40], nonce, key_id: key.id };
        world.catalog.secret_insert(world.ours, world.ids.next(), &secret, "", &world.act()).await.unwrap();
    }
    let (collection, server) = (world.ids.next(), world.ids.next());
    let others = format!(
        "insert into collections (id, team_id, name, embedding_model, dimensions) values ('{collection}', '{0}', 'c', 'm', 3);
        insert into mcp_servers (id, team_id, name, url) values ('{server}', '{0}', 's', 'https://s.example')",
        world.ours
    );
    world.sql(&others).await.unwrap();
    let found = [
        reference(ReferenceKind::Secret, "API_TOKEN"),
        reference(ReferenceKind::Collection, &collection.to_string().to_uppercase()),
        reference(ReferenceKind::McpServer, &server.to_string()),
    ];
    assert_eq!(world.catalog.missing(world.ours, &found).await.unwrap(), []);
    assert_eq!(world.catalog.missing(world.theirs, &found).await.unwrap(), found);
}

#[tokio::test]
async fn workflows_are_named_and_found_by_name_within_their_team() {
    let world = World::new().await;
    let (orders, old_orders) = (world.workflow("Import Orders").await, world.workflow("orders, old").await);
    let invoices = world.workflow("Invoices").await;
    let foreign = world.new_workflow("Orders of theirs");
    world.catalog.workflow_insert(world.theirs, &foreign, &world.act()).await.unwrap();

    let ids = [orders.id, invoices.id, foreign.id];
    let called = world.catalog.names(world.ours, &ids).await.unwrap();
    let expected = [(orders.id, "Import Orders"), (invoices.id, "Invoices")];
    assert_eq!(called, expected.map(|(id, name)| (id, name.to_owned())).into());

    let named = async |text: &str, limit| world.catalog.named(world.ours, text, limit).await.unwrap();
    assert_eq!(named("ORDERS", 10).await, [old_orders.id, orders.id]);
    assert_eq!(named("orders", 1).await, [old_orders.id]);
    assert_eq!(named("%", 10).await, []);
}
