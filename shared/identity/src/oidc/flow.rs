//! Signing in through another issuer: OIDC, authorization code with PKCE (AUT-15; RFC 6749, RFC 7636, RFC 9700).

use std::{fmt, sync::Arc};

use app::ports::{Account, Challenge, NewAccount, StoreError, WebForm, unavailable};
use chrono::{SubsecRound as _, TimeDelta};
use domain::{MemberId, UserId};
use serde_json::Value;
use url::Url;

use super::{
    ID, ReturnTo, Trusted,
    pass::Pass,
    provider::{Provider, Relying},
    published::Endpoints,
    token::Said,
};
use crate::{
    Client, Identity, SignInError, SignedIn, Unverified, cookies,
    limits::Limit,
    pepper::Pepper,
    text::{encode, sha256},
};

/// How long somebody may be away at an issuer.
const AWAY: TimeDelta = TimeDelta::minutes(10);

const START: &str = "send a browser to its issuer";
const EXCHANGE: &str = "exchange a code";

/// Where a browser is sent, and what it keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct Departure {
    /// The issuer's page.
    pub location: String,
    /// The value of the `Set-Cookie` field.
    pub cookie: String,
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Departure")
    }
}

/// What a browser brings back.
#[derive(Clone, Copy, Default)]
pub struct Callback<'a> {
    /// What it kept.
    pub cookie: Option<&'a str>,
    /// What the issuer was given.
    pub state: Option<&'a str>,
    /// To exchange for who it is; absent where the issuer refused.
    pub code: Option<&'a str>,
    /// Who the issuer says it is (RFC 9207).
    pub issuer: Option<&'a str>,
}

impl Identity {
    /// Sends a browser to an issuer. [`StoreError::NotFound`] where nobody signs in through one of this name.
    pub async fn depart(
        &self,
        provider: &str,
        return_to: &ReturnTo,
        client: &Client,
    ) -> Result<Departure, SignInError> {
        self.within_place(Limit::Oidc, client).await?;
        let trusted = self.relied_on(provider).await?;
        let documents = trusted.published.documents().await?;
        let pepper = self.peppers.get().await?;
        let (id, expires_at) = (self.ports.ids.next(), self.ports.clock.now().trunc_subsecs(0) + AWAY);
        let pass = Pass::new(id, provider, &self.ports.entropy.draw()?, return_to, expires_at);
        let location = authorization(&trusted, &documents.endpoints, &pass, pepper)?;
        let challenge = Challenge {
            id,
            mac: [0; 32],
            purpose: "oidc".to_owned(),
            expires_at,
            ip: client.ip,
            user_agent: client.user_agent.clone(),
        };
        self.ports.challenges.put(&key(&pass), &challenge).await?;
        let cookie = cookies::away(&pass.sealed(pepper).map_err(unavailable(START))?, AWAY);
        Ok(Departure { location: location.into(), cookie })
    }

    /// Signs in who comes back from an issuer, once, and answers where they want to go. What the issuer says of a failure is not repeated.
    pub async fn arrive(
        &self,
        provider: &str,
        callback: Callback<'_>,
        client: &Client,
    ) -> Result<(SignedIn, ReturnTo), SignInError> {
        self.within_place(Limit::Oidc, client).await?;
        let trusted = self.relied_on(provider).await?;
        let pepper = self.peppers.get().await?;
        let pass = callback
            .cookie
            .and_then(|cookie| Pass::open(cookie, pepper, provider, self.ports.clock.now()))
            .filter(|pass| callback.state.is_some_and(|state| pass.is_state(pepper, state)))
            .filter(|_| callback.issuer.is_none_or(|issuer| issuer == trusted.provider.issuer))
            .ok_or(SignInError::Refused)?;
        if !self.ports.challenges.take(&key(&pass), pass.id).await? {
            return Err(SignInError::Refused);
        }
        let code = callback.code.ok_or(SignInError::Refused)?;
        let token = self.exchanged(&trusted, code, &pass.verifier(pepper)).await?;
        let said = self.identified(&trusted, &token, &pass.nonce(pepper)).await?;
        let account = self.account_of(&trusted, &said).await?;
        Ok((self.begin(&account, true, client).await?, pass.return_to()))
    }

    async fn relied_on(&self, provider: &str) -> Result<Arc<Trusted>, SignInError> {
        let is_it = |known: &Provider| known.name == provider && known.sign_in.is_some();
        let trusted = self.issuers.find(is_it).await?;
        trusted.ok_or(SignInError::Store(StoreError::NotFound))
    }

    /// The ID token for a code.
    async fn exchanged(&self, trusted: &Trusted, code: &str, verifier: &str) -> Result<String, SignInError> {
        let relying = relying(trusted)?;
        let documents = trusted.published.documents().await?;
        let endpoints = &documents.endpoints;
        let url = endpoints.token_endpoint.as_deref();
        let url = url.ok_or_else(|| unavailable(EXCHANGE)("the issuer names no place for it"))?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &relying.redirect_uri),
            ("code_verifier", verifier),
        ];
        let secret = relying.client_secret.as_deref();
        let basic = secret.filter(|_| !endpoints.takes_secret_in_form());
        if basic.is_none() {
            fields.push(("client_id", &relying.client_id));
            fields.extend(secret.map(|secret| ("client_secret", secret)));
        }
        let basic = basic.map(|secret| (relying.client_id.as_str(), secret));
        let answer = self.ports.web.post(&WebForm { url, fields: &fields, basic }).await?;
        if answer.status != 200 {
            let (name, error) = (&trusted.provider.name, word(answer.body.as_ref()));
            tracing::warn!(provider = %name, status = answer.status, error, "an issuer refused a code");
            return Err(SignInError::Refused);
        }
        let token = answer.body.as_ref().and_then(|body| body.get("id_token")).and_then(Value::as_str);
        let token = token.ok_or_else(|| unavailable(EXCHANGE)("the issuer gave no ID token"))?;
        Ok(token.to_owned())
    }

    async fn identified(&self, trusted: &Trusted, token: &str, nonce: &str) -> Result<Said, SignInError> {
        let judged = async {
            let said = trusted.proven(token, &ID).await?;
            let client_id = &relying(trusted)?.client_id;
            said.judge_id(&trusted.provider, client_id, nonce, self.ports.clock.now())?;
            Ok(said)
        };
        judged.await.map_err(|error| refused(trusted, error))
    }

    /// The account of who was identified, which is opened where the issuer may do that.
    async fn account_of(&self, trusted: &Trusted, said: &Said) -> Result<Account, SignInError> {
        let email = said.email(&trusted.provider).map_err(|refusal| refused(trusted, refusal.into()))?;
        let account = match self.ports.accounts.by_email(&email).await {
            Err(StoreError::NotFound) if relying(trusted)?.allows_sign_up => {
                let new = NewAccount {
                    member_id: MemberId::new(self.ports.ids.next()),
                    user_id: UserId::new(self.ports.ids.next()),
                    email,
                    first_name: name(&said.given_name),
                    last_name: name(&said.family_name),
                };
                self.ports.accounts.open(&new).await?
            }
            found => found?,
        };
        if account.is_active { Ok(account) } else { Err(SignInError::Refused) }
    }
}

/// The issuer's page with what it has to know.
fn authorization(
    trusted: &Trusted,
    endpoints: &Endpoints,
    pass: &Pass,
    pepper: &Pepper,
) -> Result<Url, StoreError> {
    let (relying, page) = (relying(trusted)?, endpoints.authorization_endpoint.as_deref());
    let page = page.ok_or_else(|| unavailable(START)("the issuer names no page"))?;
    let mut page = Url::parse(page).map_err(unavailable(START))?;
    // What the issuer publishes may not lead browsers to a script, nor out of TLS.
    if page.scheme() != "https" && !trusted.provider.issuer.starts_with(&format!("{}:", page.scheme())) {
        return Err(unavailable(START)("the issuer's page is not of its scheme"));
    }
    let challenge = encode(&sha256(pass.verifier(pepper).as_bytes()));
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &relying.client_id)
        .append_pair("redirect_uri", &relying.redirect_uri)
        .append_pair("scope", &relying.scopes.join(" "))
        .append_pair("state", &pass.state(pepper))
        .append_pair("nonce", &pass.nonce(pepper))
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    Ok(page)
}

fn relying(trusted: &Trusted) -> Result<&Relying, StoreError> {
    trusted.provider.sign_in.as_ref().ok_or(StoreError::NotFound)
}

/// Where it is noted that a sign-in is under way.
fn key(pass: &Pass) -> String {
    format!("oidc/{}", pass.id)
}

fn refused(trusted: &Trusted, error: Unverified) -> SignInError {
    match error {
        Unverified::Refused(refusal) => {
            tracing::warn!(provider = %trusted.provider.name, %refusal, "an ID token was refused");
            SignInError::Refused
        }
        Unverified::Store(error) => SignInError::Store(error),
    }
}

/// The error's code (RFC 6749, section 5.2), where it looks like one. The rest may say anything.
fn word(body: Option<&Value>) -> &str {
    let word = body.and_then(|body| body.get("error")).and_then(Value::as_str).unwrap_or_default();
    let is_plain = word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_plain { word } else { "" }
}

/// A name as accounts take it.
fn name(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(100).collect()
}
