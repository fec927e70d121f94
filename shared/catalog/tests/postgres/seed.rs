use app::ports::ApiKeys;
use catalog::{ApiKeyDigest, DEMO_TEAM, ExpertFilter};
use domain::{Environment, Role};

use crate::support::{ALL, World, rule};

fn key(byte: u8) -> ApiKeyDigest {
    ApiKeyDigest { sha256: [byte; 32], last4: "wxyz".to_owned() }
}

#[tokio::test]
async fn the_seed_makes_a_team_with_members_services_and_an_expert() {
    let World { catalog, .. } = &World::new().await;
    let seeded = catalog.seed(&key(1)).await.unwrap();

    assert_eq!(catalog.team_get(seeded.team_id).await.unwrap().name, "Demo");
    let members = catalog.team_members(seeded.team_id, ALL).await.unwrap().items;
    let mut roles: Vec<Role> = members.iter().map(|member| member.role).collect();
    roles.sort_unstable();
    assert_eq!(roles, [Role::Viewer, Role::Editor, Role::Admin, Role::Owner]);
    let services = catalog.service_list(seeded.team_id, ALL).await.unwrap().items;
    let environments: Vec<Environment> = services.iter().map(|service| service.environment).collect();
    assert_eq!(environments, [Environment::Prod, Environment::Stage, Environment::Dev]);
    catalog.expert_get(seeded.team_id, seeded.expert_id).await.unwrap();
    let caller = catalog.service_by_key(key(1).sha256).await.unwrap().unwrap();
    assert_eq!((caller.team_id, caller.service_id), (seeded.team_id, seeded.service_id));
    assert_eq!(caller.environment, Environment::Dev);
}

#[tokio::test]
async fn seeding_again_replaces_the_key_and_doubles_nothing() {
    let world = World::new().await;
    let catalog = &world.catalog;
    let first = catalog.seed(&key(1)).await.unwrap();
    catalog.service_rename(DEMO_TEAM, first.service_id, "Renamed", &world.act()).await.unwrap();

    let (second, third) =
        futures::future::join(catalog.seed(&key(2)), async { catalog.seed(&key(2)).await.unwrap() }).await;

    assert_eq!((second.unwrap(), &third), (first.clone(), &first));
    assert_eq!(catalog.service_by_key(key(1).sha256).await.unwrap(), None);
    assert!(catalog.service_by_key(key(2).sha256).await.unwrap().is_some());
    assert_eq!(catalog.team_members(DEMO_TEAM, ALL).await.unwrap().total, 4);
    assert_eq!(catalog.service_list(DEMO_TEAM, ALL).await.unwrap().total, 3);
    assert_eq!(catalog.expert_list(DEMO_TEAM, &ExpertFilter::default(), ALL).await.unwrap().total, 1);
    assert_eq!(catalog.service_get(DEMO_TEAM, first.service_id).await.unwrap().name, "Renamed");
}

#[tokio::test]
async fn a_key_that_another_service_has_is_refused() {
    let world = World::new().await;
    let new = catalog::NewService {
        id: app::ports::Ids::next(&world.ids).into(),
        name: "shop".to_owned(),
        environment: Environment::Dev,
    };
    world.catalog.service_insert(world.ours, &new, &world.act()).await.unwrap();
    world.catalog.service_replace_key(world.ours, new.id, &key(1), None, &world.act()).await.unwrap();
    assert_eq!(rule(world.catalog.seed(&key(1)).await), "uq_services_api_key_hash");
}
