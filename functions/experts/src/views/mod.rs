//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod changes;
mod expert;
mod render;
mod settings;
mod test;

pub(crate) use changes::{CreateExpert, UpdateExpert};
pub(crate) use expert::{EarlierState, ExpertStatusDoc, ExpertSummary, ExpertView};
pub(crate) use render::{RenderPrompt, Rendered};
pub(crate) use settings::{Settings, sub_mistakes};
pub(crate) use test::{TestExpert, Tested};
