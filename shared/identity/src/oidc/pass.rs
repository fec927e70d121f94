//! What a browser keeps while it is away at an issuer: bound to it by being a cookie, and to us by an HMAC.
//!
//! The state, the nonce and the code verifier are in no store and not in the cookie either: each follows from a random seed by a key of the
//! deployment. So who reads the cookie can't exchange a code, and who guesses a state has no cookie to go with it.

use domain::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ReturnTo;
use crate::{
    pepper::Pepper,
    text::{decode, encode},
};

/// A sign-in under way.
#[derive(Serialize, Deserialize)]
pub(super) struct Pass {
    /// The id that makes it good once.
    pub(super) id: Uuid,
    /// The name of the issuer.
    pub(super) provider: String,
    /// 256 random bits in base64url.
    seed: String,
    return_to: String,
    /// Seconds since the epoch.
    expires_at: i64,
}

impl Pass {
    pub(super) fn new(
        id: Uuid,
        provider: &str,
        seed: &[u8; 32],
        return_to: &ReturnTo,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            provider: provider.to_owned(),
            seed: encode(seed),
            return_to: return_to.as_str().to_owned(),
            expires_at: expires_at.timestamp(),
        }
    }

    /// As the cookie has it.
    pub(super) fn sealed(&self, pepper: &Pepper) -> Result<String, serde_json::Error> {
        let text = encode(&serde_json::to_vec(self)?);
        Ok(format!("{text}.{}", encode(hmac::sign(&pepper.oidc, text.as_bytes()).as_ref())))
    }

    /// Reads a cookie that was made for this issuer and holds now.
    pub(super) fn open(cookie: &str, pepper: &Pepper, provider: &str, now: Timestamp) -> Option<Self> {
        let (text, mac) = cookie.split_once('.')?;
        hmac::verify(&pepper.oidc, text.as_bytes(), &decode(mac)?).ok()?;
        let pass: Self = serde_json::from_slice(&decode(text)?).ok()?;
        (pass.provider == provider && now.timestamp() < pass.expires_at).then_some(pass)
    }

    /// What the issuer gives back.
    pub(super) fn state(&self, pepper: &Pepper) -> String {
        self.derived(pepper, "state")
    }

    /// Whether it is what the issuer gave back. Takes the same time for each that is not.
    pub(super) fn is_state(&self, pepper: &Pepper, state: &str) -> bool {
        let mac = decode(state);
        mac.is_some_and(|mac| hmac::verify(&pepper.oidc, self.message("state").as_bytes(), &mac).is_ok())
    }

    /// What the ID token repeats.
    pub(super) fn nonce(&self, pepper: &Pepper) -> String {
        self.derived(pepper, "nonce")
    }

    /// What proves that who exchanges the code is who asked for it (RFC 7636).
    pub(super) fn verifier(&self, pepper: &Pepper) -> String {
        self.derived(pepper, "verifier")
    }

    /// Where the browser wants to go.
    pub(super) fn return_to(&self) -> ReturnTo {
        ReturnTo::parse(&self.return_to).unwrap_or_default()
    }

    fn derived(&self, pepper: &Pepper, what: &str) -> String {
        encode(hmac::sign(&pepper.oidc, self.message(what).as_bytes()).as_ref())
    }

    /// No cookie has a NUL, so that what is derived seals none.
    fn message(&self, what: &str) -> String {
        format!("{what}\0{}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass() -> Pass {
        let expires_at = Timestamp::from_timestamp(1000, 0).unwrap();
        Pass::new(Uuid::nil(), "corp", &[7; 32], &ReturnTo::default(), expires_at)
    }

    #[test]
    fn a_pass_is_good_for_its_issuer_and_its_time_and_cannot_be_made_up() {
        let (ours, theirs) = (Pepper::of(&[1; 32]), Pepper::of(&[2; 32]));
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let cookie = pass().sealed(&ours).unwrap();
        assert!(Pass::open(&cookie, &ours, "corp", at(999)).is_some());
        assert!(Pass::open(&cookie, &ours, "corp", at(1000)).is_none());
        assert!(Pass::open(&cookie, &ours, "other", at(999)).is_none());
        assert!(Pass::open(&cookie, &theirs, "corp", at(999)).is_none());
        let (_, mac) = cookie.split_once('.').unwrap();
        let later = encode(&serde_json::to_vec(&Pass { expires_at: 9999, ..pass() }).unwrap());
        for bad in ["", ".", mac, &format!("{later}.{mac}"), &format!("{cookie}A")] {
            assert!(Pass::open(bad, &ours, "corp", at(999)).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_is_apart_and_told_by_no_cookie() {
        let pepper = Pepper::of(&[1; 32]);
        let (pass, cookie) = (pass(), pass().sealed(&pepper).unwrap());
        let derived = [pass.state(&pepper), pass.nonce(&pepper), pass.verifier(&pepper)];
        for (index, one) in derived.iter().enumerate() {
            assert_eq!(one.len(), 43, "as RFC 7636 wants a verifier");
            assert!(!cookie.contains(one) && !derived[..index].contains(one));
            assert_eq!(pass.is_state(&pepper, one), index == 0);
        }
        assert!(!pass.is_state(&pepper, "") && !pass.is_state(&Pepper::of(&[2; 32]), &derived[0]));
    }
}
