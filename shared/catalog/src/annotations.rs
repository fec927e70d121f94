//! Remarks on runs (RUN-18).

use app::ports::{Annotation, Annotations, StoreError};
use async_trait::async_trait;
use domain::{AnnotationId, NodeKey, RunId, TeamId, Timestamp};
use sqlx::query_as;
use uuid::Uuid;

use crate::{
    Catalog,
    actor::{actor, columns},
};

#[async_trait]
impl Annotations for Catalog {
    async fn annotate(&self, team: TeamId, annotation: &Annotation) -> Result<(), StoreError> {
        let (author_kind, author_id) = columns(annotation.author);
        let mut tx = self.team(team, "annotate a run").await?;
        let kept = sqlx::query!(
            "insert into annotations (id, team_id, run_id, node, text, author_kind, author_id, created_on)
            values ($1, $2, $3, $4, $5, $6, $7, $8)",
            annotation.id.uuid(),
            team.uuid(),
            annotation.run_id.uuid(),
            annotation.node.as_ref().map(NodeKey::as_str),
            annotation.text,
            author_kind,
            author_id,
            annotation.created_on
        )
        .execute(&mut *tx)
        .await;
        tx.end(kept).await.map(drop)
    }

    async fn annotations(
        &self,
        team: TeamId,
        run: RunId,
        before: Option<AnnotationId>,
        limit: u32,
    ) -> Result<Vec<Annotation>, StoreError> {
        let mut tx = self.team(team, "list annotations").await?;
        let rows = query_as!(
            Row,
            "select id, run_id, node, text, author_kind, author_id, created_on from annotations
            where team_id = $1 and run_id = $2 and ($3::uuid is null or id < $3)
            order by id desc limit $4",
            team.uuid(),
            run.uuid(),
            before.map(AnnotationId::uuid),
            i64::from(limit)
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(Annotation::from).collect())
    }
}

struct Row {
    id: Uuid,
    run_id: Uuid,
    node: Option<String>,
    text: String,
    author_kind: String,
    author_id: Uuid,
    created_on: Timestamp,
}

impl From<Row> for Annotation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            run_id: row.run_id.into(),
            node: row.node.map(NodeKey::new),
            text: row.text,
            author: actor(&row.author_kind, Some(row.author_id)),
            created_on: row.created_on,
        }
    }
}
