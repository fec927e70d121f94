//! Answering a one-time code (AUT-02, AUT-03).

use app::ports::{Account, EmailAddress, NewAccount, StoreError};
use domain::{MemberId, UserId};

use crate::{
    Client, Identity, Purpose, SignInError, SignedIn,
    codes::{MOST_TRIES, canonical, is_code},
    limits::Limit,
};

/// A code, and what goes with it.
#[derive(Clone, Default)]
pub struct CodeAnswer {
    /// Six digits.
    pub code: String,
    /// The password to have from now on; of codes to sign up and to reset.
    pub password: Option<String>,
    /// Given name of who signs up.
    pub first_name: String,
    /// Family name of who signs up.
    pub last_name: String,
}

impl Identity {
    /// Signs in by a code, and opens the account where the code was asked for to sign up. Of those who answer it at once, one is
    /// signed in.
    pub async fn verify_code(
        &self,
        address: &EmailAddress,
        answer: CodeAnswer,
        client: &Client,
    ) -> Result<SignedIn, SignInError> {
        let address = canonical(address);
        self.within(Limit::VerifyCode, &address, client).await?;
        let pepper = self.peppers.get().await?;
        let (key, now) = (pepper.veiled(&address), self.ports.clock.now());
        let challenge = self.ports.challenges.attempt(&key, MOST_TRIES, now).await?;
        let challenge = challenge.filter(|challenge| is_code(pepper, challenge, &address, &answer.code));
        let challenge = challenge.ok_or(SignInError::Refused)?;
        let purpose = Purpose::parse(&challenge.purpose).ok_or(SignInError::Refused)?;
        if purpose == Purpose::Login && answer.password.is_some() {
            return Err(SignInError::NoPassword);
        }
        // Ahead of the code's end, since this is what may have to be tried again.
        let phc = match answer.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        if !self.ports.challenges.take(&key, challenge.id).await? {
            return Err(SignInError::Refused);
        }
        let account = match purpose {
            Purpose::Signup => self.opened(address, answer.first_name, answer.last_name).await?,
            Purpose::Login | Purpose::Reset => self.ports.accounts.by_email(&address).await?,
        };
        if !account.is_active {
            return Err(SignInError::Refused);
        }
        if let Some(phc) = phc {
            self.ports.accounts.set_password(account.user_id, &phc).await?;
            // Whoever knew the old one is out.
            self.ports.sessions.revoke_all(account.user_id, None, now).await?;
        }
        self.begin(&account, true, client).await
    }

    /// The account of who signs up, which may be there already.
    async fn opened(
        &self,
        email: String,
        first_name: String,
        last_name: String,
    ) -> Result<Account, StoreError> {
        let new = NewAccount {
            member_id: MemberId::new(self.ports.ids.next()),
            user_id: UserId::new(self.ports.ids.next()),
            email,
            first_name,
            last_name,
        };
        self.ports.accounts.open(&new).await
    }
}
