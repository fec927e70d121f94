//! Signing in through another issuer (AUT-15).

use domain::FieldError;
use identity::ReturnTo;
use serde::Deserialize;
use utoipa::IntoParams;

/// Where to go afterwards.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Departing {
    /// A path of this host; `/` where absent.
    #[param(example = "/runs?status=failed", max_length = 1000)]
    return_to: Option<String>,
}

impl Departing {
    /// The path, or what is wrong with it.
    pub(crate) fn check(self) -> Result<ReturnTo, Vec<FieldError>> {
        let Some(text) = self.return_to else { return Ok(ReturnTo::default()) };
        let detail = "A path of this host that begins with one slash, at most 1000 characters.";
        ReturnTo::parse(&text)
            .ok_or_else(|| vec![FieldError::new("/query/return_to", "invalid_path", detail)])
    }
}

/// What an issuer gives back. Some give more than this, which is not looked at.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BroughtBack {
    /// To exchange for who it is.
    pub(crate) code: Option<String>,
    /// What the issuer was given.
    pub(crate) state: Option<String>,
    /// Who the issuer says it is (RFC 9207).
    pub(crate) iss: Option<String>,
}
