//! How often one may try (AUT-05, AUT-06): by the address that is named and by the address that the request comes from. Where it can't be
//! counted nobody tries: a guess that is not counted is worse than a sign-in that has to be repeated.

use std::{net::IpAddr, time::Duration};

use crate::{Client, Identity, SignInError};

const WINDOW: Duration = Duration::from_mins(15);

/// What is counted, and how often each may do it in a window.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    RequestCode,
    VerifyCode,
    Login,
    Oidc,
}

impl Limit {
    const fn name_and_most(self) -> (&'static str, u64) {
        match self {
            Self::RequestCode => ("request-otp", 5),
            Self::VerifyCode => ("verify-otp", 10),
            Self::Login => ("login", 10),
            // A guess is worth nothing there, and each sign-in is two.
            Self::Oidc => ("oidc", 60),
        }
    }
}

impl Identity {
    /// Counts a try, and refuses it where there were too many. Who has tried too often from one place does not count against the
    /// address they name, so that nobody is locked out by a single other.
    pub(crate) async fn within(
        &self,
        limit: Limit,
        address: &str,
        client: &Client,
    ) -> Result<(), SignInError> {
        let veiled = self.peppers.get().await?.veiled(address);
        self.within_place(limit, client).await?;
        self.count(limit, &format!("address/{veiled}")).await
    }

    /// The same where no address is named.
    pub(crate) async fn within_place(&self, limit: Limit, client: &Client) -> Result<(), SignInError> {
        self.count(limit, &format!("ip/{}", place(client.ip))).await
    }

    async fn count(&self, limit: Limit, whose: &str) -> Result<(), SignInError> {
        let (name, most) = limit.name_and_most();
        let count = self.ports.counters.add(&format!("{name}/{whose}"), 1, WINDOW).await?;
        if count.count > most { Err(SignInError::TooMany { until: count.ends_on }) } else { Ok(()) }
    }
}

/// Where a request comes from. With IPv6 whoever has an address has 2^64 of them.
fn place(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_place() {
        let of = |ip: &str| place(Some(ip.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
