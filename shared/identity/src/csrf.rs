//! What proves that a request with our cookies was made by our own page: a token that the page reads and repeats in a header, bound to the
//! session by an HMAC (AUT-12, SEC-04).

use domain::SessionId;
use ring::hmac;

use crate::{
    pepper::Pepper,
    text::{decode, encode},
};

/// The header that repeats the token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The token of a session: `<session>.<HMAC of it>`.
pub(crate) fn token(pepper: &Pepper, session: SessionId) -> String {
    format!("{session}.{}", encode(hmac::sign(&pepper.csrf, session.uuid().as_bytes()).as_ref()))
}

/// The session whose token this is.
pub(crate) fn session(pepper: &Pepper, token: &str) -> Option<SessionId> {
    let (session, mac) = token.split_once('.')?;
    let session: SessionId = session.parse().ok()?;
    hmac::verify(&pepper.csrf, session.uuid().as_bytes(), &decode(mac)?).ok().map(|()| session)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_names_its_session_and_cannot_be_made_up() {
        let pepper = Pepper::of(&[1; 32]);
        let own = SessionId::new(Uuid::from_u128(7));
        let good = token(&pepper, own);
        assert_eq!(session(&pepper, &good), Some(own));
        let (_, mac) = good.split_once('.').unwrap();
        let other = SessionId::new(Uuid::from_u128(8));
        for bad in
            [String::new(), ".".to_owned(), own.to_string(), format!("{other}.{mac}"), format!("{good}A")]
        {
            assert_eq!(session(&pepper, &bad), None, "{bad}");
        }
        assert_eq!(session(&Pepper::of(&[2; 32]), &good), None);
    }
}
