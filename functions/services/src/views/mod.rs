//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod key;
mod segment;
mod service;
mod user;

pub(crate) use key::{IssueKey, IssuedKey};
pub(crate) use segment::{CreateSegment, SegmentView, UpdateSegment};
pub(crate) use service::{CreateService, ServiceView, UpdateService};
pub(crate) use user::{EndUserView, Resolve};

use domain::FieldError;

fn check_name(name: &str, mistakes: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > 200 {
        mistakes.push(FieldError::new("/name", "length", "A name has 1 to 200 characters."));
    }
}
