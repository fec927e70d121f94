//! Asking for a one-time code (AUT-01, AUT-04).

use app::ports::{Account, Challenge, EmailAddress, StoreError, unavailable};
use chrono::SubsecRound as _;

use crate::{
    Client, Identity, Purpose, SignInError,
    codes::{CODE_LIFE, canonical, code, seal},
    limits::Limit,
    mails,
};

const SEND: &str = "send a code";

impl Identity {
    /// Sends a code to this address. What is answered, what is stored and that something is sent are the same whether or not somebody may
    /// sign in with the address; to one with which nobody may, the mail says so instead.
    pub async fn request_code(
        &self,
        to: &EmailAddress,
        purpose: Purpose,
        client: &Client,
    ) -> Result<(), SignInError> {
        let address = canonical(to);
        self.within(Limit::RequestCode, &address, client).await?;
        let account = match self.ports.accounts.by_email(&address).await {
            Ok(account) => Some(account),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let may_answer = may_sign_in(account.as_ref(), purpose);
        let (pepper, code) = (self.peppers.get().await?, code(&self.ports.entropy.draw()?));
        let id = self.ports.ids.next();
        // What nobody may answer is no code's.
        let mac = if may_answer { seal(pepper, id, &address, &code) } else { self.ports.entropy.draw()? };
        let challenge = Challenge {
            id,
            mac,
            purpose: purpose.as_str().to_owned(),
            expires_at: self.ports.clock.now().trunc_subsecs(0) + CODE_LIFE,
            ip: client.ip,
            user_agent: client.user_agent.clone(),
        };
        self.ports.challenges.put(&pepper.veiled(&address), &challenge).await?;
        let mail = if may_answer {
            mails::with_code(to.clone(), purpose, &code)
        } else {
            mails::without_account(to.clone())
        };
        match self.ports.mailer.send(&mail.map_err(unavailable(SEND))?).await {
            // It will never be taken, and that it is not says something of the address.
            Err(StoreError::Violates(_)) => Ok(()),
            sent => Ok(sent?),
        }
    }
}

fn may_sign_in(account: Option<&Account>, purpose: Purpose) -> bool {
    account.map_or(purpose == Purpose::Signup, |account| account.is_active)
}
