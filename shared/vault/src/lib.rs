//! Credentials of teams (SCR-01 … SCR-07): how they are sealed, who opens them, and how their keys are changed (docs/secrets.md).
//!
//! - [`Keeper`] takes credentials in, and wraps data keys anew after a rotation of the master key. It can't give a value back.
//! - [`Vault`] opens them, for connectors alone.
//! - [`SecretTeller`] brings what was taken in to where connectors read it.
//!
//! A value is under AES-256-GCM by a data key of its team, which is under AES-256-GCM by the master key of the deployment. What a ciphertext is
//! of, its team, name and version, is authenticated with it: moved to another row, it can't be opened.

mod keeper;
mod master;
mod ring_of_masters;
mod seal;
mod teller;
mod vault;

pub use keeper::{Keeper, KeptSecret};
pub use master::{MalformedKeys, MasterKeys};
pub use ring_of_masters::MasterRing;
pub use seal::CantOpen;
pub use teller::{InPlace, SecretTeller};
pub use vault::{KEPT, Vault};
