//! Postgres, the catalog: what teams own and edit. The only crate with SQL in it (besides `embedded`).
//!
//! One module per aggregate, each a few methods of [`Catalog`]. Every method that touches a tenant's row takes the caller's
//! [`TeamId`](domain::TeamId), and a row of another team is [`NotFound`](StoreError::NotFound), as if it weren't there.
//! Queries are checked against the schema when this crate is built, by the metadata in `.sqlx/`: a build needs no database
//! (docs/migrations.md says how to refresh it).

mod annotations;
mod database;
mod error;
mod experts;
mod graph;
mod lazy;
mod migrate;
mod page;
mod ports;
mod seed;
mod services;
mod teams;
mod versions;
mod word;
mod workflow_names;
mod workflows;

pub use app::ports::StoreError;
pub use database::{BadDatabaseUrl, Catalog, DatabaseUrl};
pub use experts::{Expert, ExpertFilter, ExpertPatch, NewExpert};
pub use graph::UNKNOWN_NODE;
pub use lazy::LazyCatalog;
pub use migrate::MIGRATOR;
pub use page::{Page, Window};
pub use seed::{DEMO_TEAM, Seeded};
pub use services::{ApiKeyDigest, NewService, Service};
pub use teams::{Membership, NewMember, Team};
pub use workflows::{NewWorkflow, Workflow, WorkflowFilter, WorkflowPatch};
