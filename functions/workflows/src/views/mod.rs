//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod aside;
mod changes;
mod diff;
mod document;
mod graph;
mod palette;
mod piece;
mod plan;
mod schedule;
mod service;
mod version;
mod workflow;

pub(crate) use aside::{AsideDetail, AsideView};
pub(crate) use changes::{CreateWorkflow, Duplicate, MoveWorkflow, UpdateWorkflow};
pub(crate) use diff::{DiffView, Named};
pub(crate) use document::{ImportedWorkflow, WorkflowDocument, references};
pub(crate) use graph::{CheckDraft, CheckGraph, GraphDoc, NodeDoc, SavedGraph, Verdict};
pub(crate) use palette::PaletteView;
pub(crate) use piece::{
    CreateEdge, CreateNode, EditedDraft, EditedEdge, EditedNode, PlacedEdgeDoc, UpdateEdge, UpdateNode,
};
pub(crate) use plan::{PlanDraft, PlanView};
pub(crate) use schedule::{PreviewQuery, SchedulePreview};
pub(crate) use service::SeeingService;
pub(crate) use version::{Publish, Published, VersionSummary, VersionView};
pub(crate) use workflow::{WorkflowDetail, WorkflowStatusDoc, WorkflowView};
