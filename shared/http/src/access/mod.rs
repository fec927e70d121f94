//! Who may call what. Every route is declared in [`ROUTES`]; before its handler stands the [`Gate`], which finds out who calls, for which
//! team, whether they may, and how often they did (AUT-17, AUT-20, TEN-13, SEC-01, SEC-02).
//!
//! A route that is not declared answers nobody.

mod act;
mod actor;
mod caller;
mod credential;
mod gate;
#[cfg(test)]
mod gate_tests;
mod once;
mod origins;
mod rate;
mod routes;

pub use actor::ActorView;
pub use caller::{Caller, Member};
pub use credential::{cookies, forged, page};
pub use gate::{Gate, GatePorts};
pub use origins::{NotAnOrigin, Origins};
pub use rate::Rate;
pub use routes::{Needs, ROUTES, Route};

pub(crate) use gate::admit;
