//! Which issuers a deployment trusts, and what for: the secret `oidc-providers`.

use std::{collections::HashSet, fmt};

use app::ports::Name;
use serde::Deserialize;
use url::{Host, Url};

/// An issuer as the deployment configures it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// Its name in paths.
    pub(crate) name: String,
    /// The claim `iss`, exactly.
    pub(crate) issuer: String,
    /// Whom its access tokens must be for; without it, none of them is taken.
    pub(crate) audience: Option<String>,
    /// The domains whose addresses it speaks for; all where absent.
    domains: Option<Vec<String>>,
    /// How people sign in through it; not at all where absent.
    pub(crate) sign_in: Option<Relying>,
}

/// Heddle as the issuer's client.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relying {
    /// Its name at the issuer.
    pub(crate) client_id: String,
    /// What it shows there, where it is a confidential client.
    pub(crate) client_secret: Option<String>,
    /// Where the issuer sends browsers back to: this deployment's callback, as the issuer knows it.
    pub(crate) redirect_uri: String,
    /// What is asked for.
    #[serde(default = "Relying::usual_scopes")]
    pub(crate) scopes: Vec<String>,
    /// Whether somebody without an account gets one.
    #[serde(default)]
    pub(crate) allows_sign_up: bool,
}

/// What is wrong with the configuration, all of it. Repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("oidc-providers: {}", .0.join("; "))]
pub struct MalformedProviders(pub Vec<String>);

impl Relying {
    fn usual_scopes() -> Vec<String> {
        ["openid", "email", "profile"].map(str::to_owned).into()
    }
}

impl Provider {
    /// Whether it may say that this address is somebody's.
    pub(crate) fn speaks_for(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.as_ref().is_none_or(|domains| domains.iter().any(|one| one.eq_ignore_ascii_case(domain)))
    }

    fn mistakes(&self) -> Vec<&'static str> {
        let is_name = Name::parse(&self.name).is_ok();
        let rules = [
            (is_name, "`name` is 1 to 64 letters, digits, dots, underscores and hyphens"),
            (is_issuer(&self.issuer), "`issuer` is an https address without query and fragment"),
            (self.audience.as_deref() != Some(""), "`audience` is empty"),
            (self.domains.as_deref() != Some(&[]), "`domains` names none: leave it out for all"),
            (self.audience.is_some() || self.sign_in.is_some(), "it lacks both `audience` and `sign_in`"),
        ];
        let sign_in = self.sign_in.iter().flat_map(|sign_in| sign_in.rules(&self.name));
        rules.into_iter().chain(sign_in).filter(|(holds, _)| !holds).map(|(_, mistake)| mistake).collect()
    }
}

impl Relying {
    fn rules(&self, name: &str) -> [(bool, &'static str); 4] {
        [
            (!self.client_id.is_empty(), "`client_id` is empty"),
            (self.client_secret.as_deref() != Some(""), "`client_secret` is empty: leave it out"),
            (
                is_callback(&self.redirect_uri, name),
                "`redirect_uri` is not https://<this deployment>/api/v1/auth/oidc/<name>/callback",
            ),
            (self.scopes.iter().any(|scope| scope == "openid"), "`scopes` lacks openid"),
        ]
    }
}

/// Reads the configuration: a JSON list.
pub(crate) fn parse(text: &str) -> Result<Vec<Provider>, MalformedProviders> {
    let providers: Vec<Provider> = serde_json::from_str(text).map_err(|error| {
        // The error's own words may repeat a secret.
        let (line, column) = (error.line(), error.column());
        MalformedProviders(vec![format!("not a JSON list of providers: line {line}, column {column}")])
    })?;
    let (mut names, mut issuers) = (HashSet::new(), HashSet::new());
    let mut mistakes = Vec::new();
    for (index, provider) in providers.iter().enumerate() {
        let at = |mistake: &str| format!("/{index}: {mistake}");
        mistakes.extend(provider.mistakes().into_iter().map(at));
        if !names.insert(&provider.name) {
            mistakes.push(at("`name` is that of another one"));
        }
        // Two of one issuer would leave it to chance which of them a token is for.
        if !issuers.insert(&provider.issuer) {
            mistakes.push(at("`issuer` is that of another one"));
        }
    }
    if mistakes.is_empty() { Ok(providers) } else { Err(MalformedProviders(mistakes)) }
}

/// Plain http is for a server of this machine's own or of the deployment's network; whether it may be asked is decided where it is.
fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
    })
}

fn is_callback(text: &str, name: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url))
            && url.query().is_none()
            && url.fragment().is_none()
            && url.path() == format!("/api/v1/auth/oidc/{name}/callback")
    })
}

/// Browsers set `__Host-` cookies for `localhost` as if it had TLS.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({} at {})", self.name, self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn provider() -> Value {
        json!({
            "name": "corp", "issuer": "https://id.example.com", "audience": "heddle",
            "sign_in": {
                "client_id": "heddle-web", "client_secret": "hunter2",
                "redirect_uri": "https://heddle.example.com/api/v1/auth/oidc/corp/callback",
            },
        })
    }

    #[test]
    fn what_may_be_left_out_is_usual() {
        let providers = parse(&json!([provider()]).to_string()).unwrap();
        let sign_in = providers[0].sign_in.as_ref().unwrap();
        assert_eq!(
            (sign_in.scopes.as_slice(), sign_in.allows_sign_up),
            (&Relying::usual_scopes()[..], false)
        );
        assert!(providers[0].speaks_for("ada@anywhere.example"));
        assert!(parse("[]").unwrap().is_empty());
        let local = json!("http://localhost:4500/api/v1/auth/oidc/corp/callback");
        let mut at_home = provider();
        at_home["sign_in"]["redirect_uri"] = local;
        assert!(parse(&json!([at_home]).to_string()).is_ok());
    }

    #[test]
    fn an_issuer_speaks_for_the_domains_it_was_given() {
        let mut given = provider();
        given["domains"] = json!(["Example.com"]);
        let providers = parse(&json!([given]).to_string()).unwrap();
        for (email, expected) in [
            ("ada@example.com", true),
            ("ada@sub.example.com", false),
            ("ada@example.com.evil.org", false),
            ("ada", false),
        ] {
            assert_eq!(providers[0].speaks_for(email), expected, "{email}");
        }
    }

    #[test]
    fn every_mistake_is_named_and_no_value() {
        for (pointer, value, expected) in [
            ("/name", json!("a/b"), 2),
            ("/name", json!("other"), 1),
            ("/issuer", json!("ftp://id.example.com"), 1),
            ("/issuer", json!("https://id.example.com?hunter2"), 1),
            ("/audience", json!(""), 1),
            ("/domains", json!([]), 1),
            ("/sign_in/client_id", json!(""), 1),
            ("/sign_in/client_secret", json!(""), 1),
            ("/sign_in/client_secret", json!(["hunter2"]), 1),
            ("/sign_in/redirect_uri", json!("http://heddle.example.com/api/v1/auth/oidc/corp/callback"), 1),
            ("/sign_in/redirect_uri", json!("https://heddle.example.com/hunter2"), 1),
            ("/sign_in/scopes", json!(["email"]), 1),
        ] {
            let mut given = provider();
            // What is absent has no place yet.
            given["domains"] = json!(["example.com"]);
            given["sign_in"]["scopes"] = json!(["openid"]);
            *given.pointer_mut(pointer).unwrap() = value;
            let mistakes = parse(&json!([given]).to_string()).unwrap_err();
            assert_eq!(mistakes.0.len(), expected, "{mistakes}");
            assert!(!format!("{mistakes} {mistakes:?}").contains("hunter2"), "{mistakes}");
        }
        let twice = json!([provider(), provider()]).to_string();
        assert_eq!(parse(&twice).unwrap_err().0.len(), 2);
        let idle = json!([{"name": "a", "issuer": "https://a.example"}]).to_string();
        assert_eq!(parse(&idle).unwrap_err().0.len(), 1);
        for text in ["", "{}", "hunter2", r#"[{"name": "a", "issuer": "https://a.example", "hunter2": 1}]"#] {
            let mistakes = parse(text).unwrap_err();
            assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
        }
    }
}
