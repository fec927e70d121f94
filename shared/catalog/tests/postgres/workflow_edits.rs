//! Edits of workflows and of their drafts stay inside of their team, and tell whose they are.

use app::{
    EditError, Pieces,
    ports::{Actor, Ids as _, WorkflowCatalog as _},
};
use catalog::{AsideReason, StoreError};
use domain::{Edge, Graph, MemberId, WorkflowStatus};

use crate::support::{ALL, World, graph, is_not_found};

#[tokio::test]
async fn nothing_of_another_team_is_moved_copied_edited_or_set_aside() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let id = world.workflow("w").await.id;
    let draft = graph(&["a"], &[]);
    let kept = catalog.draft_set_aside(*ours, id, &draft, 7, &world.act()).await.unwrap();
    let copy = ids.next().into();
    assert!(is_not_found(
        &catalog.workflow_move(*theirs, id, WorkflowStatus::Archived, None, &world.act()).await
    ));
    assert!(is_not_found(&catalog.workflow_duplicate(*theirs, id, copy, None, ids, &world.act()).await));
    assert!(is_not_found(&catalog.edge_list(*theirs, id).await));
    assert!(is_not_found(&catalog.draft_set_aside(*theirs, id, &draft, 7, &world.act()).await));
    assert!(is_not_found(&catalog.draft_list(*theirs, id, ALL).await));
    assert!(is_not_found(&catalog.draft_get(*theirs, id, kept).await));
    assert!(is_not_found(&catalog.draft_delete(*theirs, id, kept, &world.act()).await));
    let edited = catalog.graph_edit(*theirs, id, None, &world.act(), |_: &mut Pieces| Ok(())).await;
    assert!(matches!(edited, Err(EditError::Store(StoreError::NotFound))), "{edited:?}");

    let (aside, graph) = catalog.draft_get(*ours, id, kept).await.unwrap();
    assert_eq!((aside.reason, aside.based_on, aside.actor), (AsideReason::Refused, 7, Actor::System));
    assert_eq!(graph, draft);
    assert_eq!(catalog.draft(*ours, id).await.unwrap().graph, Graph::default());
}

#[tokio::test]
async fn what_an_edit_refuses_is_not_done_and_its_connection_goes_on() {
    let world = World::new().await;
    let World { catalog, ours, ids, .. } = &world;
    let id = world.workflow("w").await.id;
    let two = graph(&["a", "b"], &[("a", "b")]);
    let before = catalog.graph_replace(*ours, id, &two, None, ids, &world.act()).await.unwrap();
    for _ in 0..20 {
        let back = Edge { from: "b".into(), to: "a".into(), label: None };
        let edited =
            catalog.graph_edit(*ours, id, None, &world.act(), |pieces| pieces.add_edge(back, ids)).await;
        assert!(matches!(edited, Err(EditError::Refused(_))), "{edited:?}");
    }
    assert_eq!(catalog.draft(*ours, id).await.unwrap(), before);
}

#[tokio::test]
async fn a_draft_that_is_replaced_belongs_to_whoever_edited_it_last() {
    let world = World::new().await;
    let World { catalog, ours, ids, .. } = &world;
    let id = world.workflow("w").await.id;
    let (ada, bob) = (MemberId::new(uuid::Uuid::from_u128(1)), MemberId::new(uuid::Uuid::from_u128(2)));
    let put = async |member, key: &str| {
        let act = world.act_of(member);
        catalog.graph_replace(*ours, id, &graph(&[key], &[]), None, ids, &act).await.unwrap();
    };
    put(ada, "a").await;
    put(ada, "b").await;
    put(bob, "c").await;
    put(bob, "c").await;
    put(ada, "c").await;
    let page = catalog.draft_list(*ours, id, ALL).await.unwrap();
    let kept: Vec<_> = page.items.iter().map(|aside| (aside.reason, aside.actor, aside.based_on)).collect();
    assert_eq!(kept, [(AsideReason::Replaced, Actor::Member(ada), 3)]);
    let (_, graph) = catalog.draft_get(*ours, id, page.items[0].id).await.unwrap();
    assert_eq!(graph.nodes[0].key.as_str(), "b");
}
