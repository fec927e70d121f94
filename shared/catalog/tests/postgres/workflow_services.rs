//! Which services see a workflow (KEY-11).

use app::ports::{Ids as _, WorkflowCatalog as _};
use catalog::{NewService, NewWorkflow, WorkflowService};
use domain::{Environment, ServiceId, TeamId};

use crate::support::{World, is_not_found};

impl World {
    async fn seeing(&self, team: TeamId, name: &str) -> WorkflowService {
        let new = NewService {
            id: ServiceId::new(self.ids.next()),
            name: name.to_owned(),
            environment: Environment::Dev,
        };
        let made = self.catalog.service_insert(team, &new, &self.act()).await.unwrap();
        WorkflowService { id: made.id, name: made.name, environment: made.environment }
    }
}

#[tokio::test]
async fn key_11_a_workflow_is_seen_by_the_services_that_were_attached_and_by_each_once() {
    let world = World::new().await;
    let (catalog, ours, theirs) = (&world.catalog, world.ours, world.theirs);
    let workflow = world.workflow("w").await.id;
    let (shop, desk) = (world.seeing(ours, "Shop").await, world.seeing(ours, "Desk").await);
    let foreign = world.seeing(theirs, "Theirs").await;
    let link = || world.ids.next();
    assert_eq!(catalog.workflow_services(ours, workflow).await.unwrap(), []);
    for service in [&shop, &desk, &shop] {
        catalog.workflow_attach_service(ours, workflow, service.id, link(), &world.act()).await.unwrap();
    }
    assert_eq!(catalog.workflow_services(ours, workflow).await.unwrap(), [desk.clone(), shop.clone()]);

    for refused in [
        catalog.workflow_attach_service(ours, workflow, foreign.id, link(), &world.act()).await,
        catalog.workflow_attach_service(theirs, workflow, foreign.id, link(), &world.act()).await,
        catalog.workflow_attach_service(theirs, workflow, shop.id, link(), &world.act()).await,
        catalog.workflow_detach_service(theirs, workflow, shop.id, &world.act()).await,
        catalog.workflow_services(theirs, workflow).await.map(drop),
    ] {
        assert!(is_not_found(&refused), "{refused:?}");
    }

    assert!(catalog.runnable(ours, workflow, Some(shop.id)).await.is_ok(), "TRG-01");
    assert!(is_not_found(&catalog.runnable(ours, workflow, Some(foreign.id)).await));
    assert!(is_not_found(&catalog.runnable(theirs, workflow, Some(shop.id)).await));
    catalog.workflow_detach_service(ours, workflow, shop.id, &world.act()).await.unwrap();
    assert!(is_not_found(&catalog.runnable(ours, workflow, Some(shop.id)).await));
    assert!(catalog.runnable(ours, workflow, None).await.is_ok());
    assert!(is_not_found(&catalog.workflow_detach_service(ours, workflow, shop.id, &world.act()).await));
    assert_eq!(catalog.workflow_services(ours, workflow).await.unwrap(), [desk]);
}

#[tokio::test]
async fn key_11_a_workflow_that_a_service_makes_is_seen_by_it() {
    let world = World::new().await;
    let maker = world.seeing(world.ours, "Shop").await;
    let other = world.seeing(world.ours, "Desk").await;
    let new = NewWorkflow { service: Some((maker.id, world.ids.next())), ..world.new_workflow("w") };
    let workflow = world.catalog.workflow_insert(world.ours, &new, &world.act()).await.unwrap().id;
    assert!(world.catalog.runnable(world.ours, workflow, Some(maker.id)).await.is_ok());
    assert!(is_not_found(&world.catalog.runnable(world.ours, workflow, Some(other.id)).await));
    assert_eq!(world.catalog.workflow_services(world.ours, workflow).await.unwrap(), [maker]);
}
