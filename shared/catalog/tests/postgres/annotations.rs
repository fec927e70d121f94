use app::{
    conformance::annotations::AnnotationWorld,
    ports::{Annotations, Ids as _},
};
use async_trait::async_trait;
use domain::TeamId;

use crate::support::World;

#[async_trait]
impl AnnotationWorld for World {
    fn annotations(&self) -> &dyn Annotations {
        &self.catalog
    }

    async fn team(&self) -> TeamId {
        let team = TeamId::new(self.ids.next());
        self.catalog.team_insert(team, "Another", "").await.unwrap();
        team
    }
}

app::annotations_suite!(World::new());

#[tokio::test]
async fn what_is_no_remark_is_refused_and_all_go_with_their_team() {
    let world = World::new().await;
    let insert = |node: &str, text: &str, author: &str| {
        let (id, run) = (world.ids.next(), world.ids.next());
        format!(
            "insert into annotations (id, team_id, run_id, node, text, author_kind, author_id)
            values ('{id}', '{}', '{run}', {node}, '{text}', '{author}', '{run}')",
            world.ours
        )
    };
    let long = "x".repeat(2001);
    for (sql, rule) in [
        (insert("''", "x", "service"), "ck_annotations_node"),
        (insert("null", "", "service"), "ck_annotations_text"),
        (insert("null", &long, "service"), "ck_annotations_text"),
        (insert("null", "x", "bot"), "ck_annotations_author_kind"),
        (
            insert("null", "x", "member").replace(&world.ours.to_string(), &world.ids.next().to_string()),
            "fk_annotations_team_id",
        ),
    ] {
        assert_eq!(world.refusal(&sql).await, rule);
    }
    world.sql(&insert("'fetch'", "x", "member")).await.unwrap();
    world.catalog.team_delete(world.ours, &world.act()).await.unwrap();
    assert_eq!(world.sql("delete from annotations").await.unwrap(), 0);
}
