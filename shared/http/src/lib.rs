//! The HTTP side of every API function. A function describes its routes and builds an [`Api`]; around them stand, the same
//! for all: request ids, logs and metrics, security headers, problems instead of panics, health, the OpenAPI document.
//!
//! - who calls, and whether they may: [`Gate`] and [`ROUTES`]; [`Caller`], [`Member`], [`Origin`]
//! - what it says: [`Json`] (with [`Nullable`]), [`Path`], [`Query`] (with [`PageQuery`], [`Limit`], [`CommaSeparated`]), [`IfMatch`], [`Prefer`], [`IdempotencyKey`], [`LastEventId`]
//! - what it is told: [`Json`], [`Page`], [`CursorPage`], [`ApiError`]
//! - where it runs: `serve` (with the cargo feature `lambda`)
//!
//! What clients may build on (API-01 to API-09) stands in docs/api.md.

mod access;
mod api;
#[cfg(test)]
mod api_tests;
mod client;
pub mod docs;
mod examples;
mod extract;
mod headers;
mod health;
mod idempotency;
mod json;
#[cfg(feature = "lambda")]
mod lambda;
mod last_event_id;
mod paging;
mod precondition;
mod prefer;
mod problem;
#[cfg(feature = "lambda")]
mod serve;
#[cfg(feature = "testing")]
pub mod testing;

pub use access::{
    ActorView, Caller, Gate, GatePorts, Member, Needs, NotAnOrigin, Origins, ROUTES, Rate, Route, cookies,
    forged, page,
};
pub use api::{Api, BASE};
pub use client::{ClientAddress, Origin};
pub use extract::{Path, Query};
pub use idempotency::IdempotencyKey;
pub use json::{JSON_LIMIT, Json, MAX_DEPTH, Nullable};
pub use last_event_id::LastEventId;
pub use paging::{CommaSeparated, CursorPage, Limit, Page, PageQuery};
pub use precondition::{IfMatch, etag};
pub use prefer::Prefer;
pub use problem::{ApiError, Code, PROBLEM_JSON};
#[cfg(feature = "lambda")]
pub use serve::serve;

/// What a handler answers.
pub type ApiResult<T> = Result<T, ApiError>;
