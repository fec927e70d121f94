//! Where requests may go: the public internet, and what the deployment names besides.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;
use url::{Host, Url};

use super::{address::special_kind, error::Refusal};

/// What a deployment lets requests reach although its address is not public. Empty by default: nothing.
///
/// Read from text such as `EGRESS_ALLOW=127.0.0.1:9000, orders.internal:443, 10.1.0.0/16, [fd00::]/8:8080`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    /// The exceptions.
    pub allow: Vec<AllowRule>,
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowRule {
    /// `host:port`: whatever this name resolves to, on this port.
    Host {
        /// Lower-case, without a trailing dot. Names match as a whole; there are no wildcards.
        host: String,
        /// The port.
        port: u16,
    },
    /// `ip:port`, `cidr` or `cidr:port`: the addresses of a network, under whatever name.
    Net {
        /// The network; a single address is one of full length.
        net: IpNet,
        /// The port; any where absent.
        port: Option<u16>,
    },
}

/// The entries of a policy's text that say nothing, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not host:port, ip:port, cidr or cidr:port: {}", .0.join(", "))]
pub struct PolicyError(pub Vec<String>);

impl EgressPolicy {
    /// Checks all that a URL tells before anything is resolved: scheme, credentials, and an address in place of a name.
    ///
    /// [`Url`] has already turned the odd spellings of an address (`2130706433`, `0x7f.1`) into the address.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            let text = format!("{} is not a scheme that may be used, only http and https are", url.scheme());
            return Err(Refusal::new("scheme", text));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::new("userinfo", "the URL holds credentials, which belong into `auth`"));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        match special_kind(address) {
            Some(kind) if !self.allows("", address, url.port_or_known_default()) => {
                Err(Refusal::new(kind.rule, format!("{address} is {}", kind.what)))
            }
            _ => Ok(()),
        }
    }

    /// Checks one address that `host` resolved to. `port` is None for every port that no rule names.
    pub(super) fn check_resolved(
        &self,
        host: &str,
        address: IpAddr,
        port: Option<u16>,
    ) -> Result<(), Refusal> {
        match special_kind(address) {
            Some(kind) if !self.allows(host, address, port) => {
                Err(Refusal::new(kind.rule, format!("{host} resolves to {address}, {}", kind.what)))
            }
            _ => Ok(()),
        }
    }

    /// Whether the deployment makes an exception for this very server, by its name or its address.
    pub fn names(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        match url.host() {
            Some(Host::Ipv4(address)) => self.allows("", IpAddr::V4(address), port),
            Some(Host::Ipv6(address)) => self.allows("", IpAddr::V6(address), port),
            // No rule for a network is one for a name: what it leads to is not known yet.
            Some(Host::Domain(host)) => self.allows(host, IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
            None => false,
        }
    }

    /// The ports for which a rule was made.
    pub(super) fn ports(&self) -> BTreeSet<u16> {
        let port = |rule: &AllowRule| match rule {
            AllowRule::Host { port, .. } => Some(*port),
            AllowRule::Net { port, .. } => *port,
        };
        self.allow.iter().filter_map(port).collect()
    }

    fn allows(&self, host: &str, address: IpAddr, port: Option<u16>) -> bool {
        self.allow.iter().any(|rule| match rule {
            AllowRule::Host { host: name, port: only } => {
                port == Some(*only) && name.eq_ignore_ascii_case(host.trim_end_matches('.'))
            }
            AllowRule::Net { net, port: only } => net.contains(&address) && (only.is_none() || port == *only),
        })
    }
}

impl FromStr for EgressPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (mut allow, mut bad) = (Vec::new(), Vec::new());
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match parse_rule(entry) {
                Some(rule) => allow.push(rule),
                None => bad.push(entry.to_owned()),
            }
        }
        if bad.is_empty() { Ok(Self { allow }) } else { Err(PolicyError(bad)) }
    }
}

fn parse_rule(entry: &str) -> Option<AllowRule> {
    if let Some(net) = parse_net(entry) {
        return Some(AllowRule::Net { net, port: None });
    }
    let (place, port) = entry.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    if let Some(net) = parse_net(place).or_else(|| parse_address(place)) {
        return Some(AllowRule::Net { net, port: Some(port) });
    }
    match Host::parse(place).ok()? {
        // A URL may hold a star, but no rule should look as if it were a pattern.
        Host::Domain(host) if !host.contains('*') => {
            Some(AllowRule::Host { host: host.trim_end_matches('.').to_owned(), port })
        }
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// `10.0.0.0/8`, `fd00::/8` or `[fd00::]/8`.
fn parse_net(text: &str) -> Option<IpNet> {
    let (address, prefix) = text.split_once('/')?;
    IpNet::new(unbracketed(address).parse().ok()?, prefix.parse().ok()?).ok()
}

/// `127.0.0.1` or `[::1]`. Without brackets the port of an IPv6 address could be a part of it.
fn parse_address(text: &str) -> Option<IpNet> {
    let address: IpAddr = unbracketed(text).parse().ok()?;
    (address.is_ipv4() || text.starts_with('[')).then(|| address.into())
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> EgressPolicy {
        text.parse().unwrap()
    }

    #[test]
    fn rules_are_read_in_each_of_their_forms() {
        let net = |net: &str, port| AllowRule::Net { net: net.parse().unwrap(), port };
        let host = |host: &str, port| AllowRule::Host { host: host.to_owned(), port };
        for (text, rule) in [
            ("localhost:9000", host("localhost", 9000)),
            ("Orders.Internal.:443", host("orders.internal", 443)),
            ("127.0.0.1:9000", net("127.0.0.1/32", Some(9000))),
            ("[::1]:9000", net("::1/128", Some(9000))),
            ("10.0.0.0/8", net("10.0.0.0/8", None)),
            ("10.0.0.0/8:8080", net("10.0.0.0/8", Some(8080))),
            ("fd00::/8", net("fd00::/8", None)),
            ("fd00::/8:8080", net("fd00::/8", Some(8080))),
            ("[fd00::]/8:8080", net("fd00::/8", Some(8080))),
        ] {
            assert_eq!(policy(text).allow, [rule], "{text}");
        }
        assert_eq!(policy(" localhost:1 ,, 127.0.0.1:2, ").allow.len(), 2);
        assert_eq!(policy("").allow, []);
    }

    #[test]
    fn every_bad_entry_is_named_at_once() {
        let bad = [
            "localhost",
            "127.0.0.1",
            "::1",
            "::1:80",
            "10.0.0.0/33",
            "10.0.0.0/8:x",
            "host:0",
            "host:65536",
            ":80",
            "a b:80",
            "*:80",
            "http://host:80",
        ];
        let error = format!("ok:80, {}", bad.join(",")).parse::<EgressPolicy>().unwrap_err();
        assert_eq!(error.0, bad);
    }

    #[test]
    fn an_exception_opens_its_host_network_and_port_and_nothing_else() {
        let table = [
            ("127.0.0.1:9000", "http://127.0.0.1:9000/", true),
            ("127.0.0.1:9000", "http://2130706433:9000/", true),
            ("127.0.0.1:9000", "http://127.0.0.1:9001/", false),
            ("127.0.0.1:9000", "http://127.0.0.2:9000/", false),
            ("127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000/", false),
            ("127.0.0.1:80", "http://127.0.0.1/", true),
            ("127.0.0.1:443", "https://127.0.0.1/", true),
            ("10.0.0.0/8", "http://10.9.8.7:1234/", true),
            ("10.0.0.0/8:443", "http://10.9.8.7/", false),
            ("localhost:9000", "http://127.0.0.1:9000/", false),
            ("[::1]:9000", "http://[::1]:9000/", true),
        ];
        for (rules, url, open) in table {
            let answer = policy(rules).check_url(&url.parse().unwrap());
            assert_eq!(answer.is_ok(), open, "{rules} {url}: {answer:?}");
        }
        let named = policy("db.internal:5432");
        let private = "10.0.0.5".parse().unwrap();
        assert!(named.check_resolved("db.internal", private, Some(5432)).is_ok());
        assert!(named.check_resolved("DB.internal.", private, Some(5432)).is_ok());
        assert!(named.check_resolved("db.internal", private, None).is_err());
        assert!(named.check_resolved("x.db.internal", private, Some(5432)).is_err());
    }

    #[test]
    fn a_refusal_names_the_address_its_kind_and_the_rule() {
        for (url, text) in [
            ("http://169.254.169.254/latest", "169.254.169.254 is a link-local address (rule: link_local)"),
            (
                "http://[::ffff:127.0.0.1]/",
                "::ffff:127.0.0.1 is an IPv4-mapped IPv6 address (rule: ipv4_mapped)",
            ),
            ("http://2130706433/", "127.0.0.1 is a loopback address (rule: loopback)"),
            ("http://0x7f.1/", "127.0.0.1 is a loopback address (rule: loopback)"),
            ("http://017700000001/", "127.0.0.1 is a loopback address (rule: loopback)"),
            ("http://127.0.0.1./", "127.0.0.1 is a loopback address (rule: loopback)"),
            ("http://１２７.0.0.1/", "127.0.0.1 is a loopback address (rule: loopback)"),
            (
                "file:///etc/passwd",
                "file is not a scheme that may be used, only http and https are (rule: scheme)",
            ),
            (
                "ftp://example.com/",
                "ftp is not a scheme that may be used, only http and https are (rule: scheme)",
            ),
            (
                "https://me:secret@example.com/",
                "the URL holds credentials, which belong into `auth` (rule: userinfo)",
            ),
        ] {
            let refusal = EgressPolicy::default().check_url(&url.parse().unwrap()).unwrap_err();
            assert_eq!(refusal.to_string(), text, "{url}");
        }
        let refusal = EgressPolicy::default().check_resolved("a.example", "10.0.0.5".parse().unwrap(), None);
        assert_eq!(
            refusal.unwrap_err().to_string(),
            "a.example resolves to 10.0.0.5, a private address (rule: private)"
        );
    }
}
