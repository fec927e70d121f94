//! API keys (KEY-02, KEY-03).

use app::ports::{Entropy, StoreError};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use catalog::ApiKeyDigest;
use sha2::{Digest as _, Sha256};

/// What a key is recognised by wherever it turns up.
const PREFIX: &str = "hdl_";

/// A key that nobody has yet: 256 bits in 43 characters of base64url.
pub(crate) struct NewKey(String);

impl NewKey {
    /// Draws one.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, StoreError> {
        Ok(Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(entropy.draw()?))))
    }

    /// What is kept of it.
    pub(crate) fn digest(&self) -> ApiKeyDigest {
        let last4 = self.0.split_at(self.0.len() - 4).1.to_owned();
        ApiKeyDigest { sha256: Sha256::digest(&self.0).into(), last4 }
    }

    /// In clear, for the one answer that shows it.
    pub(crate) fn into_clear(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use app::fakes::SequentialEntropy;

    use super::*;

    #[test]
    fn key_02_a_key_has_at_least_40_random_characters_and_is_kept_as_a_hash() {
        let entropy = SequentialEntropy::default();
        let (one, other) = (NewKey::draw(&entropy).unwrap(), NewKey::draw(&entropy).unwrap());
        assert_eq!(one.0.strip_prefix(PREFIX).unwrap().len(), 43);
        assert_ne!(one.0, other.0);
        let digest = one.digest();
        let text = one.into_clear();
        assert_eq!(digest.sha256, <[u8; 32]>::from(Sha256::digest(&text)));
        assert!(text.ends_with(&digest.last4) && digest.last4.len() == 4);
    }
}
