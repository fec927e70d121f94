//! Segments, end users, and the keys of services in their grace.

use app::ports::{ApiKeys as _, Ids as _};
use catalog::{ApiKeyDigest, NewSegment, NewService, SegmentKey, SegmentPatch, ServiceCounts};
use domain::{Environment, ServiceId, ServiceUserId, Timestamp, UserId};
use serde_json::{Map, from_value, json};

use crate::support::{ALL, World, is_not_found, rule};

impl World {
    async fn service(&self, environment: Environment) -> ServiceId {
        let new = NewService { id: self.ids.next().into(), name: "shop".into(), environment };
        self.catalog.service_insert(self.ours, &new, &self.act()).await.unwrap().id
    }

    fn user_ids(&self) -> (ServiceUserId, UserId) {
        (self.ids.next().into(), self.ids.next().into())
    }
}

fn key(user: &str) -> SegmentKey {
    from_value(json!({"version": 1, "properties": {"user_id": user, "client_id": "1"}})).unwrap()
}

fn digest(byte: u8) -> ApiKeyDigest {
    ApiKeyDigest { sha256: [byte; 32], last4: "wxyz".to_owned() }
}

#[tokio::test]
async fn a_key_means_the_same_end_user_whenever_it_is_shown_and_in_its_service_only() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let (dev, prod) = (world.service(Environment::Dev).await, world.service(Environment::Prod).await);
    let resolve = |service, user: &'static str| {
        let ids = world.user_ids();
        async move { catalog.service_user_resolve(*ours, service, &key(user), ids).await.unwrap() }
    };

    let ada = resolve(dev, "ada").await;
    assert_eq!(resolve(dev, "ada").await, ada);
    assert_eq!(ada.segment_key, key("ada"));
    assert_ne!(resolve(dev, "bob").await.id, ada.id);
    assert_ne!(resolve(prod, "ada").await.id, ada.id);
    let page = catalog.service_user_list(*ours, dev, ALL).await.unwrap();
    assert_eq!((page.total, page.items.last()), (2, Some(&ada)));
    assert!(is_not_found(&catalog.service_user_list(*theirs, dev, ALL).await));

    let foreign = catalog.service_user_resolve(*theirs, dev, &key("eve"), world.user_ids()).await;
    assert_eq!(rule(foreign), "fk_service_users_service_id");
    assert!(is_not_found(&catalog.service_user_delete(*theirs, dev, ada.id, &world.act()).await));
    catalog.service_user_delete(*ours, dev, ada.id, &world.act()).await.unwrap();
    assert_ne!(resolve(dev, "ada").await.user_id, ada.user_id);
}

#[tokio::test]
async fn two_who_are_the_first_to_show_a_key_meet_the_same_end_user() {
    let world = World::new().await;
    let service = world.service(Environment::Dev).await;
    let ada = key("ada");
    let resolve = || world.catalog.service_user_resolve(world.ours, service, &ada, world.user_ids());
    let (one, two) = futures::future::join(resolve(), resolve()).await;
    assert_eq!(one.unwrap(), two.unwrap());
}

#[tokio::test]
async fn a_segment_lives_its_life_inside_its_service() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let (dev, prod) = (world.service(Environment::Dev).await, world.service(Environment::Prod).await);
    let keys = Map::from_iter([("type".to_owned(), json!("object"))]);
    let new = |name: &str| NewSegment { id: world.ids.next().into(), name: name.into(), keys: keys.clone() };
    let shoppers = new("shoppers");

    let made = catalog.segment_insert(*ours, dev, &shoppers, &world.act()).await.unwrap();
    assert_eq!((made.name.as_str(), &made.keys), ("shoppers", &keys));
    assert_eq!(catalog.segment_get(*ours, dev, made.id).await.unwrap(), made);
    assert_eq!(catalog.segment_list(*ours, dev, ALL).await.unwrap().items, std::slice::from_ref(&made));
    let again = catalog.segment_insert(*ours, dev, &new("shoppers"), &world.act()).await;
    assert_eq!(rule(again), "uq_service_segments_service_id_name");
    catalog.segment_insert(*ours, prod, &new("shoppers"), &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.segment_list(*theirs, dev, ALL).await));
    let foreign = catalog.segment_insert(*theirs, dev, &new("mine"), &world.act()).await;
    assert_eq!(rule(foreign), "fk_service_segments_service_id");

    let patch = SegmentPatch { name: Some("buyers".into()), keys: None };
    assert_eq!(
        catalog.segment_update(*ours, dev, made.id, &patch, &world.act()).await.unwrap().name,
        "buyers"
    );
    for (team, service) in [(*theirs, dev), (*ours, prod)] {
        assert!(is_not_found(&catalog.segment_get(team, service, made.id).await));
        assert!(is_not_found(&catalog.segment_update(team, service, made.id, &patch, &world.act()).await));
        assert!(is_not_found(&catalog.segment_delete(team, service, made.id, &world.act()).await));
    }
    catalog.segment_delete(*ours, dev, made.id, &world.act()).await.unwrap();
    assert_eq!(catalog.segment_list(*ours, dev, ALL).await.unwrap().items, []);
}

#[tokio::test]
async fn a_replaced_key_is_good_until_its_grace_ends() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let service = world.service(Environment::Dev).await;
    let is_good = async |byte: u8| catalog.service_by_key([byte; 32]).await.unwrap().is_some();
    let (past, future): (Timestamp, Timestamp) =
        ("2000-01-01T00:00:00Z".parse().unwrap(), "2100-01-01T00:00:00Z".parse().unwrap());

    let first =
        catalog.service_replace_key(*ours, service, &digest(1), Some(future), &world.act()).await.unwrap();
    assert_eq!(first.previous_key_expires_at, None);
    let second =
        catalog.service_replace_key(*ours, service, &digest(2), Some(future), &world.act()).await.unwrap();
    assert_eq!(second.previous_key_expires_at, Some(future));
    assert!(is_good(1).await && is_good(2).await);

    catalog.service_replace_key(*ours, service, &digest(3), Some(past), &world.act()).await.unwrap();
    assert_eq!([is_good(1).await, is_good(2).await, is_good(3).await], [false, false, true]);
    catalog.service_replace_key(*ours, service, &digest(4), Some(future), &world.act()).await.unwrap();
    let last = catalog.service_replace_key(*ours, service, &digest(5), None, &world.act()).await.unwrap();
    assert_eq!(last.previous_key_expires_at, None);
    assert_eq!([is_good(3).await, is_good(4).await, is_good(5).await], [false, false, true]);
}

#[tokio::test]
async fn a_service_counts_what_it_has() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let (dev, prod) = (world.service(Environment::Dev).await, world.service(Environment::Prod).await);
    for user in ["ada", "bob"] {
        catalog.service_user_resolve(*ours, dev, &key(user), world.user_ids()).await.unwrap();
    }
    let segment = NewSegment { id: world.ids.next().into(), name: "g".into(), keys: Map::new() };
    catalog.segment_insert(*ours, dev, &segment, &world.act()).await.unwrap();
    let workflow = world.workflow("w").await.id;
    world
        .sql(&format!(
            "insert into workflow_services (id, team_id, workflow_id, service_id)
            values ('{}', '{ours}', '{workflow}', '{dev}')",
            world.ids.next()
        ))
        .await
        .unwrap();

    let counts = catalog.service_counts(*ours, &[dev, prod]).await.unwrap();
    assert_eq!(counts[&dev], ServiceCounts { experts: 0, workflows: 1, segments: 1, users: 2 });
    assert_eq!(counts[&prod], ServiceCounts::default());
    assert!(catalog.service_counts(*theirs, &[dev]).await.unwrap().is_empty());
}
