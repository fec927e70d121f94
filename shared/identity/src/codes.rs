//! One-time codes: six digits for five minutes (AUT-03). What is stored is an HMAC of them.

use app::ports::{Challenge, EmailAddress};
use chrono::TimeDelta;
use ring::hmac;
use uuid::Uuid;

use crate::pepper::Pepper;

/// How long a code may be answered.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);

/// How often a code may be guessed at.
pub(crate) const MOST_TRIES: u32 = 5;

/// What a code is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    Login,
    /// To open an account.
    Signup,
    /// To choose another password.
    Reset,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Login, Self::Signup, Self::Reset];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Signup => "signup",
            Self::Reset => "reset",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// An address as accounts and codes know it: whatever its case, it is the same.
pub(crate) fn canonical(address: &EmailAddress) -> String {
    address.as_str().to_ascii_lowercase()
}

/// Six digits of 128 random bits, so many that none of the million is likelier than another by more than 2^-108.
pub(crate) fn code(random: &[u8; 32]) -> String {
    let mut bits = [0; 16];
    bits.copy_from_slice(&random[..16]);
    format!("{:06}", u128::from_be_bytes(bits) % 1_000_000)
}

/// What is stored of a code: bound to its challenge and its address, so that it is worth nothing anywhere else.
pub(crate) fn seal(pepper: &Pepper, challenge: Uuid, address: &str, code: &str) -> [u8; 32] {
    let mut mac = [0; 32];
    mac.copy_from_slice(hmac::sign(&pepper.code, &message(challenge, address, code)).as_ref());
    mac
}

/// Whether this is the code. Takes the same time for each that is not.
pub(crate) fn is_code(pepper: &Pepper, challenge: &Challenge, address: &str, code: &str) -> bool {
    hmac::verify(&pepper.code, &message(challenge.id, address, code), &challenge.mac).is_ok()
}

/// Neither a code nor an address has a NUL.
fn message(challenge: Uuid, address: &str, code: &str) -> Vec<u8> {
    [challenge.as_bytes(), address.as_bytes(), b"\0", code.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_with_leading_zeros() {
        assert_eq!(code(&[0; 32]), "000000");
        let mut random = [0; 32];
        random[15] = 7;
        assert_eq!(code(&random), "000007");
        assert!((0..=255).map(|n| code(&[n; 32])).all(|code| code.len() == 6));
    }

    #[test]
    fn a_seal_is_good_for_its_code_address_and_challenge_alone() {
        let pepper = Pepper::of(&[1; 32]);
        let challenge = |id: u128, mac| Challenge {
            id: Uuid::from_u128(id),
            mac,
            purpose: "login".to_owned(),
            expires_at: domain::Timestamp::UNIX_EPOCH,
            ip: None,
            user_agent: None,
        };
        let mac = seal(&pepper, Uuid::from_u128(1), "ada@example.com", "123456");
        assert!(is_code(&pepper, &challenge(1, mac), "ada@example.com", "123456"));
        for (id, address, code) in [
            (2, "ada@example.com", "123456"),
            (1, "eve@example.com", "123456"),
            (1, "ada@example.com", "123457"),
            (1, "ada@example.com", ""),
        ] {
            assert!(!is_code(&pepper, &challenge(id, mac), address, code), "{id} {address} {code}");
        }
        assert!(!is_code(&Pepper::of(&[2; 32]), &challenge(1, mac), "ada@example.com", "123456"));
    }
}
