use app::ports::{ApiKeys, Ids as _, ServiceCaller};
use catalog::{ApiKeyDigest, NewService, StoreError, Window};
use domain::Environment;

use crate::support::{ALL, World, is_not_found, rule};

impl World {
    fn new_service(&self, name: &str, environment: Environment) -> NewService {
        NewService { id: self.ids.next().into(), name: name.to_owned(), environment }
    }
}

fn key(byte: u8) -> ApiKeyDigest {
    ApiKeyDigest { sha256: [byte; 32], last4: "wxyz".to_owned() }
}

#[tokio::test]
async fn a_service_lives_its_life_inside_its_team() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let new = world.new_service("shop", Environment::Stage);

    let made = catalog.service_insert(*ours, &new, &world.act()).await.unwrap();
    assert_eq!(
        (made.name.as_str(), made.environment, made.api_key_last4.as_deref()),
        ("shop", Environment::Stage, None)
    );
    assert_eq!(catalog.service_get(*ours, new.id).await.unwrap(), made);
    assert_eq!(catalog.service_rename(*ours, new.id, "store", &world.act()).await.unwrap().name, "store");

    assert!(is_not_found(&catalog.service_get(*theirs, new.id).await));
    assert!(is_not_found(&catalog.service_rename(*theirs, new.id, "mine", &world.act()).await));
    assert!(is_not_found(&catalog.service_replace_key(*theirs, new.id, &key(1), None, &world.act()).await));
    assert!(is_not_found(&catalog.service_delete(*theirs, new.id, &world.act()).await));
    assert_eq!(catalog.service_get(*ours, new.id).await.unwrap().name, "store");

    catalog.service_delete(*ours, new.id, &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.service_get(*ours, new.id).await));
}

#[tokio::test]
async fn a_list_has_one_page_and_the_count_of_all() {
    let world = World::new().await;
    for environment in [Environment::Dev, Environment::Stage, Environment::Prod] {
        world
            .catalog
            .service_insert(world.ours, &world.new_service("shop", environment), &world.act())
            .await
            .unwrap();
    }
    let page = world.catalog.service_list(world.ours, Window { limit: 1, offset: 1 }).await.unwrap();
    assert_eq!((page.total, page.items.len(), page.items[0].environment), (3, 1, Environment::Stage));
    assert_eq!(world.catalog.service_list(world.theirs, ALL).await.unwrap().total, 0);
}

#[tokio::test]
async fn a_taken_name_names_its_rule() {
    let world = World::new().await;
    world
        .catalog
        .service_insert(world.ours, &world.new_service("shop", Environment::Dev), &world.act())
        .await
        .unwrap();
    let again = world
        .catalog
        .service_insert(world.ours, &world.new_service("shop", Environment::Dev), &world.act())
        .await;
    assert_eq!(rule(again), "uq_services_team_id_name_environment");
}

#[tokio::test]
async fn a_key_finds_its_service_until_it_is_replaced() {
    let world = World::new().await;
    let new = world.new_service("shop", Environment::Prod);
    world.catalog.service_insert(world.ours, &new, &world.act()).await.unwrap();
    assert_eq!(world.catalog.service_by_key(key(1).sha256).await.unwrap(), None);

    let service =
        world.catalog.service_replace_key(world.ours, new.id, &key(1), None, &world.act()).await.unwrap();
    assert_eq!(service.api_key_last4.as_deref(), Some("wxyz"));
    let caller = ServiceCaller { team_id: world.ours, service_id: new.id, environment: Environment::Prod };
    assert_eq!(world.catalog.service_by_key(key(1).sha256).await.unwrap(), Some(caller));

    world.catalog.service_replace_key(world.ours, new.id, &key(2), None, &world.act()).await.unwrap();
    assert_eq!(world.catalog.service_by_key(key(1).sha256).await.unwrap(), None);
    assert_eq!(world.catalog.service_by_key(key(2).sha256).await.unwrap(), Some(caller));
}

#[tokio::test]
async fn a_database_that_is_away_is_not_a_key_that_is_unknown() {
    let world = World::new().await;
    world.pool().close().await;
    let answer = world.catalog.service_by_key(key(1).sha256).await;
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

#[test]
fn the_digest_of_a_key_is_not_printed() {
    assert_eq!(format!("{:?}", key(7)), "ApiKeyDigest(…wxyz)");
}
