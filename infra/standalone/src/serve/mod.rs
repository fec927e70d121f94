//! Every function behind one address.

pub(crate) mod api;
pub(crate) mod areas;
pub(crate) mod housekeeping;
pub(crate) mod sign_in;
pub(crate) mod stop;
