//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod diff;
mod document;
mod graph;
mod palette;
mod plan;
mod schedule;
mod version;
mod workflow;

pub(crate) use diff::{DiffView, Named};
pub(crate) use document::{ImportedWorkflow, WorkflowDocument, references};
pub(crate) use graph::{CheckDraft, CheckGraph, GraphDoc, SavedGraph, Verdict};
pub(crate) use palette::PaletteView;
pub(crate) use plan::{PlanDraft, PlanView};
pub(crate) use schedule::{PreviewQuery, SchedulePreview};
pub(crate) use version::{Publish, Published, VersionSummary, VersionView};
pub(crate) use workflow::{CreateWorkflow, UpdateWorkflow, WorkflowDetail, WorkflowStatusDoc, WorkflowView};
