//! Signing in by password, and what all ways of signing in end with.

use std::net::IpAddr;

use app::ports::{Account, EmailAddress, StoreError};
use domain::SessionId;

use crate::{
    Identity, PasswordCheck, SignInError, SignedIn, codes::canonical, csrf, limits::Limit,
    refresh::RefreshToken,
};

/// Who asks, as far as the connection says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Where the request comes from.
    pub ip: Option<IpAddr>,
    /// By what program.
    pub user_agent: Option<String>,
}

impl Identity {
    /// Signs in by password. An address that is not known, one without a password, one that may not sign in and a wrong password are one
    /// answer, which takes the same time.
    pub async fn login(
        &self,
        address: &EmailAddress,
        password: String,
        client: &Client,
    ) -> Result<SignedIn, SignInError> {
        let address = canonical(address);
        self.within(Limit::Login, &address, client).await?;
        let account = match self.ports.accounts.by_email(&address).await {
            Ok(account) => Some(account).filter(|account| account.is_active),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let phc = account.as_ref().and_then(|account| account.password_hash.clone());
        let check = self.passwords.check(password.clone(), phc).await?;
        let (Some(account), PasswordCheck::Right { is_outdated }) = (account, check) else {
            return Err(SignInError::Refused);
        };
        if is_outdated {
            let phc = self.passwords.hash(password).await?;
            self.ports.accounts.set_password(account.user_id, &phc).await?;
        }
        self.begin(&account, false, client).await
    }

    /// Begins a session, always a new one: what a client had before is not taken over.
    pub(crate) async fn begin(
        &self,
        account: &Account,
        is_by_mail: bool,
        client: &Client,
    ) -> Result<SignedIn, SignInError> {
        let (now, session) = (self.ports.clock.now(), SessionId::new(self.ports.ids.next()));
        let token = RefreshToken::new(&self.ports.entropy.draw()?);
        let new = token.to_record(self.ports.ids.next(), now, client);
        let account = self.ports.accounts.signed_in(account.member_id, now, is_by_mail).await?;
        self.ports.sessions.begin(account.user_id, session, &new, now).await?;
        self.signed_in(account, session, token).await
    }

    /// What a client gets.
    pub(crate) async fn signed_in(
        &self,
        account: Account,
        session_id: SessionId,
        token: RefreshToken,
    ) -> Result<SignedIn, SignInError> {
        let access_token = self.issuer.issue(account.member_id, &account.email, session_id).await?;
        let csrf_token = csrf::token(self.peppers.get().await?, session_id);
        Ok(SignedIn { account, session_id, access_token, refresh_token: token.into_text(), csrf_token })
    }
}
