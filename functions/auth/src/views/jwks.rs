//! Public keys.

use identity::{Jwk, Jwks};
use serde::Serialize;
use utoipa::ToSchema;

/// The keys that access tokens are signed with (RFC 7517): the present one first, then the next one, then the one before.
#[derive(Serialize, ToSchema)]
#[schema(as = Jwks)]
pub(crate) struct JwksView {
    keys: Vec<JwkView>,
}

/// An Ed25519 key (RFC 8037).
#[derive(Serialize, ToSchema)]
#[schema(as = Jwk)]
struct JwkView {
    #[schema(example = "Hk0MtVTlQjUr2ffwT0TfZjZcepPXIxrUmTpyY-qtV6k")]
    kid: String,
    #[schema(example = "OKP")]
    kty: &'static str,
    #[schema(example = "Ed25519")]
    crv: &'static str,
    #[schema(example = "EdDSA")]
    alg: &'static str,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    public_key_use: &'static str,
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
}

impl From<Jwks> for JwksView {
    fn from(jwks: Jwks) -> Self {
        let view =
            |Jwk { kid, kty, crv, alg, public_key_use, x }| JwkView { kid, kty, crv, alg, public_key_use, x };
        Self { keys: jwks.keys.into_iter().map(view).collect() }
    }
}
