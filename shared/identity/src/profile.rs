//! Who the caller is (AUT-11).

use app::ports::{Account, ProfilePatch};

use crate::{Claims, Identity, SignInError};

impl Identity {
    /// The caller's account. One that was deactivated since the token was issued is refused.
    pub async fn account(&self, who: &Claims) -> Result<Account, SignInError> {
        let account = self.ports.accounts.by_member(who.member_id).await?;
        if account.is_active { Ok(account) } else { Err(SignInError::Refused) }
    }

    /// Changes what the caller says of themselves.
    pub async fn update_account(&self, who: &Claims, patch: &ProfilePatch) -> Result<Account, SignInError> {
        self.account(who).await?;
        Ok(self.ports.accounts.update(who.member_id, patch).await?)
    }
}
