//! Tokens of other issuers: JWT (RFC 7519), signed by one of the algorithms that are known (AUT-16, AUT-17).

use domain::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::{jwk::ForeignKey, provider::Provider};
use crate::{Refusal, text::decode};

/// More is taken from nobody. API Gateway passes on 10 KB of all headers.
const LONGEST: usize = 8192;

/// How far the clock of who signed may be away from ours, in both directions.
const SKEW_S: i64 = 30;

/// A token that came apart, of which nothing is believed yet.
pub(super) struct Foreign<'a> {
    signed: &'a str,
    header: Header,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

/// What a token says, of what is looked at.
#[derive(Deserialize)]
pub(super) struct Said {
    iss: String,
    pub(super) sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    pub(super) jti: Option<String>,
    azp: Option<String>,
    nonce: Option<String>,
    /// Whoever shows the token has to prove more than that they have it (RFC 7800).
    cnf: Option<IgnoredAny>,
    email: Option<String>,
    email_verified: Option<bool>,
    #[serde(default)]
    pub(super) given_name: String,
    #[serde(default)]
    pub(super) family_name: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, who: &str) -> bool {
        match self {
            Self::One(one) => one == who,
            Self::Several(several) => several.iter().any(|one| one == who),
        }
    }

    fn is_of_several(&self) -> bool {
        matches!(self, Self::Several(several) if several.len() > 1)
    }
}

/// Who a token says issued it: only to know whose keys to ask.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claim {
        iss: String,
    }
    let (_, payload, _) = split(token)?;
    serde_json::from_slice(&decode(payload)?).ok().map(|Claim { iss }| iss)
}

fn split(token: &str) -> Option<(&str, &str, &str)> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
    let (_, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.'))?;
    Some((signed, payload, signature))
}

impl<'a> Foreign<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Result<Self, Refusal> {
        let apart = || {
            let (signed, _, signature) = split(token)?;
            let header = serde_json::from_slice(&decode(signed.split('.').next()?)?).ok()?;
            Some(Self { signed, header, signature: decode(signature)? })
        };
        apart().ok_or(Refusal::Malformed)
    }

    /// The name of the key.
    pub(super) fn key(&self) -> &str {
        &self.header.kid
    }

    /// What the token says, if this key signed it and it is one of these types.
    pub(super) fn proven(self, key: &ForeignKey, types: &[&str]) -> Result<Said, Refusal> {
        let header = &self.header;
        let is_of_type = |typ: &String| types.iter().any(|known| known.eq_ignore_ascii_case(typ));
        if header.alg != key.algorithm()
            || header.crit.is_some()
            || !header.typ.as_ref().is_none_or(is_of_type)
        {
            return Err(Refusal::Header);
        }
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            return Err(Refusal::Signature);
        }
        let payload = self.signed.split_once('.').and_then(|(_, payload)| decode(payload));
        payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or(Refusal::Malformed)
    }
}

impl Said {
    /// Refuses what is no access token for us that holds now.
    pub(super) fn judge_access(&self, provider: &Provider, now: Timestamp) -> Result<(), Refusal> {
        let is_for_us = provider.audience.as_ref().is_some_and(|audience| self.aud.names(audience));
        self.judge(provider, is_for_us, now)?;
        if self.cnf.is_some() { Err(Refusal::Kind) } else { Ok(()) }
    }

    /// Refuses what is no ID token of the sign-in with this nonce (OIDC Core, section 3.1.3.7).
    pub(super) fn judge_id(
        &self,
        provider: &Provider,
        client_id: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let is_party = match &self.azp {
            Some(party) => party == client_id,
            None => !self.aud.is_of_several(),
        };
        self.judge(provider, is_party && self.aud.names(client_id), now)?;
        if self.nonce.as_deref() == Some(nonce) { Ok(()) } else { Err(Refusal::Nonce) }
    }

    fn judge(&self, provider: &Provider, is_for_us: bool, now: Timestamp) -> Result<(), Refusal> {
        let now = now.timestamp();
        let starts = self.nbf.map_or(self.iat, |nbf| nbf.max(self.iat));
        let rules = [
            (self.iss == provider.issuer, Refusal::Issuer),
            (is_for_us, Refusal::Audience),
            (self.exp.saturating_add(SKEW_S) > now, Refusal::Expired),
            (starts <= now.saturating_add(SKEW_S), Refusal::Early),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, refusal)| Err(refusal))
    }

    /// The address that the issuer has seen to be theirs, in lower case.
    pub(super) fn email(&self, provider: &Provider) -> Result<String, Refusal> {
        let email = self.email.as_deref().filter(|_| self.email_verified == Some(true));
        let email = email.filter(|email| provider.speaks_for(email)).map(str::to_ascii_lowercase);
        email.ok_or(Refusal::Email)
    }

    /// Who issued it.
    pub(super) fn issuer(&self) -> &str {
        &self.iss
    }

    /// When it was issued, and when it is over.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((Timestamp::from_timestamp(self.iat, 0)?, Timestamp::from_timestamp(self.exp, 0)?))
    }
}
