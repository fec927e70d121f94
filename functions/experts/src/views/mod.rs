//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod changes;
mod expert;
mod render;
mod settings;
mod test;

use domain::FieldError;

pub(crate) use changes::{CreateExpert, UpdateExpert};
pub(crate) use expert::{EarlierState, ExpertStatusDoc, ExpertSummary, ExpertView};
pub(crate) use render::{RenderPrompt, Rendered};
pub(crate) use settings::{Settings, sub_mistakes};
pub(crate) use test::{TestExpert, Tested};

pub(crate) fn mistake(pointer: &str, code: &str, detail: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        detail: detail.to_owned(),
        node: None,
        offset: None,
    }
}
