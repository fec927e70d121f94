//! Running a workflow in this process and telling what happens.
//!
//! [`watched`] hands on what was committed, [`story`] makes events of it, [`report`] prints them; [`session`] does the work between.

pub(crate) mod catalog;
pub(crate) mod event;
pub(crate) mod log;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod story;
pub(crate) mod watched;
