//! The engine through its public API: graphs go in, decisions come out.

// Clippy's exception for tests knows only functions that are tests themselves.
#![allow(clippy::unwrap_used)]

mod children;
mod diff;
mod drive;
mod lifecycle;
mod liveness;
mod mutations;
mod node_types;
mod outside;
mod palette;
mod plan;
mod properties;
mod reference;
mod results;
mod typed;
mod validation;
mod waiting;
mod world;
