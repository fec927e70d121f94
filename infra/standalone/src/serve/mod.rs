//! Every function behind one address.

#[cfg(test)]
mod access_tests;
pub(crate) mod api;
pub(crate) mod areas;
pub(crate) mod housekeeping;
pub(crate) mod sign_in;
pub(crate) mod stop;
