//! Drafts that were set aside.

use catalog::{AsideReason, SetAside};
use domain::{DraftId, Graph, Timestamp};
use heddle_http::ActorView;
use serde::Serialize;
use utoipa::ToSchema;

use super::graph::GraphDoc;

/// A draft that was set aside, without its graph.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AsideView {
    #[schema(value_type = Uuid)]
    id: DraftId,
    /// The revision that its author began with; of one that was replaced, its own.
    #[schema(example = 11)]
    based_on: i64,
    /// `refused`: it came when the draft was at another revision. `replaced`: it was the draft, and another one took its place.
    #[schema(value_type = String, example = "refused")]
    reason: AsideReason,
    /// Whose it is; of one that was replaced, whoever edited it last.
    actor: ActorView,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl From<SetAside> for AsideView {
    fn from(aside: SetAside) -> Self {
        let SetAside { id, based_on, reason, actor, created_on } = aside;
        Self { id, based_on, reason, actor: actor.into(), created_on }
    }
}

/// A draft that was set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AsideDetail {
    #[serde(flatten)]
    aside: AsideView,
    #[schema(value_type = GraphDoc)]
    graph: Graph,
}

impl AsideDetail {
    pub(crate) fn new(aside: SetAside, graph: Graph) -> Self {
        Self { aside: aside.into(), graph }
    }
}
