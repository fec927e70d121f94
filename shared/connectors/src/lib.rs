//! The effectful node types, and the only way out of the workspace.
//!
//! - [`ConnectorSet`] implements [`app::ports::Connectors`]: it finds the connector of a call's node type.
//! - [`CircuitBreaker`] stands before it and leaves hosts alone that keep failing (NOD-26).
//! - [`egress`]: the one HTTP client. Whatever leaves Heddle for an address that a workflow names goes through it (SEC-13).
//! - `secrets`: credentials are put into a call here and nowhere else, and taken out of what comes back.
//! - [`EgressWeb`] implements [`app::ports::Web`]: what identity providers publish (AUT-15).
//! - [`ChatModels`] implements [`app::ports::Models`]: language models of the deployment's providers.
//! - `api`: `get_api` and `post_api` (engine.md, node types).

mod api;
mod breaker;
mod connector_set;
pub mod egress;
mod models;
mod secrets;
mod web;

pub use breaker::CircuitBreaker;
pub use connector_set::ConnectorSet;
pub use models::ChatModels;
pub use web::EgressWeb;
