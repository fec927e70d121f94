//! Access tokens: JWT (RFC 7519) in the profile of RFC 9068, signed by Ed25519 and by nothing else (AUT-07, AUT-17).

use std::sync::Arc;

use app::ports::{Clock, DeploymentSecrets, Ids, StoreError, unavailable};
use chrono::TimeDelta;
use domain::{MemberId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Issuers, KeyRing, csrf,
    oidc::claimed_issuer,
    pepper::Peppers,
    text::{decode, encode},
};

/// How long an access token holds.
pub const ACCESS_LIFE: TimeDelta = TimeDelta::minutes(15);

/// How far the clock of who signed may be ahead of ours.
const SKEW_S: i64 = 30;

/// More is no token of ours.
const LONGEST: usize = 4096;

const ALGORITHM: &str = "EdDSA";
const MEDIA_TYPE: &str = "at+jwt";
const KIND: &str = "access";

/// By whom tokens are issued, and for whom. Those of one deployment mean nothing to another, whatever key they are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
}

impl Realm {
    /// That of a stage.
    pub fn of_stage(stage: &str) -> Self {
        Self { issuer: format!("heddle/{stage}"), audience: format!("heddle/{stage}/api") }
    }
}

/// What a valid access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The person. In which teams they are, and as what, is to be asked for.
    pub member_id: MemberId,
    /// Their address when the token was issued.
    pub email: String,
    /// The sign-in that it belongs to.
    pub session_id: SessionId,
    /// The token's own id.
    pub token_id: Uuid,
    /// When it was issued.
    pub issued_on: Timestamp,
    /// When it is over.
    pub expires_on: Timestamp,
}

/// Why a token is not one. For logs and tests; clients are told that it is not valid, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not three parts in base64url of which two are JSON of the right form.
    #[error("the token is malformed")]
    Malformed,
    /// The header names another algorithm than the keys are for, another type of token, or something critical.
    #[error("the token's header is not that of an access token")]
    Header,
    /// No key has this name.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The key did not sign this.
    #[error("the token's signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("the token is of another issuer")]
    Issuer,
    /// It was issued for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It is no access token.
    #[error("the token is of another type")]
    Kind,
    /// It is over.
    #[error("the token has expired")]
    Expired,
    /// It is of a time to come.
    #[error("the token is not valid yet")]
    Early,
    /// It is of another sign-in.
    #[error("the token's nonce is another one")]
    Nonce,
    /// Its issuer vouches for no address, or for one that is not for it to vouch for.
    #[error("the token names no address that its issuer vouches for")]
    Email,
    /// Nobody signs in with its address.
    #[error("the token's address is nobody's who may sign in")]
    Account,
}

/// What comes of a token that can't be verified.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// It is not valid.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The keys can't be read for now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: MemberId,
    email: String,
    #[serde(rename = "type")]
    kind: String,
    sid: SessionId,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
    jti: Uuid,
}

/// Issues access tokens.
pub struct Issuer {
    keys: Arc<KeyRing>,
    realm: Realm,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Issuer {
    /// One who signs with the current of these keys.
    pub fn new(keys: Arc<KeyRing>, realm: Realm, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { keys, realm, clock, ids }
    }

    /// A token for a person who signed in.
    pub async fn issue(
        &self,
        member: MemberId,
        email: &str,
        session: SessionId,
    ) -> Result<String, StoreError> {
        const SIGN: &str = "sign a token";
        let keys = self.keys.get().await?;
        let no_key = || unavailable(SIGN)("there is no key");
        let kid = keys.current().ok_or_else(no_key)?;
        let (alg, typ) = (ALGORITHM.to_owned(), MEDIA_TYPE.to_owned());
        let header = Header { alg, typ, kid: kid.to_owned(), crit: None };
        let now = self.clock.now().timestamp();
        let payload = Payload {
            iss: self.realm.issuer.clone(),
            aud: self.realm.audience.clone(),
            sub: member,
            email: email.to_owned(),
            kind: KIND.to_owned(),
            sid: session,
            iat: now,
            nbf: None,
            exp: now + ACCESS_LIFE.num_seconds(),
            jti: self.ids.next(),
        };
        let header = serde_json::to_vec(&header).map_err(unavailable(SIGN))?;
        let payload = serde_json::to_vec(&payload).map_err(unavailable(SIGN))?;
        let signed = format!("{}.{}", encode(&header), encode(&payload));
        let signature = keys.sign(signed.as_bytes()).ok_or_else(no_key)?;
        Ok(format!("{signed}.{}", encode(&signature)))
    }
}

/// Finds out who calls by an access token, and whether a page of ours made the request.
pub struct Verifier {
    keys: Arc<KeyRing>,
    peppers: Arc<Peppers>,
    realm: Realm,
    clock: Arc<dyn Clock>,
    issuers: Option<Arc<Issuers>>,
}

impl Verifier {
    /// One who trusts these keys, for this realm.
    pub(crate) fn new(
        keys: Arc<KeyRing>,
        peppers: Arc<Peppers>,
        realm: Realm,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { keys, peppers, realm, clock, issuers: None }
    }

    /// The same, that takes the access tokens of these issuers too.
    pub fn trusting(self, issuers: Arc<Issuers>) -> Self {
        Self { issuers: Some(issuers), ..self }
    }

    /// For a process that signs nobody in. Reads nothing until it is asked.
    pub fn reading(secrets: Arc<dyn DeploymentSecrets>, realm: Realm, clock: Arc<dyn Clock>) -> Self {
        let keys = Arc::new(KeyRing::reading(Arc::clone(&secrets), Arc::clone(&clock)));
        Self::new(keys, Arc::new(Peppers::reading(secrets)), realm, clock)
    }

    /// The session whose CSRF token this is; None where it is nobody's.
    pub async fn csrf_session(&self, token: &str) -> Result<Option<SessionId>, StoreError> {
        match self.peppers.get().await {
            Ok(pepper) => Ok(csrf::session(pepper, token)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the token says, if it is ours or that of an issuer who is trusted, for us, and holds now. The algorithm is that of the key,
    /// whatever the token says of it.
    pub async fn verify(&self, token: &str) -> Result<Claims, Unverified> {
        match (&self.issuers, claimed_issuer(token)) {
            (Some(issuers), Some(issuer)) if issuer != self.realm.issuer => {
                issuers.verify(token, &issuer).await
            }
            _ => self.verify_own(token).await,
        }
    }

    async fn verify_own(&self, token: &str) -> Result<Claims, Unverified> {
        let (signed, header, signature) = parts(token).ok_or(Refusal::Malformed)?;
        if header.alg != ALGORITHM || !header.typ.eq_ignore_ascii_case(MEDIA_TYPE) || header.crit.is_some() {
            return Err(Refusal::Header.into());
        }
        let keys = self.keys.get_with(|keys| keys.knows(&header.kid)).await?;
        if !keys.knows(&header.kid) {
            return Err(Refusal::UnknownKey.into());
        }
        if !keys.verifies(&header.kid, signed.as_bytes(), &signature) {
            return Err(Refusal::Signature.into());
        }
        // Nothing of it was looked at before it was known to be ours.
        let payload = signed.split_once('.').and_then(|(_, payload)| decode(payload));
        let payload: Option<Payload> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        let payload = payload.ok_or(Refusal::Malformed)?;
        self.judge(&payload)?;
        claims(payload).ok_or_else(|| Refusal::Malformed.into())
    }

    fn judge(&self, payload: &Payload) -> Result<(), Refusal> {
        let now = self.clock.now().timestamp();
        let starts = payload.nbf.map_or(payload.iat, |nbf| nbf.max(payload.iat));
        let rules = [
            (payload.iss == self.realm.issuer, Refusal::Issuer),
            (payload.aud == self.realm.audience, Refusal::Audience),
            (payload.kind == KIND, Refusal::Kind),
            (payload.exp > now, Refusal::Expired),
            (starts <= now.saturating_add(SKEW_S), Refusal::Early),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, refusal)| Err(refusal))
    }
}

/// What was signed, the header in it, and the signature.
fn parts(token: &str) -> Option<(&str, Header, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
    let (header, _) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.'))?;
    let header = serde_json::from_slice(&decode(header)?).ok()?;
    Some((signed, header, decode(signature)?))
}

fn claims(payload: Payload) -> Option<Claims> {
    Some(Claims {
        member_id: payload.sub,
        email: payload.email,
        session_id: payload.sid,
        token_id: payload.jti,
        issued_on: Timestamp::from_timestamp(payload.iat, 0)?,
        expires_on: Timestamp::from_timestamp(payload.exp, 0)?,
    })
}
