//! What people are sent.

use app::ports::{EmailAddress, InvalidMail, Mail};

use crate::{Purpose, codes::CODE_LIFE};

/// The mail that brings a code.
pub(crate) fn with_code(to: EmailAddress, purpose: Purpose, code: &str) -> Result<Mail, InvalidMail> {
    let (subject, what) = match purpose {
        Purpose::Login => ("Your Heddle sign-in code", "sign in to Heddle"),
        Purpose::Signup => ("Your Heddle sign-up code", "finish signing up to Heddle"),
        Purpose::Reset => ("Your Heddle password reset code", "choose another password for Heddle"),
    };
    let minutes = CODE_LIFE.num_minutes();
    let text = format!(
        "Your code to {what} is\n\n    {code}\n\nIt holds for {minutes} minutes and can be used once. Give it to nobody: we never ask for it.\n\n\
        If you did not ask for this code, you need not do anything.\n"
    );
    Mail::new(to, subject, &text)
}

/// The mail to an address that nobody may sign in with. One that is always sent takes as long as one that is needed, so that who asks for a
/// code can't tell whether there is such an account; and who owns the address learns why no code came.
pub(crate) fn without_account(to: EmailAddress) -> Result<Mail, InvalidMail> {
    let text = "Somebody, probably you, asked for a code to sign in to Heddle with this address.\n\n\
        No account can be signed in to with it. If you used another address before, try that one; else sign up first.\n\n\
        If it was not you, you need not do anything.\n";
    Mail::new(to, "Signing in to Heddle", text)
}
