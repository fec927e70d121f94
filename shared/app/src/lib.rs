//! What Heddle does, independent of where it runs: the use cases that several functions need, and the ports they reach the
//! world through.
//!
//! - [`ports`]: the traits that stores, queues and connectors implement, with the errors they may answer.
//! - [`start_run`](fn@start_run), [`advance_run`](fn@advance_run), [`cancel_run`](fn@cancel_run),
//!   [`publish_workflow`](fn@publish_workflow): one use case per module.
//! - `fakes`: in-memory implementations that pass the same suites (`conformance`) as the real ones. Both need the cargo
//!   feature `fakes`.

pub mod advance_run;
pub mod cache;
pub mod cancel_run;
pub mod loaded;
pub mod ports;
pub mod position;
pub mod publish_workflow;
pub mod start_run;

#[cfg(feature = "fakes")]
pub mod conformance;
#[cfg(feature = "fakes")]
pub mod fakes;

pub use advance_run::{AdvanceError, Advanced, Delivery, StepOutcome, Worker, advance_run};
pub use cancel_run::{CancelError, cancel_run};
pub use publish_workflow::{PublishError, PublishPorts, PublishWorkflow, publish_workflow, validate_graph};
pub use start_run::{StartError, StartPorts, StartRun, Started, Target, start_run};
