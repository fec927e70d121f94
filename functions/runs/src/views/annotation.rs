//! Remarks on runs (RUN-18).

use app::ports::{ANNOTATION_MAX, Actor, Annotation};
use domain::{AnnotationId, FieldError, Graph, NodeKey, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What to remark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAnnotation {
    /// 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000, example = "The shop was down.")]
    text: String,
    /// The node that it is about, if it is about one.
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
}

impl NewAnnotation {
    /// The text and the node, or what is wrong with them.
    pub(crate) fn check(self, graph: &Graph) -> Result<(String, Option<NodeKey>), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        if self.text.trim().is_empty() {
            mistakes.push(FieldError::new("/text", "too_short", "Say something."));
        }
        let length = self.text.chars().count();
        if length > ANNOTATION_MAX {
            let detail = format!("At most {ANNOTATION_MAX} characters; these are {length}.");
            mistakes.push(FieldError::new("/text", "too_long", &detail));
        }
        if let Some(node) = &self.node
            && !graph.nodes.iter().any(|known| known.key == *node)
        {
            mistakes.push(FieldError::new("/node", "unknown_node", "The run's version has no such node."));
        }
        if mistakes.is_empty() { Ok((self.text, self.node)) } else { Err(mistakes) }
    }
}

/// Who made a remark.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Author)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
enum AuthorView {
    /// A person.
    Member(Uuid),
    /// A service, by its API key.
    Service(Uuid),
    /// Heddle itself.
    System,
}

impl From<Actor> for AuthorView {
    fn from(author: Actor) -> Self {
        match author {
            Actor::Member(id) => Self::Member(id.uuid()),
            Actor::Service(id) => Self::Service(id.uuid()),
            Actor::System => Self::System,
        }
    }
}

/// A remark on a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Annotation)]
pub(crate) struct AnnotationView {
    #[schema(value_type = Uuid)]
    id: AnnotationId,
    #[schema(example = "The shop was down.")]
    text: String,
    /// The node that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
    author: AuthorView,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl From<Annotation> for AnnotationView {
    fn from(remark: Annotation) -> Self {
        let Annotation { id, text, node, author, created_on, .. } = remark;
        Self { id, text, node, author: author.into(), created_on }
    }
}
