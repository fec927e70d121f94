//! Postgres, the catalog: what teams own and edit. The only crate with SQL in it (besides `embedded`).
//!
//! One module per aggregate, each a few methods of [`Catalog`]. Every method that touches a tenant's row takes the caller's
//! [`TeamId`](domain::TeamId), and a row of another team is [`NotFound`](StoreError::NotFound), as if it weren't there. A query that
//! forgot its team would find nothing of another one either: Postgres holds it to the team of its transaction (`scope.rs`).
//! Queries are checked against the schema when this crate is built, by the metadata in `.sqlx/`: a build needs no database
//! (docs/migrations.md says how to refresh it).

mod accounts;
mod activity;
mod actor;
mod annotations;
mod audit;
mod database;
mod deeds;
mod error;
mod expert_edits;
mod expert_states;
mod expert_ties;
mod experts;
mod graph;
mod graph_changes;
mod graph_rows;
mod invitations;
mod joining;
mod lazy;
mod lazy_secrets;
mod members;
mod migrate;
mod outbox;
mod page;
mod ports;
mod reference_names;
mod restoring;
mod scope;
mod secrets;
mod seed;
mod segment_key;
mod segments;
mod service_users;
mod services;
mod sessions;
mod team_members;
mod teams;
mod users;
mod versions;
mod word;
mod workflow_drafts;
mod workflow_edits;
mod workflow_names;
mod workflow_services;
mod workflow_ties;
mod workflows;

pub use activity::ActivityFilter;
pub use app::ports::StoreError;
pub use audit::{Audited, Verified};
pub use database::{BadDatabaseUrl, Catalog, DatabaseUrl};
pub use deeds::OUT_OF_REACH;
pub use expert_ties::{ExpertCounts, ExpertUser, WrongSubs};
pub use experts::{Expert, ExpertFilter, ExpertPatch, NewExpert};
pub use graph::UNKNOWN_NODE;
pub use invitations::{ALREADY_IN, Invitation, NewInvitation};
pub use lazy::LazyCatalog;
pub use members::{Member, MemberPatch, NewMember};
pub use migrate::MIGRATOR;
pub use page::{Page, Window};
pub use seed::{DEMO_TEAM, Seeded, SeededMember};
pub use segment_key::SegmentKey;
pub use segments::{NewSegment, Segment, SegmentPatch};
pub use service_users::ServiceUser;
pub use services::{ApiKeyDigest, NewService, Service, ServiceCounts};
pub use team_members::{LAST_OWNER, Membership, MembershipPatch};
pub use teams::{Team, TeamPatch};
pub use users::Login;
pub use workflow_drafts::{AsideReason, MOST_SET_ASIDE, SetAside};
pub use workflow_edits::{NO_VERSION, WRONG_MOVE, WorkflowPatch};
pub use workflow_services::WorkflowService;
pub use workflow_ties::WorkflowUser;
pub use workflows::{NewWorkflow, Workflow, WorkflowFilter};
