//! Tokens of invitations: whoever has one was sent it.

use app::ports::{Entropy, StoreError};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// 256 bits in base64url.
pub(crate) struct Token(String);

impl Token {
    /// A new one.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, StoreError> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(entropy.draw()?)))
    }

    /// One that somebody shows, whatever it is.
    pub(crate) fn shown(text: String) -> Self {
        Self(text)
    }

    /// What is stored of it.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// For the mail, and for nothing else.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}
