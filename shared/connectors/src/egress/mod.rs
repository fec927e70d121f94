//! The one HTTP client of the workspace, built to be pointed at by strangers (SEC-13).
//!
//! What it promises for every request, and again for every redirect:
//! - Only `http` and `https`, without credentials in the URL.
//! - Every address that the host resolves to is checked; if one of them is not public, the request is refused with the name of
//!   the rule. Only an [`AllowRule`] of the deployment makes an exception.
//! - The connection goes to the addresses that were checked. Nothing is resolved a second time, so an answer that changes
//!   between check and use (DNS rebinding) changes nothing.
//! - Time, redirects, headers and body are bounded. Bodies are never unpacked, so no archive bomb can go off.
//! - Nothing of the machine leaks in or out: no proxy from the environment, no cookies, no `Referer`.
//!
//! Secrets in URLs, headers and bodies never stand in an error: those name the host, and the rule or status.

mod address;
mod client;
mod error;
mod lookup;
mod policy;
mod redirect;

pub(crate) use client::host_of;
pub use client::{Egress, Request, Response};
pub use error::{EgressError, Refusal};
pub use lookup::{Lookup, SystemLookup};
pub use policy::{AllowRule, EgressPolicy, PolicyError};
