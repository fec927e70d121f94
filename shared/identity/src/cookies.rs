//! The cookies of a browser's session (AUT-12). Their prefix lets no other host, no subdomain and no plain connection set them.

use chrono::TimeDelta;

use crate::{ACCESS_LIFE, REFRESH_LIFE, SignedIn};

const ACCESS: &str = "__Host-heddle_access";
const REFRESH: &str = "__Host-heddle_refresh";
const CSRF: &str = "__Host-heddle_csrf";
const OIDC: &str = "__Host-heddle_oidc";

/// The cookies that a request brought.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Cookies<'a> {
    /// The access token.
    pub access: Option<&'a str>,
    /// The refresh token.
    pub refresh: Option<&'a str>,
    /// What the page repeats in a header.
    pub csrf: Option<&'a str>,
    /// What the browser kept while it was away at an issuer.
    pub oidc: Option<&'a str>,
}

impl<'a> Cookies<'a> {
    /// Reads the values of the `Cookie` fields. A cookie that comes twice is none: one of the two is somebody else's.
    pub fn read(fields: impl Iterator<Item = &'a str>) -> Self {
        let pairs: Vec<(&str, &str)> = fields
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .collect();
        let find = |name: &str| {
            let mut values = pairs.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
            values.next().filter(|_| values.next().is_none())
        };
        Self { access: find(ACCESS), refresh: find(REFRESH), csrf: find(CSRF), oidc: find(OIDC) }
    }
}

/// Values of `Set-Cookie` fields.
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookies(pub [String; 3]);

impl SetCookies {
    /// A session's.
    pub fn of(signed_in: &SignedIn) -> Self {
        let (access, refresh) = (ACCESS_LIFE.num_seconds(), REFRESH_LIFE.num_seconds());
        Self([
            // Lax, so that who follows a link to the studio is signed in there.
            cookie(ACCESS, &signed_in.access_token, access, "Lax; HttpOnly"),
            cookie(REFRESH, &signed_in.refresh_token, refresh, "Strict; HttpOnly"),
            // The page has to read this one.
            cookie(CSRF, &signed_in.csrf_token, refresh, "Strict"),
        ])
    }

    /// Takes them away.
    pub fn cleared() -> Self {
        Self([
            cookie(ACCESS, "", 0, "Lax; HttpOnly"),
            cookie(REFRESH, "", 0, "Strict; HttpOnly"),
            cookie(CSRF, "", 0, "Strict"),
        ])
    }
}

/// Keeps something while the browser is away at an issuer. Lax, since it is the issuer's page that leads back.
pub(crate) fn away(value: &str, max_age: TimeDelta) -> String {
    cookie(OIDC, value, max_age.num_seconds(), "Lax; HttpOnly")
}

/// Takes that away.
pub fn arrived() -> String {
    cookie(OIDC, "", 0, "Lax; HttpOnly")
}

fn cookie(name: &str, value: &str, max_age: i64, rest: &str) -> String {
    format!("{name}={value}; Path=/; Secure; Max-Age={max_age}; SameSite={rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_from_all_fields() {
        let fields = ["a=b; __Host-heddle_access=x.y.z", "__Host-heddle_csrf=c=; __Host-heddle_accessory=q"];
        let cookies = Cookies::read(fields.into_iter());
        assert_eq!((cookies.access, cookies.refresh, cookies.csrf), (Some("x.y.z"), None, Some("c=")));
    }

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        let cookies = Cookies::read(
            ["__Host-heddle_access=x; __Host-heddle_access=y", "__Host-heddle_refresh=r"].into_iter(),
        );
        assert_eq!((cookies.access, cookies.refresh), (None, Some("r")));
    }

    #[test]
    fn every_cookie_is_bound_to_this_host_and_to_tls() {
        for cookie in SetCookies::cleared().0 {
            assert!(
                cookie.starts_with("__Host-") && cookie.contains("; Path=/; Secure; Max-Age=0;"),
                "{cookie}"
            );
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    }
}
